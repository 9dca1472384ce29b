//! Allowed hosts: a request whose `Host` is not one of ours is answered with 400.

use std::fmt;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll};

use ::http::{HeaderMap, StatusCode, header};
use regex::Regex;
use tower::{Layer, Service};

use super::outcome::{Checked, Outcome, passed, refused};
use super::pass_routes_on;
use crate::Scoped;
use crate::websocket::Denial;

/// The host names that a site answers to: exact names, `.example.com` for a domain and its subdomains, `*` for all.
///
/// ```
/// use solent::middleware::AllowedHosts;
///
/// let hosts = AllowedHosts::new(["example.com", ".example.org"]);
/// assert!(hosts.allows("example.com:8000"));
/// assert!(hosts.allows("www.example.org"));
/// assert!(!hosts.allows("evil.example"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AllowedHosts(Arc<[String]>);

impl AllowedHosts {
    /// The hosts that match one of `patterns`. An empty list allows none.
    pub fn new<P: Into<String>>(patterns: impl IntoIterator<Item = P>) -> Self {
        Self(patterns.into_iter().map(Into::into).collect())
    }

    /// What a development server answers to when nothing is configured: `.localhost`, `127.0.0.1` and `[::1]`.
    pub fn local() -> Self {
        Self::new([".localhost", "127.0.0.1", "[::1]"])
    }

    /// The patterns as given.
    pub fn patterns(&self) -> &[String] {
        &self.0
    }

    /// Whether a `Host` header's value, port included, is well-formed and matches.
    pub fn allows(&self, host: &str) -> bool {
        domain_of(&host.to_ascii_lowercase()).is_some_and(|domain| {
            self.0.iter().any(|pattern| pattern == "*" || is_same_domain(domain, pattern))
        })
    }

    /// The reason for a refusal, as the log says it.
    fn check(&self, headers: &HeaderMap) -> Result<(), String> {
        // HTTP/1.0 needs no Host, and where any will do none is missed: health probes often send none.
        if !headers.contains_key(header::HOST) && self.0.iter().any(|pattern| pattern == "*") {
            return Ok(());
        }
        let host = host_of(headers).ok_or("no Host header, or more than one")?;
        if self.allows(host) {
            Ok(())
        } else {
            Err(format!("host {host:?} is not among the allowed hosts ({self})"))
        }
    }
}

impl Default for AllowedHosts {
    /// [`AllowedHosts::local`].
    fn default() -> Self {
        Self::local()
    }
}

/// A host's name without its port and its trailing dot; `None` when it is malformed. Expects lower case.
pub(super) fn domain_of(host: &str) -> Option<&str> {
    static HOST: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"\A(?:([a-z0-9.-]+)|(\[[a-f0-9]*:[a-f0-9.:]+\]))(?::[0-9]+)?\z")
            .expect("a fixed pattern is valid")
    });
    // Most are a name alone, for which no pattern is needed.
    if !host.is_empty() && host.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-')) {
        return Some(host.strip_suffix('.').unwrap_or(host));
    }
    let captures = HOST.captures(host)?;
    let name = captures.get(1).or_else(|| captures.get(2))?.as_str();
    Some(name.strip_suffix('.').unwrap_or(name))
}

/// Django's `is_same_domain`: an exact match, or a domain and its subdomains when the pattern begins with a dot.
/// Only the pattern is lower-cased; an empty pattern matches nothing.
///
/// ```
/// use solent::middleware::is_same_domain;
///
/// assert!(is_same_domain("www.example.com", ".example.com"));
/// assert!(!is_same_domain("www.example.com", "example.com"));
/// ```
pub fn is_same_domain(host: &str, pattern: &str) -> bool {
    let pattern = pattern.to_lowercase();
    match pattern.strip_prefix('.') {
        Some(domain) => host.ends_with(&pattern) || host == domain,
        None => !pattern.is_empty() && host == pattern,
    }
}

/// Refuses what is addressed to another host: 400, for requests and handshakes alike.
///
/// ```
/// use solent::middleware::{AllowedHosts, AllowedHostsLayer};
///
/// let layer = AllowedHostsLayer::new(AllowedHosts::new([".example.com"]));
/// ```
#[derive(Debug, Clone)]
pub struct AllowedHostsLayer(AllowedHosts);

impl AllowedHostsLayer {
    /// A layer that lets only `hosts` in.
    pub fn new(hosts: AllowedHosts) -> Self {
        Self(hosts)
    }
}

impl<S> Layer<S> for AllowedHostsLayer {
    type Service = AllowedHostsCheck<S>;

    fn layer(&self, inner: S) -> Self::Service {
        AllowedHostsCheck { inner, hosts: self.0.clone() }
    }
}

/// The service of [`AllowedHostsLayer`].
#[derive(Debug, Clone)]
pub struct AllowedHostsCheck<S> {
    inner: S,
    hosts: AllowedHosts,
}

impl<S, R> Service<R> for AllowedHostsCheck<S>
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
        match self.hosts.check(request.headers()) {
            Ok(()) => passed(self.inner.call(request)),
            Err(detail) => refused(
                Denial::new(StatusCode::BAD_REQUEST, "allowed_hosts", "Bad request: unknown host.")
                    .with_detail(detail),
            ),
        }
    }
}

pass_routes_on!(AllowedHostsCheck);

/// The host that a request is addressed to, with its port. More than one `Host` header is as bad as none.
pub(crate) fn host_of(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(header::HOST).iter();
    let first = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(first)
}

impl fmt::Display for AllowedHosts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(", "))
    }
}
