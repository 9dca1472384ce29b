//! HTTP applications as routers hold them: any tower service over requests, boxed.

use std::any::Any;
use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use futures_util::future::{BoxFuture, Either, NeverError};
use futures_util::{FutureExt as _, TryFutureExt as _};
use http_body::Body as HttpBody;
use tower::util::Oneshot;
use tower::{Service, ServiceExt};

use super::body::{Body, BodyError, Request, Response};
use super::failure::Asked;
use super::view::{attempt, caught};
use crate::Error;
use crate::routing::{RouteInfo, Routes};

/// What can serve HTTP: a [`ViewRouter`](crate::routing::ViewRouter), middleware around one, or any tower service
/// over `http` types in [`mount`](crate::routing::mount).
///
/// It is implemented for every cloneable service that takes a [`Request`] and answers with a body of bytes `B`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an HTTP application",
    note = "it must be a `tower::Service<http::Request<solent::http::Body>>` that answers with an \
            `http::Response`, with `Send` futures, `Clone + Send + Sync`, and implement `Routes` \
            (wrap a foreign one in `solent::routing::mount`)"
)]
pub trait HttpApplication<B>:
    Service<Request, Response = ::http::Response<B>, Error: Into<BodyError>, Future: Send>
    + Routes
    + Clone
    + Send
    + Sync
    + 'static
{
}

impl<S, B> HttpApplication<B> for S where
    S: Service<Request, Response = ::http::Response<B>, Error: Into<BodyError>, Future: Send>
        + Routes
        + Clone
        + Send
        + Sync
        + 'static
{
}

/// An [`HttpApplication`] of any type. Cheap to clone. An error or a panic of the service becomes a
/// 500 page and a log entry.
#[derive(Clone)]
pub struct BoxedHttp(Arc<dyn Erased>);

trait Erased: Send + Sync {
    fn call(&self, request: Request) -> BoxFuture<'static, Response>;
    fn routes(&self) -> &dyn Routes;
}

struct Holder<S, B>(S, std::marker::PhantomData<fn() -> B>);

impl<S, B> Erased for Holder<S, B>
where
    S: HttpApplication<B>,
    B: HttpBody<Data = Bytes, Error: Into<BodyError>> + Send + 'static,
{
    fn call(&self, request: Request) -> BoxFuture<'static, Response> {
        let asked = Asked::of(&request);
        let service = self.0.clone();
        let answer = attempt(|| oneshot(service, request).map_err(|error| Error::boxed(error.into())));
        Box::pin(async move {
            caught(answer).await.map_or_else(|error| asked.failed(error), |response| response.map(Body::new))
        })
    }

    fn routes(&self) -> &dyn Routes {
        &self.0
    }
}

/// Asks a service once it is ready. Most always are, and are asked at once: a future that waited for them would have to
/// hold the request.
fn oneshot<S: Service<Request>>(mut service: S, request: Request) -> Either<S::Future, Oneshot<S, Request>> {
    match service.poll_ready(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(())) => Either::Left(service.call(request)),
        // It is asked anew, and says its error or whom to wake.
        Poll::Ready(Err(_)) | Poll::Pending => Either::Right(service.oneshot(request)),
    }
}

impl BoxedHttp {
    /// Boxes an application.
    pub fn new<B>(application: impl HttpApplication<B>) -> Self
    where
        B: HttpBody<Data = Bytes, Error: Into<BodyError>> + Send + 'static,
    {
        // One of ours would only gain a second box.
        if let Some(own) = (&application as &dyn Any).downcast_ref::<Self>() {
            return own.clone();
        }
        Self(Arc::new(Holder(application, std::marker::PhantomData)))
    }

    /// Gives the request to the application.
    ///
    /// # Cancel safety
    /// Dropping the future drops the application's work, as when a client leaves.
    pub fn call(&self, request: Request) -> BoxFuture<'static, Response> {
        self.0.call(request)
    }
}

impl Service<Request> for BoxedHttp {
    type Response = Response;
    type Error = Infallible;
    type Future = NeverError<BoxFuture<'static, Response>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        self.0.call(request).never_error()
    }
}

impl Routes for BoxedHttp {
    fn routes(&self) -> Vec<RouteInfo> {
        self.0.routes().routes()
    }

    fn is_router(&self) -> bool {
        self.0.routes().is_router()
    }
}

impl fmt::Debug for BoxedHttp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoxedHttp").field("routes", &self.0.routes().routes()).finish()
    }
}
