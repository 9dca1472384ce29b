//! `mount`: services that are not Solent's own, with no routes to tell of.

use std::task::{Context, Poll};

use tower::Service;

use super::Routes;

/// A service that is not Solent's own. Made by [`mount`].
#[derive(Debug, Clone)]
pub struct Mount<S>(S);

/// Wraps any tower service, so that it can stand where Solent asks for [`Routes`]: an axum `Router`, a file server, a
/// middleware from elsewhere.
///
/// ```
/// use solent::routing::{ProtocolTypeRouter, mount};
/// let hello = tower::service_fn(|_: solent::http::Request| async {
///     Ok::<_, std::convert::Infallible>(http::Response::new(String::from("hello")))
/// });
/// let app = ProtocolTypeRouter::new().http(mount(hello));
/// ```
pub fn mount<S>(service: S) -> Mount<S> {
    Mount(service)
}

impl<S> Routes for Mount<S> {}

impl<R, S: Service<R>> Service<R> for Mount<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: R) -> S::Future {
        self.0.call(request)
    }
}
