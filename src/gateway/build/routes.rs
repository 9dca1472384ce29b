//! From the file's routes to a router's.

use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use tower::Service;

use crate::Error;
use crate::gateway::settings::Settings;
use crate::http::{BoxedView, HttpError, Request, Response};
use crate::routing::{Application, IntoTarget, Route, Routes, ViewTarget, include, path, re_path};
use crate::websocket::{Connection, Refusal};

/// A route's pattern, of either kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pattern<'s> {
    Path(&'s str),
    Regex(&'s str),
}

impl<'s> Pattern<'s> {
    pub(crate) fn text(self) -> &'s str {
        match self {
            Self::Path(text) | Self::Regex(text) => text,
        }
    }

    /// What it should look like.
    pub(crate) fn expected(self) -> &'static str {
        match self {
            Self::Path(_) => "a path such as \"chat/room/<int:course_id>/\"",
            Self::Regex(_) => r"a regular expression such as '^ws/chat/room/(?P<course_id>\d+)/$'",
        }
    }
}

/// What stands behind a route of pages, as routers take it.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    view: BoxedView,
    /// Whether everything under the route's path leads here.
    below: bool,
}

impl Endpoint {
    pub(crate) fn new(view: BoxedView, below: bool) -> Self {
        Self { view, below }
    }

    /// Stands in where only the pattern counts.
    pub(crate) fn nothing(below: bool) -> Self {
        let view = BoxedView::new(|_| Box::pin(async { Err(HttpError::not_found().into()) }));
        Self::new(view, below)
    }
}

impl Service<Request> for Endpoint {
    type Response = Response;
    type Error = Error;
    type Future = BoxFuture<'static, Result<Response, Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let view = self.view.clone();
        Box::pin(async move { view.call(request).await })
    }
}

impl Routes for Endpoint {
    fn is_router(&self) -> bool {
        self.below
    }
}

/// Stands in for a consumer where only the pattern counts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NoConsumer;

impl Service<Connection> for NoConsumer {
    type Response = ();
    type Error = Refusal;
    type Future = std::future::Ready<Result<(), Refusal>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Refusal>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, connection: Connection) -> Self::Future {
        std::future::ready(Err(Refusal::NotFound(Box::new(connection))))
    }
}

impl Routes for NoConsumer {}

/// The routes of pages. Static files come first, where they are served here.
pub(crate) fn view_routes_of<'s>(
    settings: &Settings,
    routes: impl IntoIterator<Item = (Pattern<'s>, Option<&'s str>, Endpoint)>,
    static_files: Endpoint,
) -> Vec<Route<ViewTarget>> {
    let url = settings.r#static.url.strip_prefix('/').filter(|url| !url.is_empty());
    let files = url.map(|url| include(url, static_files));
    let routes = routes.into_iter().map(|(pattern, name, endpoint)| route(pattern, name, endpoint));
    files.into_iter().chain(routes).collect()
}

/// The routes of sockets.
pub(crate) fn socket_routes_of<'s, A: Application>(
    routes: impl IntoIterator<Item = (Pattern<'s>, Option<&'s str>, A)>,
) -> Vec<Route> {
    let routes = routes.into_iter();
    routes.map(|(pattern, name, application)| route(pattern, name, application)).collect()
}

fn route<T, M>(pattern: Pattern<'_>, name: Option<&str>, target: impl IntoTarget<T, M>) -> Route<T> {
    let route = match pattern {
        Pattern::Path(text) => path(text, target),
        Pattern::Regex(text) => re_path(text, target),
    };
    match name {
        Some(name) => route.name(name),
        None => route,
    }
}
