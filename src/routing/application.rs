//! WebSocket applications as routers hold them: any service over connections, boxed.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use tower::{Service, ServiceExt};

use super::{RouteInfo, Routes};
use crate::websocket::{Connection, Refusal};

/// What can stand behind a socket route: a consumer, a router, or either inside middleware.
///
/// It is implemented for every cloneable `tower::Service<Connection, Response = (), Error = Refusal>` that tells of
/// its [`Routes`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an application for connections",
    note = "it must be a `tower::Service<Connection, Response = (), Error = Refusal>` with `Send` futures, \
            `Clone + Send + Sync`, and implement `Routes` (wrap a foreign one in `solent::routing::mount`)"
)]
pub trait Application:
    Service<Connection, Response = (), Error = Refusal, Future: Send> + Routes + Clone + Send + Sync + 'static
{
}

impl<S> Application for S where
    S: Service<Connection, Response = (), Error = Refusal, Future: Send>
        + Routes
        + Clone
        + Send
        + Sync
        + 'static
{
}

/// An [`Application`] of any type. Cheap to clone.
#[derive(Clone)]
pub struct BoxedApplication(Arc<dyn Erased>);

trait Erased: Routes + Send + Sync {
    fn call(&self, connection: Connection) -> BoxFuture<'static, Result<(), Refusal>>;
}

impl<S: Application> Erased for S {
    fn call(&self, connection: Connection) -> BoxFuture<'static, Result<(), Refusal>> {
        Box::pin(self.clone().oneshot(connection))
    }
}

impl BoxedApplication {
    /// Boxes an application.
    pub fn new(application: impl Application) -> Self {
        Self(Arc::new(application))
    }

    /// Gives the connection to the application.
    ///
    /// # Errors
    /// The application's [`Refusal`].
    ///
    /// # Cancel safety
    /// Dropping the future drops the connection unanswered.
    pub fn call(&self, connection: Connection) -> BoxFuture<'static, Result<(), Refusal>> {
        self.0.call(connection)
    }
}

impl Service<Connection> for BoxedApplication {
    type Response = ();
    type Error = Refusal;
    type Future = BoxFuture<'static, Result<(), Refusal>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Refusal>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, connection: Connection) -> Self::Future {
        self.0.call(connection)
    }
}

impl Routes for BoxedApplication {
    fn routes(&self) -> Vec<RouteInfo> {
        self.0.routes()
    }

    fn is_router(&self) -> bool {
        self.0.is_router()
    }
}

impl fmt::Debug for BoxedApplication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoxedApplication").field("routes", &self.routes()).finish()
    }
}
