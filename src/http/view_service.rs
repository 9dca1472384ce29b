//! A view as a tower service, for middleware around one route.

use std::convert::Infallible;
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use tower::Service;

use super::body::{Request, Response};
use super::failure::Asked;
use super::view::{BoxedView, attempt, caught};
use crate::routing::Routes;

/// A view as a tower service: what the middleware of a single route stands around. A view's error is answered here,
/// so that the middleware sees a response.
///
/// A view inside the middleware of a tower of one's own:
///
/// ```
/// use solent::http::{BoxedView, ViewService, text};
/// use solent::middleware::LoginRequiredLayer;
/// use tower::Layer;
///
/// let view = BoxedView::new(|_| Box::pin(async { Ok(text("for members")) }));
/// let service = LoginRequiredLayer::new("/login/").layer(ViewService::new(view));
/// ```
#[derive(Debug, Clone)]
pub struct ViewService(BoxedView);

impl ViewService {
    /// The service of a view.
    pub fn new(view: BoxedView) -> Self {
        Self(view)
    }
}

impl Service<Request> for ViewService {
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let asked = Asked::of(&request);
        let answer = attempt(|| self.0.ask(request));
        Box::pin(async move { Ok(caught(answer).await.unwrap_or_else(|error| asked.failed(error))) })
    }
}

impl Routes for ViewService {}
