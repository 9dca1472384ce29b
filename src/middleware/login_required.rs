//! Only for users who are logged in: views lead the others to the login page and back, handshakes get a 403.

use std::sync::Arc;
use std::task::{Context, Poll};

use ::http::{HeaderValue, StatusCode, header};
use tower::{Layer, Service};

use super::bearer::challenge;
use super::hosts::host_of;
use super::outcome::{Checked, Outcome, passed, refused};
use super::pass_routes_on;
use super::urlsplit::SplitUrl;
use crate::auth::login_redirect;
use crate::websocket::Denial;
use crate::{Protocol, Scoped};

/// Lets only users in who are logged in. A request of anybody else is redirected to the login page, with `?next=` to
/// come back to; a handshake is refused with 403.
///
/// ```
/// use solent::http::Request;
/// use solent::middleware::LoginRequiredLayer;
/// use solent::routing::{ViewRouter, path};
/// use solent::testing::HttpCommunicator;
/// use tower::Layer;
///
/// async fn notes(_: Request) -> &'static str {
///     "notes"
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> solent::Result<()> {
/// let views = ViewRouter::new([path("notes/", notes)])?;
/// let layer = LoginRequiredLayer::new("/accounts/login/");
/// let answer = HttpCommunicator::get(layer.layer(views.clone()), "/notes/").response().await;
/// assert_eq!(answer.headers["location"], "/accounts/login/?next=/notes/");
///
/// let for_programs = layer.with_bearer_challenge();
/// let answer = HttpCommunicator::get(for_programs.layer(views), "/notes/").response().await;
/// assert_eq!((answer.status.as_u16(), &answer.headers["www-authenticate"]), (401, &"Bearer".parse()?));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct LoginRequiredLayer {
    login_url: Arc<str>,
    challenges: bool,
}

impl LoginRequiredLayer {
    /// The login page is at `login_url`, on this site or another.
    pub fn new(login_url: impl Into<Arc<str>>) -> Self {
        Self { login_url: login_url.into(), challenges: false }
    }

    /// Answers everybody else with 401 and `WWW-Authenticate: Bearer`, handshakes and requests alike: for where
    /// clients bear tokens, see [`BearerLayer`](super::BearerLayer).
    #[must_use]
    pub fn with_bearer_challenge(self) -> Self {
        Self { challenges: true, ..self }
    }

    /// What an anonymous request is answered with.
    fn denial(&self, request: &impl Scoped) -> Denial {
        if self.challenges {
            return challenge("login_required", None);
        }
        if request.scope().protocol == Protocol::WEBSOCKET {
            return Denial::new(StatusCode::FORBIDDEN, "login_required", "Access denied.");
        }
        let location = login_redirect(&self.login_url, &self.next(request));
        let mut denial = Denial::new(StatusCode::FOUND, "login_required", "");
        // Percent-encoded throughout, so that it always fits into a header.
        if let Ok(location) = HeaderValue::try_from(location) {
            denial.headers.insert(header::LOCATION, location);
        }
        denial
    }

    /// Where to come back to: the path, or the whole address when the login page is on another site.
    fn next(&self, request: &impl Scoped) -> String {
        let scope = request.scope();
        let query = if scope.query_string.is_empty() { "" } else { "?" };
        let path = format!("{}{query}{}", scope.raw_path, scope.query_string);
        let host = host_of(request.headers()).unwrap_or_default();
        match SplitUrl::parse(&self.login_url) {
            Ok(login) if is_elsewhere(&login, &scope.scheme, host) => {
                format!("{}://{host}{path}", scope.scheme)
            }
            _ => path,
        }
    }
}

fn is_elsewhere(login: &SplitUrl<'_>, scheme: &str, host: &str) -> bool {
    let other_scheme = !login.scheme.is_empty() && login.scheme != scheme;
    other_scheme || (!login.netloc.is_empty() && login.netloc != host)
}

impl<S> Layer<S> for LoginRequiredLayer {
    type Service = LoginRequired<S>;

    fn layer(&self, inner: S) -> LoginRequired<S> {
        LoginRequired { inner, layer: self.clone() }
    }
}

/// The service of [`LoginRequiredLayer`].
#[derive(Debug, Clone)]
pub struct LoginRequired<S> {
    inner: S,
    layer: LoginRequiredLayer,
}

impl<S, R> Service<R> for LoginRequired<S>
where
    R: Scoped,
    S: Service<R, Response: Outcome<S::Error>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Checked<S::Future, S::Response, S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: R) -> Self::Future {
        if request.scope().user.is_authenticated() {
            return passed(self.inner.call(request));
        }
        refused(self.layer.denial(&request))
    }
}

pass_routes_on!(LoginRequired);
