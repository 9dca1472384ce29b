//! A server without listeners: a tower service inside another program's server, and a server of single streams.

use std::convert::Infallible;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use ::http::Request;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http_body::Body as HttpBody;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_util::task::TaskTracker;
use tower::Service;

use super::activity::Activity;
use super::builder::{Hook, Parts, ServeError, Server};
use super::connection::Serving;
use super::drain::{Phase, drain};
use super::permits::{Permit, Permits};
use super::request::Peer;
use super::running::{Running, run_hooks};
use crate::Environment;
use crate::http::{Body, BodyError, Response};

/// A started server without listeners: a `tower::Service` for requests that a host program has read, and a server for
/// streams that it has accepted. Cheap to clone; clones are one server.
///
/// As a service it stands wherever `http::Request`s go: as axum's `fallback_service`, behind one route of it, or as
/// hyper's own service. Upgrades go through the host's connection, which must allow them; axum's does. The limits on
/// heads and idle connections are then the host's; all others are kept here.
///
/// The host ends it: [`shutdown`](Self::shutdown) drains what is open.
///
/// # Examples
/// ```
/// use solent::layers::MemoryChannelLayer;
/// use solent::routing::ProtocolTypeRouter;
/// use solent::server::{ServeError, Server};
///
/// async fn program(app: ProtocolTypeRouter) -> Result<axum::Router, ServeError> {
///     let solent = Server::new(app).channel_layer(MemoryChannelLayer::new()).embed().await?;
///     Ok(axum::Router::new().fallback_service(solent))
/// }
/// ```
#[derive(Clone)]
pub struct Embedded(Arc<Inner>);

struct Inner {
    env: Arc<Environment>,
    serving: Arc<Serving>,
    permits: Arc<Permits>,
    /// Requests of the host's connections have no place of their own here.
    permit: Arc<Permit>,
    phase: watch::Sender<Phase>,
    tasks: TaskTracker,
    shutdown: Mutex<Vec<Hook>>,
    /// Stops accepting when it is dropped.
    admin: Mutex<Option<Running>>,
}

/// The client's address, told by a host program in a request's extensions, since only it has seen the connection.
///
/// In axum: `request.extensions_mut().insert(ClientAddress(connect_info.0))` in a middleware in front.
///
/// ```
/// use axum::extract::{ConnectInfo, Request};
/// use axum::middleware::Next;
/// use axum::response::Response;
/// use solent::server::ClientAddress;
///
/// /// Stands in front: `router.layer(axum::middleware::from_fn(tell_address))`.
/// async fn tell_address(mut request: Request, next: Next) -> Response {
///     if let Some(&ConnectInfo(address)) = request.extensions().get() {
///         request.extensions_mut().insert(ClientAddress(address));
///     }
///     next.run(request).await
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddress(pub SocketAddr);

impl Server {
    /// Starts without listeners, inside another program. Addresses and listeners of this builder are left alone, but
    /// for the admin listener.
    ///
    /// # Errors
    /// [`ServeError`]: what kept the server from starting.
    ///
    /// # Cancel safety
    /// What start-up hooks have done when the future is dropped stands.
    pub async fn embed(mut self) -> Result<Embedded, ServeError> {
        let env = self.begin().await?;
        self.start_workers(&env).await?;
        let shutdown = Mutex::new(std::mem::take(&mut self.shutdown));
        let Parts { phase, permits, serving, admin } = self.into_parts(&env).await?;
        let place = permits.place().await;
        let Some(permit) = permits.admit(place, None) else {
            return Err(ServeError::Startup("the limit `connections` leaves no place".to_owned()));
        };
        let permit = Arc::new(permit);
        let tasks = TaskTracker::new();
        let admin = Mutex::new(admin);
        Ok(Embedded(Arc::new(Inner { env, serving, permits, permit, phase, tasks, shutdown, admin })))
    }
}

impl Embedded {
    /// What all connections share.
    pub fn env(&self) -> &Arc<Environment> {
        &self.0.env
    }

    /// Serves one stream that the host has accepted, of whatever kind it is: HTTP/1.1 or HTTP/2, and WebSockets over
    /// both. Waits for a place under the limit `connections` first, and ends with the connection; upgraded sockets live
    /// on. `secure` says whether the client's side is encrypted.
    ///
    /// # Cancel safety
    /// Dropping the future drops the connection, unless it was upgraded.
    pub async fn serve_stream<T>(&self, stream: T, client: Option<SocketAddr>, secure: bool)
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let place = self.0.permits.place().await;
        // An address that has its share is dropped: nothing was said yet that could be answered.
        let Some(permit) = self.0.permits.admit(place, client.map(|client| client.ip())) else { return };
        let serving = Arc::clone(&self.0.serving);
        let served = serving.serve(stream, client, None, secure, Arc::new(permit));
        self.0.tasks.track_future(served).await;
    }

    /// Drains: refuses new upgrades, closes sockets within `drain_time`, waits for the streams that it serves, and
    /// runs the shutdown hooks, once. Requests that the host still hands over are answered.
    ///
    /// # Errors
    /// A shutdown hook's; all hooks run whatever happens.
    ///
    /// # Cancel safety
    /// Dropping the future stops waiting; what was told to end goes on ending.
    pub async fn shutdown(&self) -> Result<(), ServeError> {
        drain(&self.0.env, &self.0.phase, &self.0.tasks).await;
        let hooks = std::mem::take(&mut *self.0.shutdown.lock().unwrap_or_else(PoisonError::into_inner));
        let outcome = run_hooks(hooks, &self.0.env).await;
        self.0.admin.lock().unwrap_or_else(PoisonError::into_inner).take();
        outcome
    }

    fn peer<B>(&self, request: &Request<B>) -> Peer {
        Peer {
            client: request.extensions().get::<ClientAddress>().map(|client| client.0),
            server: None,
            secure: request.uri().scheme_str() == Some("https"),
            permit: Arc::clone(&self.0.permit),
            activity: Arc::new(Activity::new()),
        }
    }
}

impl<B> Service<Request<B>> for Embedded
where
    B: HttpBody<Data = Bytes, Error: Into<BodyError>> + Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let peer = Arc::new(self.peer(&request));
        let handler = self.0.serving.current.get();
        // The kind of stream is the host's secret; the upgrade finds TCP by itself.
        Box::pin(handler.handle::<TcpStream, Body>(request.map(Body::new), peer))
    }
}

impl fmt::Debug for Embedded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Embedded").field("sockets", &self.0.env.sockets.len()).finish_non_exhaustive()
    }
}
