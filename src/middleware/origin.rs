//! The origin check of WebSockets, by Channels' rules: the defence against other sites' pages.

use std::sync::Arc;
use std::task::{Context, Poll};

use ::http::{StatusCode, header};
use tower::{Layer, Service};

use super::hosts::{AllowedHosts, is_same_domain};
use super::outcome::{Checked, passed, refused};
use super::pass_routes_on;
use super::urlsplit::{NotAUrl, SplitUrl};
use crate::Scoped;
use crate::websocket::{Connection, Denial, Refusal};

/// The origins whose pages may open a socket.
///
/// - `*` allows all, and handshakes without an `Origin` too, which are refused otherwise;
/// - `example.com` compares the host name alone, whatever scheme and port; `.example.com` is the domain and its
///   subdomains;
/// - `https://example.com:8443` compares scheme, host and port; the port defaults to 80 for `http` and `ws`, to 443
///   for `https` and `wss`.
///
/// An origin without a host (`null`, `file://`) matches only `*`; one that does not parse matches nothing else.
///
/// ```
/// use solent::middleware::{AllowedHosts, OriginValidator};
///
/// let origins = OriginValidator::new([".example.com", "https://chat.example.org"]);
/// assert!(origins.allows(Some("http://www.example.com:8000")));
/// assert!(!origins.allows(Some("http://chat.example.org")));
/// assert!(!origins.allows(None));
///
/// let own = OriginValidator::from_hosts(&AllowedHosts::new(["example.com"]));
/// assert!(own.allows(Some("https://example.com")));
/// ```
#[derive(Debug, Clone)]
pub struct OriginValidator(Arc<[Pattern]>);

#[derive(Debug)]
enum Pattern {
    Any,
    /// A host name, in lower case or with a leading dot.
    Host(String),
    Origin {
        scheme: String,
        host: String,
        port: Option<u16>,
    },
    /// What no origin can match.
    Nothing,
}

impl OriginValidator {
    /// Allows what matches one of `patterns`. One that can never match, such as `example.com:8000` (a port without a
    /// scheme), is logged as a warning.
    pub fn new<P: AsRef<str>>(patterns: impl IntoIterator<Item = P>) -> Self {
        Self(patterns.into_iter().map(|pattern| Pattern::parse(pattern.as_ref())).collect())
    }

    /// Channels' `AllowedHostsOriginValidator`: the site's own hosts, on every scheme and port.
    pub fn from_hosts(hosts: &AllowedHosts) -> Self {
        // A development server has `.localhost` among its hosts; its pages come from these.
        Self::new(hosts.patterns())
    }

    /// Whether a handshake with this `Origin` is allowed.
    pub fn allows(&self, origin: Option<&str>) -> bool {
        let parsed = origin.map(SplitUrl::parse);
        self.0.iter().any(|pattern| match (pattern, &parsed) {
            (Pattern::Any, _) => true,
            (pattern, Some(Ok(origin))) => pattern.matches(origin).unwrap_or(false),
            (_, None | Some(Err(NotAUrl))) => false,
        })
    }
}

impl Pattern {
    fn parse(pattern: &str) -> Self {
        if pattern == "*" {
            return Self::Any;
        }
        let parsed = Self::parse_origin(&pattern.to_lowercase()).unwrap_or_else(|| Self::parse_host(pattern));
        if matches!(parsed, Self::Nothing) {
            tracing::warn!(
                pattern,
                "this allowed origin can never match: expected a host name or scheme://host[:port]"
            );
        }
        parsed
    }

    /// A pattern with a scheme. Python takes `example.com:8000` for one: its scheme is `example.com`.
    fn parse_origin(pattern: &str) -> Option<Self> {
        let Ok(url) = SplitUrl::parse(pattern) else { return Some(Self::Nothing) };
        if url.scheme.is_empty() {
            return None;
        }
        Some(match (url.hostname(), effective_port(&url)) {
            (Some(host), Ok(port)) => Self::Origin { scheme: url.scheme, host, port },
            _ => Self::Nothing,
        })
    }

