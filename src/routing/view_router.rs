//! `ViewRouter`: paths to HTTP views.

use std::borrow::Cow;
use std::convert::Infallible;
use std::fmt;
use std::future::ready;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, NeverError};
use tower::Service;

use super::converter::Converters;
use super::coverage::{Coverage, refuse_unreachable};
use super::entry::Entry;
use super::error::RouteError;
use super::index::Index;
use super::level::own_path;
use super::route::Route;
use super::shape::Shape;
use super::target::ViewTarget;
use super::view_route::ViewRoute;
use super::{Names, RouteInfo, Routes};
use crate::http::{Asked, BoxedView, Request, Response, attempt, caught};
use crate::http::{
    append_slash, invalid_path, is_valid_path, may_append_slash, no_route, strip_body, wants_html,
};
use crate::{Scoped, UrlRoute};

/// Ordered routes from paths to views; the first that matches wins. Channels: `get_asgi_application`.
///
/// It is a `tower` service over `http` types, for use below a [`ProtocolTypeRouter`](super::ProtocolTypeRouter), in
/// middleware, or in any other tower program. What it answers itself:
///
/// - 404 when no route matches (with [`NoRoute`](crate::http::NoRoute) in the response's extensions), or a redirect
///   when one would with a slash at the end;
/// - 405 with `Allow` for a method that the route does not take, and `OPTIONS` on routes with methods;
/// - 400 for a path that is not UTF-8 or holds NUL;
/// - a view's error as the page that belongs to it, 500 for errors without a status and for panics.
///
/// ```
/// use solent::http::{Request, RequestExt, html};
/// use solent::routing::{RouteError, ViewRouter, path};
/// async fn room(request: Request) -> solent::Result<http::Response<solent::http::Body>> {
///     let course: i64 = request.kwargs().get("course_id")?;
///     Ok(html(format!("<h1>Course {course}</h1>")))
/// }
/// # fn run() -> Result<(), RouteError> {
/// let views = ViewRouter::new([path("chat/room/<int:course_id>/", room).name("chat:room")])?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct ViewRouter {
    table: Arc<Table>,
    append_slash: bool,
}

struct Table {
    routes: Vec<ViewRoute>,
    index: Index,
}

/// A path's route, found by [`ViewRouter::resolve`].
///
/// ```
/// use solent::http::Request;
/// use solent::routing::{Converters, Match, ViewRouter, path};
/// async fn room(_: Request) -> &'static str { "the room" }
///
/// let views = ViewRouter::with_converters(&Converters::default(), [path("room/<int:id>/", room)])?
///     .append_slash(false);
/// let found: Match = views.resolve("/room/7/").expect("there is a route");
/// assert_eq!(found.url_route.kwargs.text("id"), Some("7"));
/// assert!(views.resolve("/room/seven/").is_none());
/// # Ok::<_, solent::routing::RouteError>(())
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Match {
    /// What was captured, and the route's name and pattern.
    pub url_route: UrlRoute,
    /// What the route leaves of the path.
    pub path_remaining: String,
    /// The view.
    pub view: BoxedView,
    /// Whether the view is a service that sees the remaining path as its whole path.
    rewrites: bool,
}

impl ViewRouter {
    /// A router with Django's converters.
    ///
    /// # Errors
    /// [`RouteError`]: a malformed pattern, a route that can never be reached, a name given twice.
    pub fn new(routes: impl IntoIterator<Item = Route<ViewTarget>>) -> Result<Self, RouteError> {
        Self::with_converters(&Converters::default(), routes)
    }

    /// A router whose patterns may name these converters.
    ///
    /// # Errors
    /// As [`ViewRouter::new`].
    pub fn with_converters(
        converters: &Converters,
        routes: impl IntoIterator<Item = Route<ViewTarget>>,
    ) -> Result<Self, RouteError> {
        let mut flat = Vec::new();
        for route in routes {
            let (entry, target) = Entry::new(route, converters)?;
            flat.extend(flatten(entry, target)?);
        }
        let shapes: Vec<_> = flat.iter().map(|route: &ViewRoute| Shape::of(route.patterns())).collect();
        let index = Index::new(&shapes);
        refuse_unreachable(&flat.iter().map(ViewRoute::coverage).collect::<Vec<Coverage>>(), &index)?;
        let router = Self { table: Arc::new(Table { routes: flat, index }), append_slash: true };
        Names::new(router.routes())?;
        Ok(router)
    }

