//! Applications that note what reached them, and connections that nobody answers.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use solent::routing::{RouteInfo, Routes};
use solent::websocket::{Acceptance, Accepted, Connection, Refusal, Transport};
use solent::{Error, Protocol, Scope, Scoped};
use tower::{Service, ServiceExt};

/// A transport that never answers.
pub(crate) struct Nobody;

impl Transport for Nobody {
    fn accept(self: Box<Self>, _: Acceptance) -> Result<Accepted, Error> {
        Err(Error::msg("nobody is there"))
    }
}

pub(crate) fn connection(scope: Scope) -> Connection {
    Connection::new(scope, Nobody)
}

pub(crate) fn websocket(path: &str) -> Connection {
    connection(Scope::new(Protocol::WEBSOCKET, path))
}

/// An application that keeps the scope of the last connection.
#[derive(Clone, Default)]
pub(crate) struct Seen(Arc<Mutex<Option<Scope>>>);

impl Seen {
    pub(crate) fn take(&self) -> Option<Scope> {
        self.0.lock().unwrap().take()
    }
}

impl Service<Connection> for Seen {
    type Response = ();
    type Error = Refusal;
    type Future = Ready<Result<(), Refusal>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Refusal>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, connection: Connection) -> Self::Future {
        *self.0.lock().unwrap() = Some(connection.scope().clone());
        ready(Ok(()))
    }
}

impl Routes for Seen {}

/// Middleware that writes all over the scope.
#[derive(Clone)]
pub(crate) struct Scribbles<S>(pub(crate) S);

impl<S: Service<Connection>> Service<Connection> for Scribbles<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, mut connection: Connection) -> S::Future {
        let scope = connection.scope_mut();
        scope.scheme = "wss".into();
        scope.subprotocols.push("scribble".to_owned());
        scope.extensions.insert("scribble");
        self.0.call(connection)
    }
}

impl<S: Routes> Routes for Scribbles<S> {
    fn routes(&self) -> Vec<RouteInfo> {
        self.0.routes()
    }

    fn is_router(&self) -> bool {
        self.0.is_router()
    }
}

/// Sends a connection through and gives the outcome.
pub(crate) async fn send<S>(application: &S, connection: Connection) -> Result<(), Refusal>
where
    S: Service<Connection, Response = (), Error = Refusal> + Clone,
{
    application.clone().oneshot(connection).await
}

/// The connection that a router gave back, or a panic that says what happened instead.
pub(crate) fn given_back(outcome: Result<(), Refusal>) -> Box<Connection> {
    match outcome {
        Err(Refusal::NotFound(connection)) => connection,
        other => panic!("expected the connection back, found {other:?}"),
    }
}

pub(crate) type Never = Infallible;
