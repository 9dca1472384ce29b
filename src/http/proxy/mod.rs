//! The proxy: requests and WebSockets that another server answers.
//!
//! [`Proxy`] is an HTTP application like any other: mounted below a path, or as the last route for everything that no
//! view serves. [`Proxy::websocket`] is its twin for sockets. The other server is an [`Upstream`].

mod backends;
mod body;
mod error;
mod exchange;
mod forwarded;
mod handshake;
mod headers;
mod lease;
mod pool;
mod settings;
mod socket;
#[cfg(feature = "tls")]
mod trust;
mod upstream;

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use ::http::HeaderValue;
use futures_util::future::BoxFuture;
use tower::Service;

pub use settings::HostPolicy;
pub use socket::ProxyConsumer;
#[cfg(feature = "tls")]
pub use trust::{Trust, TrustError};
pub use upstream::{Upstream, UpstreamError};

use super::{Request, Response};
use crate::Error;
use crate::consumer::{ConsumerService, consumer_with_state};
use crate::routing::Routes;
use backends::Backends;
use settings::Settings;

/// Requests that a server behind this one answers.
///
/// Bodies stream in both directions with back-pressure, connections are kept and used again, and what travels is what
/// HTTP allows to travel:
///
/// - the raw path and query of the request line, whatever route led here;
/// - all fields but those that belong to one connection (and those that `Connection` names), and but those whose name
///   holds a `_`, which many servers take for a `-`;
/// - `Forwarded`, `X-Forwarded-For`, `-Proto` and `-Host`, `X-Request-ID` and `Via`, made here: what a client writes
///   into them goes no further, what a trusted proxy wrote is continued;
/// - one framing of the body, made anew; trailers.
///
/// A server that does not answer is a 502, one that is too slow a 504, and one to which no more connections may be
/// made a 503. An answer that breaks off is broken off for the client too, never ended as if it were whole. Interim
/// answers (1xx) end here: `Expect: 100-continue` is answered by this server itself.
///
/// A request that may be repeated (no body, and GET, HEAD, OPTIONS, TRACE, PUT or DELETE) is sent once more when a kept
/// connection turns out to be closed.
///
/// # Examples
/// ```
/// use solent::http::proxy::Proxy;
/// use solent::routing::{ProtocolTypeRouter, UrlRouter, ViewRouter, include, path};
///
/// let django = Proxy::new("http://127.0.0.1:9000".parse()?);
/// let sockets = UrlRouter::new([path("ws/legacy/", django.websocket())])?;
/// let views = ViewRouter::new([include("", django)])?;
/// let app = ProtocolTypeRouter::new().http(views).websocket(sockets);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
///
/// Two servers that stand in for each other, with other times and bounds than the default ones:
///
/// ```
/// use std::time::Duration;
/// use http::HeaderValue;
/// use solent::http::proxy::{HostPolicy, Proxy, Trust, Upstream};
///
/// let proxy = Proxy::new(Upstream::tcp("10.0.0.1:9000"))
///     .and(Upstream::tls("backend.example.com:443"))
///     .trust(Trust::public()?)
///     .health_check("/health/", Duration::from_secs(5))
///     .host(HostPolicy::Named(HeaderValue::from_static("example.com")))
///     .connections(512)
///     .idle_connections(64, Duration::from_secs(10))
///     .connect_time(Duration::from_secs(2))
///     .response_time(Duration::from_secs(20))
///     .response_head(16 * 1024, 100)
///     .idle_time(Duration::from_secs(30))
///     .half_closed_time(Duration::from_secs(1));
/// # Ok::<_, solent::http::proxy::TrustError>(())
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Proxy {
    backends: Arc<Backends>,
}

impl Proxy {
    /// A proxy to one server, with the default times and bounds.
    pub fn new(upstream: Upstream) -> Self {
        Self { backends: Arc::new(Backends::new((upstream, Vec::new()), &Settings::default())) }
    }

    /// Adds another server, which can stand in for the others. Requests go to all in turn; one that cannot be reached
    /// is left out for 5 s, and its requests go to the next, as do those that may be repeated and break off.
    pub fn and(self, upstream: Upstream) -> Self {
        let (first, mut others) = self.backends.upstreams();
        others.push(upstream);
        Self { backends: Arc::new(Backends::new((first, others), self.backends.settings())) }
    }

