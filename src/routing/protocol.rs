//! `ProtocolTypeRouter`: a scope's type to the application that serves it.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::task::{Context, Poll};

use ::http::{HeaderValue, Method, StatusCode, header};
use bytes::Bytes;
use futures_util::future::{BoxFuture, ready};
use http_body::Body as HttpBody;
use tower::Service;

use super::application::{Application, BoxedApplication};
use super::level::own_path;
use super::{Names, RouteError, RouteInfo, Routes};
use crate::http::{BodyError, BoxedHttp, HttpApplication, NoRoute, Request, Response};
use crate::http::{no_route, page, refusal_page, wants_html};
use crate::websocket::{Connection, Refusal};
use crate::{Protocol, Scoped};

/// The root of an application: which part serves HTTP, which serves WebSockets, which serves channels, and any
/// protocol of one's own. Cheap enough to clone. Channels: `ProtocolTypeRouter`.
///
/// Without an `http` part every request gets a 404 page, without a `websocket` part every upgrade a 404.
///
/// ```
/// use solent::routing::{BoxedApplication, ProtocolTypeRouter, RouteError, UrlRouter, path};
/// # fn run(chat: BoxedApplication) -> Result<(), RouteError> {
/// let app = ProtocolTypeRouter::new().websocket(UrlRouter::new([path("ws/chat/", chat)])?);
/// # Ok(())
/// # }
/// ```
///
/// Without a server, as a test or a program with listeners of its own asks it:
///
/// ```
/// use solent::http::{Body, Request};
/// use solent::routing::{ProtocolTypeRouter, ViewRouter, path};
/// async fn hello(_: Request) -> &'static str { "hello" }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> solent::Result<()> {
/// let app = ProtocolTypeRouter::new().http(ViewRouter::new([path("hello/", hello)])?);
/// let request = http::Request::get("/hello/").body(Body::empty())?;
/// assert_eq!(app.call_http(request).await.status().as_u16(), 200);
/// assert!(!app.socket_matches("/hello/"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default)]
pub struct ProtocolTypeRouter {
    http: Option<BoxedHttp>,
    connections: BTreeMap<Protocol, BoxedApplication>,
    /// Kept because it is asked for on every GET that no view serves.
    socket_routes: Vec<RouteInfo>,
}

impl ProtocolTypeRouter {
    /// A router without applications.
    pub fn new() -> Self {
        Self::default()
    }

    /// Serves HTTP requests by `service`.
    #[must_use]
    pub fn http<B>(mut self, service: impl HttpApplication<B>) -> Self
    where
        B: HttpBody<Data = Bytes, Error: Into<BodyError>> + Send + 'static,
    {
        self.http = Some(BoxedHttp::new(service));
        self
    }

    /// Serves WebSockets by `application`.
    #[must_use]
    pub fn websocket(self, application: impl Application) -> Self {
        self.insert(Protocol::WEBSOCKET, application)
    }

    /// Serves messages on named channels by `application`, usually a
    /// [`ChannelNameRouter`](super::ChannelNameRouter).
    #[must_use]
    pub fn channel(self, application: impl Application) -> Self {
        self.insert(Protocol::CHANNEL, application)
    }

    /// Serves connections of a protocol of one's own by `application`.
    #[must_use]
    pub fn protocol(self, name: impl Into<String>, application: impl Application) -> Self {
        self.insert(Protocol::new(name.into()), application)
    }

    fn insert(mut self, protocol: Protocol, application: impl Application) -> Self {
        if protocol == Protocol::WEBSOCKET {
            self.socket_routes = application.routes();
        }
        self.connections.insert(protocol, BoxedApplication::new(application));
        self
    }