    fn parse_host(pattern: &str) -> Self {
        match SplitUrl::parse(&format!("//{pattern}")) {
            Ok(url) => Self::Host(url.hostname().unwrap_or_else(|| pattern.to_owned())),
            Err(NotAUrl) => Self::Nothing,
        }
    }

    fn matches(&self, origin: &SplitUrl<'_>) -> Result<bool, NotAUrl> {
        let Some(found) = origin.hostname() else { return Ok(false) };
        Ok(match self {
            Self::Any => true,
            Self::Nothing => false,
            Self::Host(host) => is_same_domain(&found, host),
            Self::Origin { scheme, host, port } => {
                origin.scheme == *scheme && effective_port(origin)? == *port && is_same_domain(&found, host)
            }
        })
    }
}

fn effective_port(url: &SplitUrl<'_>) -> Result<Option<u16>, NotAUrl> {
    Ok(url.port()?.or(match &*url.scheme {
        "http" | "ws" => Some(80),
        "https" | "wss" => Some(443),
        _ => None,
    }))
}

/// Refuses handshakes from pages of other sites with 403. It fits WebSocket applications alone: for views, CSRF
/// protection is the defence. Channels: `OriginValidator`.
///
/// ```
/// use solent::middleware::{AllowedHosts, OriginValidatorLayer, allowed_hosts_origin_validator};
///
/// let by_name = OriginValidatorLayer::new(["https://example.com"]);
/// let own_hosts = allowed_hosts_origin_validator(&AllowedHosts::new([".example.com"]));
/// ```
#[derive(Debug, Clone)]
pub struct OriginValidatorLayer {
    validator: OriginValidator,
    without_origin: bool,
}

impl OriginValidatorLayer {
    /// A layer that lets in only pages of the `allowed` origins.
    pub fn new<P: AsRef<str>>(allowed: impl IntoIterator<Item = P>) -> Self {
        OriginValidator::new(allowed).into()
    }

    /// Lets handshakes without an `Origin` in where a token authenticates them: programs send none, and browsers
    /// always do. Off by default. The [`BearerLayer`](super::BearerLayer) stands further out, since it is its word that
    /// counts.
    #[cfg(feature = "auth")]
    #[must_use]
    pub fn without_origin_for_bearer(self) -> Self {
        Self { without_origin: true, ..self }
    }
}

impl From<OriginValidator> for OriginValidatorLayer {
    fn from(validator: OriginValidator) -> Self {
        Self { validator, without_origin: false }
    }
}

/// A layer that lets in only pages of the site's own hosts. Channels: `AllowedHostsOriginValidator`.
pub fn allowed_hosts_origin_validator(hosts: &AllowedHosts) -> OriginValidatorLayer {
    OriginValidator::from_hosts(hosts).into()
}

impl<S> Layer<S> for OriginValidatorLayer {
    type Service = OriginCheck<S>;

    fn layer(&self, inner: S) -> OriginCheck<S> {
        OriginCheck { inner, layer: self.clone() }
    }
}

/// The service of [`OriginValidatorLayer`].
#[derive(Debug, Clone)]
pub struct OriginCheck<S> {
    inner: S,
    layer: OriginValidatorLayer,
}

impl<S> Service<Connection> for OriginCheck<S>
where
    S: Service<Connection, Response = ()>,
    S::Error: From<Refusal>,
{
    type Response = ();
    type Error = S::Error;
    type Future = Checked<S::Future, (), S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, connection: Connection) -> Self::Future {
        // Of several, the last counts. Bytes outside ASCII are read as Latin-1, which no host of ours can equal.
        let origin = connection.headers().get_all(header::ORIGIN).iter().next_back();
        let origin =
            origin.map(|origin| origin.as_bytes().iter().map(|&b| char::from(b)).collect::<String>());
        let is_program =
            self.layer.without_origin && origin.is_none() && crate::auth::bears_token(connection.scope());
        if is_program || self.layer.validator.allows(origin.as_deref()) {
            return passed(self.inner.call(connection));
        }
        let detail = match origin {
            Some(origin) => format!("origin {origin:?} is not allowed"),
            None => "no Origin header".to_owned(),
        };
        refused(Denial::new(StatusCode::FORBIDDEN, "origin", "Access denied.").with_detail(detail))
    }
}

pass_routes_on!(OriginCheck);