    /// Asks every server for this page again and again, and leaves out those that do not answer or answer with 5xx for
    /// as long as they do so. Default: off.
    pub fn health_check(self, path: impl Into<String>, interval: Duration) -> Self {
        // tokio's timers do not tick without time in between.
        let interval = interval.max(Duration::from_millis(1));
        self.with(|settings| settings.health_check = Some((path.into(), interval)))
    }

    /// The server behind; the first of several.
    pub fn upstream(&self) -> Upstream {
        self.backends.upstreams().0
    }

    /// How long a connection to the server may take to open, and how long a request waits for one when all are taken.
    /// Default: 5 s. Too short fails while the server restarts; too long keeps clients waiting for a 504.
    pub fn connect_time(self, time: Duration) -> Self {
        self.with(|settings| settings.connect_time = time)
    }

    /// How long the server may take from the end of the request (or from the last progress in sending it) to its
    /// answer's head. Default: 60 s; then 504.
    pub fn response_time(self, time: Duration) -> Self {
        self.with(|settings| settings.response_time = time)
    }

    /// How long the server may pause within an answer's body. Default: 60 s; then the answer is broken off. Event
    /// streams need it longer than their own keep-alive.
    pub fn idle_time(self, time: Duration) -> Self {
        self.with(|settings| settings.idle_time = time)
    }

    /// For how long the server is waited for on behalf of an HTTP/1.1 client that has closed its direction: it may still
    /// read, but most that close have left. Default: 5 s. A connection that broke is noticed at once, and the request to
    /// the server is dropped with it.
    pub fn half_closed_time(self, time: Duration) -> Self {
        self.with(|settings| settings.half_closed_time = time)
    }

    /// How many requests may be with the server at once. Default: 256; one more waits for
    /// [`connect_time`](Self::connect_time) and is then a 503. Sockets are not counted.
    pub fn connections(self, most: usize) -> Self {
        self.with(|settings| settings.connections = most)
    }

    /// How many idle connections are kept, and for how long. Default: 32, for 30 s. Keep them for less long than the
    /// server does, or requests that cannot be repeated may meet its close.
    pub fn idle_connections(self, most: usize, time: Duration) -> Self {
        self.with(|settings| (settings.idle_connections, settings.keep_alive) = (most, time))
    }

    /// The largest head of an answer, in bytes and fields. Default: 64 KiB and 200; more is a 502.
    pub fn response_head(self, bytes: usize, fields: usize) -> Self {
        self.with(|settings| (settings.header_bytes, settings.header_fields) = (bytes, fields))
    }

    /// The `Host` that the server gets. Default: the client's, which is what sites build their links from.
    pub fn host(self, policy: HostPolicy) -> Self {
        self.with(|settings| settings.host = policy)
    }

    /// Whose certificates servers behind `https://` may show. Default: the authorities that browsers trust.
    #[cfg(feature = "tls")]
    pub fn trust(self, trust: Trust) -> Self {
        self.with(|settings| settings.trust = trust.into())
    }

    /// The same proxy for WebSockets.
    pub fn websocket(&self) -> ConsumerService<ProxyConsumer, Self> {
        consumer_with_state(self.clone())
    }

    /// Whether the server, or one of several, takes connections now: for readiness checks.
    ///
    /// # Errors
    /// What keeps the last one from doing so.
    ///
    /// # Cancel safety
    /// Dropping the future closes the connection that was being opened.
    pub async fn check(&self) -> Result<(), Error> {
        let mut outcome = Ok(());
        for backend in self.backends.iter() {
            let pool = &backend.pool;
            let connected =
                tokio::time::timeout(pool.settings().connect_time, pool.upstream().connect(pool.settings()));
            outcome = match connected.await {
                Ok(Ok(_)) => return Ok(()),
                Ok(Err(error)) => Err(error.into()),
                Err(_) => Err(Error::msg("connecting takes too long")),
            };
        }
        outcome
    }

    fn with(self, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = self.backends.settings().clone();
        change(&mut settings);
        Self { backends: Arc::new(Backends::new(self.backends.upstreams(), &settings)) }
    }
}

impl Service<Request> for Proxy {
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let backends = Arc::clone(&self.backends);
        Box::pin(async move { Ok(exchange::answer(&backends, request).await) })
    }
}

impl Routes for Proxy {}

/// A host as a field's value; what cannot stand there is left out.
fn host_value(host: &str) -> HeaderValue {
    HeaderValue::try_from(host).unwrap_or(HeaderValue::from_static(""))
}