    /// Answers a request. One that no view serves on a path that a socket route would is told to upgrade (426).
    ///
    /// # Cancel safety
    /// Dropping the future drops the view's work.
    pub fn call_http(&self, request: Request) -> BoxFuture<'static, Response> {
        let router = self.clone();
        Box::pin(async move { router.answer(request).await })
    }

    /// The same for who keeps this router meanwhile.
    pub(crate) async fn answer(&self, mut request: Request) -> Response {
        let html = wants_html(request.headers());
        let path = self.socket_path(&mut request);
        let response = match &self.http {
            Some(http) => http.call(request).await,
            None => no_route(None, html),
        };
        let unserved = response.extensions().get::<NoRoute>().is_some();
        match path {
            Some(path) if unserved && self.socket_matches(&path) => upgrade_required(html),
            _ if html => refusal_page(response),
            _ => response,
        }
    }

    /// The path on which a request may have meant a socket.
    fn socket_path(&self, request: &mut Request) -> Option<String> {
        if self.socket_routes.is_empty() || request.method() != Method::GET {
            return None;
        }
        own_path(request.scope_mut()).map(str::to_owned)
    }

    /// Whether a socket route takes this path (decoded, and below `root_path` where there is one).
    pub fn socket_matches(&self, path: &str) -> bool {
        self.socket_routes.iter().any(|route| route.matches_socket(path))
    }

    /// Gives a connection to the application for its scope's type.
    ///
    /// # Errors
    /// The application's [`Refusal`]. A WebSocket without an application is [`Refusal::NotFound`]; any other type
    /// without one is a refusal (500) whose detail names the type and the configured ones.
    ///
    /// # Cancel safety
    /// Dropping the future drops the connection unanswered.
    pub fn call(&self, connection: Connection) -> BoxFuture<'static, Result<(), Refusal>> {
        let protocol = &connection.scope().protocol;
        if let Some(application) = self.connections.get(protocol) {
            return application.call(connection);
        }
        let refusal = if *protocol == Protocol::WEBSOCKET {
            Refusal::NotFound(Box::new(connection))
        } else {
            let known = self.protocols().map(Protocol::as_str).collect::<Vec<_>>().join(", ");
            not_configured(format!(
                "No application configured for scope type '{}'; configured: {known}",
                protocol.as_str()
            ))
        };
        Box::pin(ready(Err(refusal)))
    }

    /// The types that have an application.
    pub fn protocols(&self) -> impl Iterator<Item = &Protocol> {
        let http = self.http.is_some().then_some(&Protocol::HTTP);
        http.into_iter().chain(self.connections.keys())
    }

    /// The names of all routes, views and sockets alike.
    ///
    /// # Errors
    /// [`RouteError::DuplicateName`] when two routes have one name.
    pub fn names(&self) -> Result<Names, RouteError> {
        Names::new(self.routes())
    }
}

/// A refusal for a part of the application that was never configured: the program's fault, not the client's.
pub(super) fn not_configured(detail: String) -> Refusal {
    Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "configuration", "Something went wrong here.")
        .with_detail(detail)
}

fn upgrade_required(html: bool) -> Response {
    let text = "This address speaks WebSocket: a handshake with an Upgrade header was expected, and none came. \
                If a WebSocket client sent this, a proxy in front of the server may have dropped the Upgrade header.";
    let mut response = page(StatusCode::UPGRADE_REQUIRED, text, None, html);
    let headers = response.headers_mut();
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    response
}

impl Service<Connection> for ProtocolTypeRouter {
    type Response = ();
    type Error = Refusal;
    type Future = BoxFuture<'static, Result<(), Refusal>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Refusal>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, connection: Connection) -> Self::Future {
        Self::call(self, connection)
    }
}

impl Service<Request> for ProtocolTypeRouter {
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let answer = self.call_http(request);
        Box::pin(async move { Ok(answer.await) })
    }
}

impl Routes for ProtocolTypeRouter {
    fn routes(&self) -> Vec<RouteInfo> {
        let http = self.http.iter().flat_map(Routes::routes);
        http.chain(self.connections.values().flat_map(Routes::routes)).collect()
    }
}
