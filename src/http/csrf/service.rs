//! The middleware.

use std::sync::Arc;
use std::task::{Context, Poll};

use ::http::{Method, StatusCode, header};
use futures_util::future::BoxFuture;
use tower::{Layer, Service};

use super::check::{Forged, check_source, check_token, is_safe};
use super::form;
use super::handle::CsrfToken;
use super::settings::CsrfSettings;
use super::token::Secret;
use crate::auth::Session;
use crate::http::{HttpError, Request};
use crate::middleware::{Cookies, Outcome, take_ready, vary_on};
use crate::routing::{RouteInfo, Routes, is_csrf_exempt};
use crate::websocket::Denial;
use crate::{Error, Scoped};

/// The session's entry that holds the secret, where the session does.
const ENTRY: &str = "_csrftoken";

/// Refuses (403) requests that change something and do not come from the site's own pages.
///
/// It stands around the view router and inside the session's middleware. Templates get `csrf_token` and `csrf_input`;
/// a route that others may post to says so by [`csrf_exempt`](crate::routing::Route::csrf_exempt).
///
/// ```
/// use solent::http::{CsrfLayer, Request};
/// use solent::routing::{ViewRouter, path};
/// use tower::Layer;
///
/// async fn webhook(_: Request) -> &'static str {
///     "thank you"
/// }
/// let views = ViewRouter::new([path("webhook/", webhook).csrf_exempt()])?;
/// let protected = CsrfLayer::new().layer(views);
/// # Ok::<_, solent::routing::RouteError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct CsrfLayer(Arc<CsrfSettings>);

impl CsrfLayer {
    /// Protection with Django's settings.
    pub fn new() -> Self {
        Self::default()
    }

    /// Protection with other settings.
    pub fn with_settings(settings: CsrfSettings) -> Self {
        Self(Arc::new(settings))
    }
}

impl<S: Routes> Layer<S> for CsrfLayer {
    type Service = CsrfCheck<S>;

    fn layer(&self, inner: S) -> CsrfCheck<S> {
        let routes = inner.routes();
        let exemptions = if routes.iter().any(|route| route.csrf_exempt) { routes } else { Vec::new() };
        CsrfCheck { inner, settings: Arc::clone(&self.0), exemptions: exemptions.into() }
    }
}

/// The service of [`CsrfLayer`].
#[derive(Debug, Clone)]
pub struct CsrfCheck<S> {
    inner: S,
    settings: Arc<CsrfSettings>,
    /// All routes below, when one of them is exempt.
    exemptions: Arc<[RouteInfo]>,
}

impl<S> Service<Request> for CsrfCheck<S>
where
    S: Service<Request, Response: Outcome<S::Error> + Send, Error: Send, Future: Send>
        + Clone
        + Send
        + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<S::Response, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let mut inner = take_ready(&mut self.inner);
        let settings = Arc::clone(&self.settings);
        let exempt = is_safe(request.method()) || is_csrf_exempt(&self.exemptions, request.scope_mut());
        Box::pin(async move {
            let session = request.scope().session.clone();
            let over_tls = request.scope().is_secure();
            let cookie = cookie_of(&request, &settings);
            let token = match presented(cookie, &session, &settings).await {
                Ok(secret) => CsrfToken::new(secret),
                Err(error) => return S::Response::refused(denial_of(&error)),
            };
            // A browser sends its cookies for any page that asks, and a token for none.
            let exempt = exempt || crate::auth::bears_token(request.scope());
            if !exempt && let Err(denial) = check(&mut request, &token, &settings).await {
                return S::Response::refused(denial);
            }
            request.scope_mut().extensions.insert(token.clone());
            let mut outcome = inner.call(request).await?;
            match send(&token, &session, &settings, over_tls, &mut outcome).await {
                Ok(()) => Ok(outcome),
                Err(error) => S::Response::refused(denial_of(&error)),
            }
        })
    }
}

impl<S: Routes> Routes for CsrfCheck<S> {
    fn routes(&self) -> Vec<RouteInfo> {
        self.inner.routes()
    }

    fn is_router(&self) -> bool {
        self.inner.is_router()
    }
}

fn cookie_of(request: &Request, settings: &CsrfSettings) -> Option<String> {
    let cookies = &request.scope().cookies;
    // It works without a cookie layer in front, too.
    let read = if cookies.is_empty() { Cookies::from_headers(request.headers()) } else { Cookies::default() };
    cookies.get(&settings.cookie_name).or_else(|| read.get(&settings.cookie_name)).map(str::to_owned)
}

/// The secret that the client presents. A malformed one is none; it is replaced when a page next asks for a token.
async fn presented(
    cookie: Option<String>,
    session: &Session,
    settings: &CsrfSettings,
) -> Result<Option<Secret>, Error> {
    let text = if settings.use_sessions { session.get::<String>(ENTRY).await? } else { cookie };
    Ok(text.and_then(|text| Secret::parse(&text).ok()))
}

async fn check(request: &mut Request, token: &CsrfToken, settings: &CsrfSettings) -> Result<(), Denial> {
    check_source(request, settings).map_err(|forged| refusal(request, &forged))?;
    let secret = token.secret();
    if secret.is_none() {
        return Err(refusal(request, &Forged::NoSecret));
    }
    let form = if *request.method() == Method::POST {
        form::token_of(request).await.map_err(|error| denial_of(&error))?
    } else {
        None
    };
    check_token(request, form, secret.as_ref(), settings).map_err(|forged| refusal(request, &forged))
}

fn refusal(request: &Request, forged: &Forged) -> Denial {
    let path = &request.scope().path;
    tracing::warn!(path, "a request was refused as forged: {forged}");
    let text = match request.scope().env.debug {
        true => format!("CSRF verification failed. Request aborted. {forged}").into(),
        false => "CSRF verification failed. Request aborted.".into(),
    };
    let text: std::borrow::Cow<'static, str> = text;
    Denial::new(StatusCode::FORBIDDEN, "csrf", text).with_detail(forged.to_string())
}

/// The answer to a body that cannot be read, or a session that cannot be reached.
fn denial_of(error: &Error) -> Denial {
    if let Some(answer) = error.downcast_ref::<HttpError>() {
        return Denial::new(answer.status(), "csrf", answer.text().to_owned());
    }
    let status = crate::auth::status_of(error).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    tracing::error!(error = error.chain(), "a CSRF secret could not be read or kept");
    Denial::new(status, "csrf", status.canonical_reason().unwrap_or("Error"))
}

/// Gives the client the secret, when a page has asked for a token or a login has changed it.
async fn send<T: Outcome<E>, E>(
    token: &CsrfToken,
    session: &Session,
    settings: &CsrfSettings,
    over_tls: bool,
    outcome: &mut T,
) -> Result<(), Error> {
    let Some(secret) = token.to_send() else { return Ok(()) };
    if settings.use_sessions {
        let held = session.get::<String>(ENTRY).await?;
        if held.as_deref() != Some(secret.as_str()) {
            session.set(ENTRY, secret.as_str()).await?;
        }
        return Ok(());
    }
    let cookie = settings.cookie(secret.as_str(), over_tls)?;
    if let Some(headers) = outcome.headers_mut() {
        headers.append(header::SET_COOKIE, cookie);
        vary_on(headers, "Cookie");
    }
    Ok(())
}
