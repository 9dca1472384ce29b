//! Sessions for everything below: the cookie's session in the scope, saved with the answer.

use std::sync::Arc;
use std::task::{Context, Poll};

use ::http::{HeaderMap, HeaderValue, header};
use futures_util::future::BoxFuture;
use tower::{Layer, Service};

use super::outcome::Outcome;
use super::{Cookies, pass_routes_on};
use crate::Scoped;
use crate::auth::{Session, SessionError, SessionSettings, SessionStore};
use crate::websocket::Denial;

/// Puts the session into the scope. For views it saves what changed, unless the server failed, and sets or takes away
/// the cookie; a response that depends on the session says so with `Vary: Cookie`. In a consumer the cookie goes with
/// the answer to the handshake. Channels: `SessionMiddleware`.
///
/// A session that stands in the scope already stays.
///
/// ```
/// use solent::auth::MemorySessions;
/// use solent::middleware::SessionLayer;
///
/// let layer = SessionLayer::new(MemorySessions::new());
/// ```
#[derive(Debug, Clone)]
pub struct SessionLayer {
    store: Arc<dyn SessionStore>,
    settings: Arc<SessionSettings>,
}

impl SessionLayer {
    /// Sessions in `store`, with Django's settings.
    pub fn new(store: impl SessionStore) -> Self {
        Self { store: Arc::new(store), settings: Arc::default() }
    }

    /// Other settings.
    ///
    ///
    ///
    /// ```
    /// use std::time::Duration;
    /// use solent::auth::{MemorySessions, SessionSettings};
    /// use solent::middleware::SessionLayer;
    ///
    /// let mut settings = SessionSettings::default();
    /// settings.cookie_age = Duration::from_secs(86_400);
    /// let layer = SessionLayer::new(MemorySessions::new()).with_settings(settings);
    /// ```
    #[must_use]
    pub fn with_settings(self, settings: SessionSettings) -> Self {
        Self { settings: Arc::new(settings), ..self }
    }

    /// The session of a request or handshake.
    fn session(&self, request: &impl Scoped) -> Session {
        let scope = request.scope();
        let name = &self.settings.cookie_name;
        // It works without a cookie layer in front, too.
        let read = if scope.cookies.is_empty() {
            Cookies::from_headers(request.headers())
        } else {
            Cookies::default()
        };
        let key = scope.cookies.get(name).or_else(|| read.get(name));
        Session::new(Arc::clone(&self.store), Arc::clone(&self.settings), key).over_tls(scope.is_secure())
    }
}

impl<S> Layer<S> for SessionLayer {
    type Service = SessionKeeper<S>;

    fn layer(&self, inner: S) -> SessionKeeper<S> {
        SessionKeeper { inner, layer: self.clone() }
    }
}

/// The service of [`SessionLayer`].
#[derive(Debug, Clone)]
pub struct SessionKeeper<S> {
    inner: S,
    layer: SessionLayer,
}

impl<S, R> Service<R> for SessionKeeper<S>
where
    R: Scoped,
    S: Service<R, Response: Outcome<S::Error> + Send, Error: Send, Future: Send + 'static>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<S::Response, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: R) -> Self::Future {
        if request.scope().session.is_present() {
            return Box::pin(self.inner.call(request));
        }
        let session = self.layer.session(&request);
        request.scope_mut().session = session.clone();
        let answer = self.inner.call(request);
        Box::pin(async move { finish(session, answer.await?).await })
    }
}

pass_routes_on!(SessionKeeper);

async fn finish<T: Outcome<E>, E>(session: Session, mut outcome: T) -> Result<T, E> {
    // An accepted connection: its consumer has done this when it accepted.
    let Some(status) = outcome.status() else { return Ok(outcome) };
    let accessed = session.is_accessed();
    let cookie = match session.commit_response(status).await {
        Ok(cookie) => cookie,
        Err(error) => return T::refused(denial(&error)),
    };
    if let Some(headers) = outcome.headers_mut() {
        if accessed {
            vary_on(headers, "Cookie");
        }
        if let Some(cookie) = cookie {
            headers.append(header::SET_COOKIE, cookie);
        }
    }
    Ok(outcome)
}

/// The answer to a session that cannot be saved.
pub(super) fn denial(error: &SessionError) -> Denial {
    let status = error.status();
    let text = match error {
        SessionError::Unavailable(_) => "Service unavailable.",
        SessionError::Deleted => "The session was deleted before the request completed.",
        _ => "Internal server error.",
    };
    if status.is_server_error() {
        tracing::error!(%error, "a session failed");
    }
    Denial::new(status, "session", text).with_detail(error.to_string())
}

/// Adds a request header to what the response varies on.
pub(crate) fn vary_on(headers: &mut HeaderMap, name: &'static str) {
    let named = |value: &HeaderValue| {
        let text = value.to_str().unwrap_or_default();
        text.split(',').any(|found| found.trim() == "*" || found.trim().eq_ignore_ascii_case(name))
    };
    if !headers.get_all(header::VARY).iter().any(named) {
        headers.append(header::VARY, HeaderValue::from_static(name));
    }
}
