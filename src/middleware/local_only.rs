//! Local only: what did not come straight from this machine is answered with 403.

use std::net::IpAddr;
use std::task::{Context, Poll};

use ::http::HeaderMap;
use tower::{Layer, Service};

use super::hosts::{domain_of, host_of};
use super::outcome::{Checked, Outcome, passed, refused};
use super::pass_routes_on;
use crate::Scoped;
use crate::websocket::Denial;

/// Refuses (403, with the reason) every request and handshake that a proxy may have passed on, and all that is
/// addressed to another name than this machine's own.
///
/// For sites that must not be reached from outside by any mistake, such as one with demo accounts whose passwords
/// everyone knows: a listener on loopback alone would not notice a proxy in front of it.
///
/// ```
/// use solent::middleware::LocalOnlyLayer;
///
/// let layer = LocalOnlyLayer::new("it has demo accounts");
/// ```
#[derive(Debug, Clone, Copy)]
pub struct LocalOnlyLayer(&'static str);

impl LocalOnlyLayer {
    /// A layer that tells `because` to who is refused: `This site is for this machine only, since {because}.`
    pub fn new(because: &'static str) -> Self {
        Self(because)
    }
}

impl<S> Layer<S> for LocalOnlyLayer {
    type Service = LocalOnly<S>;

    fn layer(&self, inner: S) -> Self::Service {
        LocalOnly { inner, because: self.0 }
    }
}

/// The service of [`LocalOnlyLayer`].
#[derive(Debug, Clone)]
pub struct LocalOnly<S> {
    inner: S,
    because: &'static str,
}

impl<S, R> Service<R> for LocalOnly<S>
where
    R: Scoped,
    S: Service<R>,
    S::Response: Outcome<S::Error>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Checked<S::Future, S::Response, S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: R) -> Self::Future {
        match foreign(&request) {
            None => passed(self.inner.call(request)),
            Some(found) => {
                let text = format!("This site is for this machine only, since {}; {found}.", self.because);
                refused(Denial::new(::http::StatusCode::FORBIDDEN, "local_only", text))
            }
        }
    }
}

pass_routes_on!(LocalOnly);

/// What shows that a request comes from elsewhere, as a clause.
fn foreign(request: &impl Scoped) -> Option<String> {
    if let Some(client) = request.scope().client
        && !client.ip().to_canonical().is_loopback()
    {
        return Some("the client is another machine".to_owned());
    }
    if let Some(name) = forwarding_header(request.headers()) {
        return Some(format!("a proxy has passed this request on (header {name})"));
    }
    let host = host_of(request.headers()).map(str::to_ascii_lowercase);
    match host.as_deref().and_then(domain_of) {
        Some(name) if is_loopback(name) => None,
        _ => Some("it is addressed to another host".to_owned()),
    }
}

fn forwarding_header(headers: &HeaderMap) -> Option<&str> {
    const KNOWN: [&str; 8] = [
        "forwarded",
        "via",
        "x-real-ip",
        "x-client-ip",
        "x-original-host",
        "x-original-forwarded-for",
        "true-client-ip",
        "cf-connecting-ip",
    ];
    headers
        .keys()
        .map(::http::HeaderName::as_str)
        .find(|name| name.starts_with("x-forwarded") || KNOWN.contains(name))
}

fn is_loopback(name: &str) -> bool {
    let address = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(name);
    name == "localhost"
        || name.ends_with(".localhost")
        || address.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}