    /// Whether a path without a route is redirected to the same with a slash at its end, where that has one. On by
    /// default; GET and HEAD only.
    #[must_use]
    pub fn append_slash(mut self, on: bool) -> Self {
        self.append_slash = on;
        self
    }

    /// The route for a decoded path, with its leading slash; `None` when no view serves it.
    pub fn resolve(&self, path: &str) -> Option<Match> {
        self.resolve_below(path, &UrlRoute::default())
    }

    fn resolve_below(&self, path: &str, outer: &UrlRoute) -> Option<Match> {
        // Django takes one leading slash off, no more: `//x` is not `x`, or a proxy's rule for `/x` could be walked
        // around.
        let slashed: Cow<'_, str> =
            if path.starts_with('/') { path.into() } else { format!("/{path}").into() };
        self.table.index.candidates(&slashed).find_map(|number| {
            let route = &self.table.routes[number];
            let (url_route, path_remaining) = route.matches(&slashed[1..], outer)?;
            let view = route.view.clone();
            Some(Match { url_route, path_remaining, view, rewrites: route.rewrites })
        })
    }

    /// The route for a request, in whose scope is told what matched; or the answer where there is none.
    fn find(&self, request: &mut Request) -> Result<Match, Response> {
        let scope = request.scope_mut();
        if !is_valid_path(scope) {
            return Err(invalid_path(request));
        }
        let found = own_path(scope).and_then(|path| self.resolve_below(path, &scope.url_route));
        found.ok_or_else(|| self.unserved(request))
    }

    fn unserved(&self, request: &Request) -> Response {
        let path = own_path(request.scope());
        let redirect = path
            .filter(|_| self.append_slash && may_append_slash(request))
            .filter(|path| self.resolve(&format!("{path}/")).is_some())
            .and_then(|_| append_slash(request));
        redirect.unwrap_or_else(|| {
            let tried = request.scope().env.debug.then(|| self.tried(path));
            no_route(tried.as_deref(), wants_html(request.headers()))
        })
    }

    /// For the debug page: what was looked for, and where.
    fn tried(&self, path: Option<&str>) -> String {
        let shown = |pattern: &str| if pattern.is_empty() { "(the empty path)" } else { pattern }.to_owned();
        let patterns = self.routes().into_iter().map(|route| format!("\n    {}", shown(&route.pattern)));
        let Some(path) = path else { return "the path does not begin with root_path".to_owned() };
        format!("{path:?} is none of these, in order:{}", patterns.collect::<String>())
    }
}

/// The routes that one route stands for: its own, or those of the router that it includes.
fn flatten(entry: Entry, target: ViewTarget) -> Result<Vec<ViewRoute>, RouteError> {
    if target.methods.is_some() && (target.router.is_some() || target.is_router) {
        let problem = "methods belong on the routes inside the router";
        return Err(RouteError::Misplaced { pattern: entry.pattern.text.to_string(), problem });
    }
    Ok(match &target.router {
        Some(router) => router.table.routes.iter().map(|inner| inner.below(&entry)).collect(),
        None => vec![ViewRoute::new(entry, target)],
    })
}

impl Match {
    /// Asks the view, with what was matched in the request's scope.
    fn answer(self, mut request: Request) -> BoxFuture<'static, Response> {
        let head = request.method() == ::http::Method::HEAD;
        let scope = request.scope_mut();
        scope.url_route = self.url_route;
        scope.path_remaining = Some(self.path_remaining);
        crate::trace_context::routed(scope);
        if self.rewrites {
            super::level::rewrite_path(&mut request);
        }
        let asked = Asked::of(&request);
        let answer = attempt(|| self.view.ask(request));
        Box::pin(async move {
            let response = caught(answer).await.unwrap_or_else(|error| asked.failed(error));
            if head { strip_body(response) } else { response }
        })
    }
}

impl Service<Request> for ViewRouter {
    type Response = Response;
    type Error = Infallible;
    type Future = NeverError<BoxFuture<'static, Response>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let answer = match self.find(&mut request) {
            Ok(found) => found.answer(request),
            Err(response) => ready(response).boxed(),
        };
        answer.never_error()
    }
}

impl Routes for ViewRouter {
    fn routes(&self) -> Vec<RouteInfo> {
        self.table.routes.iter().flat_map(ViewRoute::infos).collect()
    }

    fn is_router(&self) -> bool {
        true
    }
}

impl fmt::Debug for ViewRouter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.routes().iter().map(|route| &route.pattern)).finish()
    }
}
