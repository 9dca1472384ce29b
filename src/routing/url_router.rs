//! `UrlRouter`: paths to WebSocket applications.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use tower::Service;

use super::application::BoxedApplication;
use super::converter::Converters;
use super::coverage::{Coverage, refuse_unreachable};
use super::entry::Entry;
use super::error::RouteError;
use super::index::Index;
use super::level::own_path;
use super::route::Route;
use super::shape::Shape;
use super::{Names, RouteInfo, Routes};
use crate::websocket::{Connection, Refusal};
use crate::{Scope, Scoped, UrlRoute};

/// Ordered routes from paths to applications; the first that matches wins. Channels: `URLRouter`.
///
/// Routers nest, with middleware in between or without: the inner one goes on with the rest of the path, captures
/// are merged (the inner win), and when no inner route matches, the outer router goes on with its next route.
/// A path that no route takes is refused with [`Refusal::NotFound`], the connection untouched.
///
/// ```
/// use solent::routing::{BoxedApplication, RouteError, UrlRouter, path, re_path};
/// # fn run(chat: BoxedApplication, echo: BoxedApplication) -> Result<(), RouteError> {
/// let rooms = UrlRouter::new([path("room/<int:course_id>/", chat).name("socket")])?;
/// let router = UrlRouter::new([
///     path("ws/chat/", rooms).namespace("chat"),
///     re_path(r"^ws/echo/$", echo),
/// ])?;
/// # Ok(())
/// # }
/// ```
///
/// With a type of parameter of one's own:
///
/// ```
/// use solent::routing::{BoxedApplication, Converter, Converters, RouteError, UrlRouter, path};
/// # fn run(archive: BoxedApplication) -> Result<(), RouteError> {
/// let year = Converter::new("year", "[0-9]{4}", |text| Some(text.to_owned()));
/// let converters = Converters::default().with(year);
/// let router = UrlRouter::with_converters(&converters, [path("ws/<year:from>/", archive)])?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct UrlRouter(Arc<Table>);

struct Table {
    routes: Vec<(Entry, BoxedApplication)>,
    index: Index,
}

impl UrlRouter {
    /// A router with Django's converters.
    ///
    /// # Errors
    /// [`RouteError`]: a malformed pattern, a route that can never be reached, a name given twice.
    pub fn new(routes: impl IntoIterator<Item = Route>) -> Result<Self, RouteError> {
        Self::with_converters(&Converters::default(), routes)
    }

    /// A router whose patterns may name these converters.
    ///
    /// # Errors
    /// As [`UrlRouter::new`].
    pub fn with_converters(
        converters: &Converters,
        routes: impl IntoIterator<Item = Route>,
    ) -> Result<Self, RouteError> {
        let routes = routes.into_iter().map(|route| Entry::new(route, converters));
        let routes = routes.collect::<Result<Vec<_>, _>>()?;
        let shapes: Vec<_> = routes.iter().map(|(entry, _)| Shape::of([&*entry.pattern])).collect();
        let index = Index::new(&shapes);
        let coverage = |(entry, _): &(Entry, _)| {
            Coverage::new(vec![Arc::clone(&entry.pattern)], entry.prefix, entry.prefix)
        };
        refuse_unreachable(&routes.iter().map(coverage).collect::<Vec<_>>(), &index)?;
        let router = Self(Arc::new(Table { routes, index }));
        Names::new(router.routes())?;
        Ok(router)
    }

    async fn route(self, mut connection: Connection) -> Result<(), Refusal> {
        let Some(path) = own_path(connection.scope()) else {
            return Err(Refusal::NotFound(Box::new(connection)));
        };
        let slashed = format!("/{}", path.trim_start_matches('/'));
        for number in self.0.index.candidates(&slashed) {
            let (entry, application) = &self.0.routes[number];
            let Some(captured) = entry.pattern.matches(&slashed[1..]) else { continue };
            let scope = connection.scope_mut();
            let before = Before::of(scope, entry.prefix);
            scope.path_remaining = Some(captured.rest.to_owned());
            entry.apply(&mut scope.url_route, captured);
            crate::trace_context::routed(scope);
            match application.call(connection).await {
                Err(Refusal::NotFound(returned)) => {
                    connection = *returned;
                    before.restore(connection.scope_mut());
                }
                outcome => return outcome,
            }
        }
        Err(Refusal::NotFound(Box::new(connection)))
    }
}

/// The scope as it was before a route took it.
enum Before {
    /// Middleware before an inner router may have written anywhere.
    Whole(Box<Scope>),
    /// What the route itself wrote.
    Route(Option<String>, UrlRoute),
}

impl Before {
    fn of(scope: &Scope, prefix: bool) -> Self {
        if prefix {
            Self::Whole(Box::new(scope.clone()))
        } else {
            Self::Route(scope.path_remaining.clone(), scope.url_route.clone())
        }
    }

    fn restore(self, scope: &mut Scope) {
        match self {
            Self::Whole(before) => *scope = *before,
            Self::Route(path_remaining, url_route) => {
                scope.path_remaining = path_remaining;
                scope.url_route = url_route;
            }
        }
    }
}

impl Service<Connection> for UrlRouter {
    type Response = ();
    type Error = Refusal;
    type Future = BoxFuture<'static, Result<(), Refusal>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Refusal>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, connection: Connection) -> Self::Future {
        Box::pin(self.clone().route(connection))
    }
}

impl Routes for UrlRouter {
    fn routes(&self) -> Vec<RouteInfo> {
        self.0.routes.iter().flat_map(|(entry, application)| entry.infos(application.routes())).collect()
    }

    fn is_router(&self) -> bool {
        true
    }
}

impl fmt::Debug for UrlRouter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.routes.iter().map(|(entry, _)| &entry.pattern.text)).finish()
    }
}
