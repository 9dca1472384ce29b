//! Users for everything below: the session's user in the scope. And the whole stack of cookies, session and user.

use std::task::{Context, Poll};

use ::http::{HeaderMap, StatusCode, header};
use futures_util::future::BoxFuture;
use tower::layer::util::{Identity, Stack};
use tower::{Layer, Service, ServiceBuilder};

use super::outcome::Outcome;
use super::sessions::vary_on;
use super::{CookieLayer, SessionLayer, pass_routes_on, take_ready};
use crate::auth::{Auth, AuthError, bears_token};
use crate::websocket::Denial;
use crate::{Scope, Scoped};

/// Puts the session's user into the scope, where `login` and `logout` find what they need as well.
/// Channels: `AuthMiddleware`.
///
/// A token that [`BearerLayer`](super::BearerLayer) has verified further out goes before the session.
///
/// A session that names nobody, or whose user is gone, inactive or has another password, is anonymous. While the
/// database is away, requests and handshakes that bear a session are answered with 503.
///
/// Alone, where the session comes from elsewhere; [`auth_stack`] brings all three:
///
/// ```
/// use solent::auth::{Auth, MemorySessions};
/// use solent::middleware::{AuthLayer, CookieLayer, SessionLayer};
/// use tower::ServiceBuilder;
///
/// fn stack(auth: Auth) -> ServiceBuilder<impl Sized> {
///     ServiceBuilder::new()
///         .layer(CookieLayer::new())
///         .layer(SessionLayer::new(MemorySessions::new()))
///         .layer(AuthLayer::new(auth))
/// }
/// ```
#[derive(Debug, Clone)]
pub struct AuthLayer(Auth);

impl AuthLayer {
    /// Users by `auth`.
    pub fn new(auth: Auth) -> Self {
        Self(auth)
    }
}

impl<S> Layer<S> for AuthLayer {
    type Service = Authenticator<S>;

    fn layer(&self, inner: S) -> Authenticator<S> {
        Authenticator { inner, auth: self.0.clone() }
    }
}

/// The service of [`AuthLayer`].
#[derive(Debug, Clone)]
pub struct Authenticator<S> {
    inner: S,
    auth: Auth,
}

impl<S, R> Service<R> for Authenticator<S>
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
        let auth = self.auth.clone();
        Box::pin(async move {
            if let Err(error) = admit(&auth, request.scope_mut()).await {
                return S::Response::refused(denial(&error));
            }
            let mut outcome = inner.call(request).await?;
            if let Some(headers) = outcome.headers_mut().filter(|headers| !is_public(headers)) {
                vary_on(headers, "Cookie");
            }
            Ok(outcome)
        })
    }
}

pass_routes_on!(Authenticator);

async fn admit(auth: &Auth, scope: &mut Scope) -> Result<(), AuthError> {
    if !scope.session.is_present() {
        return Err(crate::auth::SessionError::NoMiddleware.into());
    }
    let resolved = if bears_token(scope) { Ok(()) } else { auth.resolve(scope).await };
    scope.session.forget_access();
    scope.auth = Some(auth.clone());
    resolved
}

/// The answer while users cannot be found out.
pub(super) fn denial(error: &AuthError) -> Denial {
    let status = error.status();
    let text = if status == StatusCode::SERVICE_UNAVAILABLE {
        "Service unavailable."
    } else {
        "Internal server error."
    };
    tracing::error!(error = %crate::Error::msg(error.to_string()).chain(), "a user could not be found out");
    Denial::new(status, "user", text).with_detail(error.to_string())
}

/// A response that calls itself public, such as a static file, depends on no user.
pub(super) fn is_public(headers: &HeaderMap) -> bool {
    headers.get_all(header::CACHE_CONTROL).iter().any(|value| {
        let text = value.to_str().unwrap_or_default();
        text.split(',').any(|directive| directive.trim().eq_ignore_ascii_case("public"))
    })
}

/// Cookies, session and user, from the outside in.
pub type AuthStack = Stack<AuthLayer, Stack<SessionLayer, Stack<CookieLayer, Identity>>>;

/// Cookies, session and user in one layer: Channels' `AuthMiddlewareStack`. The same one serves views and sockets.
///
/// ```
/// use solent::auth::{Auth, AuthSettings, Database, DatabaseSessions, DatabaseUsers, SecretKeys};
/// use solent::middleware::{AuthStack, SessionLayer, auth_stack};
///
/// fn stack(database: Database, keys: SecretKeys) -> AuthStack {
///     let sessions = SessionLayer::new(DatabaseSessions::new(database.clone(), keys.clone()));
///     let auth = Auth::new(DatabaseUsers::new(database), keys, AuthSettings::default());
///     auth_stack(sessions, auth)
/// }
/// ```
pub fn auth_stack(sessions: SessionLayer, auth: Auth) -> AuthStack {
    ServiceBuilder::new().layer(CookieLayer::new()).layer(sessions).layer(AuthLayer::new(auth)).into_inner()
}

/// Cookies and session in one layer: Channels' `SessionMiddlewareStack`.
pub fn session_stack(sessions: SessionLayer) -> Stack<SessionLayer, Stack<CookieLayer, Identity>> {
    ServiceBuilder::new().layer(CookieLayer::new()).layer(sessions).into_inner()
}
