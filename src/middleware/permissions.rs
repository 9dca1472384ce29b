//! Only for users with a permission: 403 for the others, and for open sockets the question again and again.

use std::sync::Arc;
use std::task::{Context, Poll};

use ::http::StatusCode;
use futures_util::future::BoxFuture;
use tower::{Layer, Service};

use super::outcome::Outcome;
use super::{pass_routes_on, take_ready};
use crate::auth::{Ask, Permission, guard, status_of};
use crate::websocket::Denial;
use crate::{Error, Scoped};

/// Lets only users in who have a permission; the others get a 403. It stands behind the router, where the route's
/// captures are known, and behind [`LoginRequiredLayer`](super::LoginRequiredLayer) where anonymous visitors shall
/// be led to the login page instead.
///
/// While a socket is open the permission is asked again, in batches; when it has been withdrawn the socket is closed
/// with 4403.
#[derive(Debug, Clone)]
pub struct PermissionLayer(Arc<dyn Permission>);

impl PermissionLayer {
    /// Asks `permission`.
    pub fn new(permission: impl Permission) -> Self {
        Self(Arc::new(permission))
    }
}

impl<S> Layer<S> for PermissionLayer {
    type Service = PermissionCheck<S>;

    fn layer(&self, inner: S) -> PermissionCheck<S> {
        PermissionCheck { inner, permission: Arc::clone(&self.0) }
    }
}

/// The service of [`PermissionLayer`].
#[derive(Debug, Clone)]
pub struct PermissionCheck<S> {
    inner: S,
    permission: Arc<dyn Permission>,
}

impl<S, R> Service<R> for PermissionCheck<S>
where
    R: Scoped + Send + 'static,
    S: Service<R, Response: Outcome<S::Error>, Future: Send> + Clone + Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<S::Response, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: R) -> Self::Future {
        let mut inner = take_ready(&mut self.inner);
        let permission = Arc::clone(&self.permission);
        Box::pin(async move {
            let ask = Ask::new(request.scope().user.clone(), request.scope().url_route.kwargs.clone());
            match permission.allowed(std::slice::from_ref(&ask)).await {
                Ok(allowed) if allowed == [true] => {}
                Ok(_) => return S::Response::refused(forbidden(&*permission, &ask)),
                Err(error) => return S::Response::refused(failed(&*permission, &error)),
            }
            guard(request.scope_mut(), permission);
            inner.call(request).await
        })
    }
}

pass_routes_on!(PermissionCheck);

fn forbidden(permission: &dyn Permission, ask: &Ask) -> Denial {
    let detail = format!("{:?} does not have the permission {:?}", ask.user.username(), permission.name());
    tracing::info!("refused: {detail}");
    Denial::new(StatusCode::FORBIDDEN, "permission", "Access denied.").with_detail(detail)
}

fn failed(permission: &dyn Permission, error: &Error) -> Denial {
    let chain = error.chain();
    tracing::error!(permission = permission.name(), error = chain, "a permission could not be asked");
    match status_of(error) {
        Some(StatusCode::SERVICE_UNAVAILABLE) => {
            Denial::new(StatusCode::SERVICE_UNAVAILABLE, "permission", "Service unavailable.")
        }
        Some(StatusCode::NOT_FOUND) => Denial::new(StatusCode::NOT_FOUND, "permission", "Not found."),
        _ => Denial::new(StatusCode::INTERNAL_SERVER_ERROR, "permission", "Internal server error."),
    }
    .with_detail(chain)
}
