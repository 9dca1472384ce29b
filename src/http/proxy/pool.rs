//! Connections to one server behind: places for requests, and idle connections that are used again.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ::http::Request;
use ::http::header::HOST;
use bytes::Bytes;
use futures_util::FutureExt;
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};
use tokio_util::task::AbortOnDropHandle;

use super::body::Upload;
use super::error::ProxyError;
use super::lease::Lease;
use super::settings::Settings;
use super::upstream::{Stream, Upstream};

/// hyper's smallest buffer.
const LEAST_BUFFER: usize = 8 << 10;

/// A connection whose answer has been read is free at once, or something is wrong with it.
const FREE: Duration = Duration::from_millis(200);

/// What all requests to one server share.
#[derive(Debug)]
pub(super) struct Pool {
    upstream: Upstream,
    /// The address, as figures and log entries call it.
    name: String,
    settings: Settings,
    places: Arc<Semaphore>,
    idle: Mutex<VecDeque<Idle>>,
}

/// An open connection: where requests go in, and the task that speaks HTTP on it.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) sender: http1::SendRequest<Upload>,
    _task: AbortOnDropHandle<()>,
}

#[derive(Debug)]
struct Idle {
    link: Link,
    since: Instant,
}

impl Pool {
    pub(super) fn new(upstream: Upstream, settings: Settings) -> Self {
        let places = settings.connections.clamp(1, Semaphore::MAX_PERMITS);
        let name = upstream.to_string();
        Self { upstream, name, settings, places: Arc::new(Semaphore::new(places)), idle: Mutex::default() }
    }

    pub(super) fn upstream(&self) -> &Upstream {
        &self.upstream
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// A place for one request.
    pub(super) async fn place(&self) -> Result<OwnedSemaphorePermit, ProxyError> {
        if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
            return Ok(place);
        }
        let place = Arc::clone(&self.places).acquire_owned();
        match timeout(self.settings.connect_time, place).await {
            Ok(Ok(place)) => Ok(place),
            Ok(Err(_)) | Err(_) => Err(ProxyError::Full),
        }
    }

    /// A connection for a request: an idle one, unless `fresh` is asked for.
    pub(super) async fn lease(self: &Arc<Self>, fresh: bool) -> Result<Lease, ProxyError> {
        while let Some(mut link) = (!fresh).then(|| self.pop()).flatten() {
            if link.sender.is_ready() || matches!(timeout(FREE, link.sender.ready()).await, Ok(Ok(()))) {
                return Ok(Lease::new(link, Arc::clone(self), true));
            }
        }
        Ok(Lease::new(self.connect().await?, Arc::clone(self), false))
    }

    async fn open(&self) -> Result<TokioIo<Stream>, ProxyError> {
        let connecting = timeout(self.settings.connect_time, self.upstream.connect(&self.settings));
        let stream = connecting.await.map_err(|_| ProxyError::ConnectTime)?;
        stream.map(TokioIo::new).map_err(ProxyError::Connect)
    }

    /// A connection for one handshake or probe, with the future that drives it.
    pub(super) async fn connect_for_upgrade(
        &self,
    ) -> Result<(http1::SendRequest<Empty<Bytes>>, impl Future<Output = ()> + use<>), ProxyError> {
        let handshake = self.http().handshake(self.open().await?).await;
        let (sender, connection) = handshake.map_err(ProxyError::Exchange)?;
        Ok((sender, connection.with_upgrades().map(drop)))
    }

    async fn connect(&self) -> Result<Link, ProxyError> {
        let handshake = self.http().handshake(self.open().await?).await;
        let (sender, connection) = handshake.map_err(ProxyError::Exchange)?;
        let task = tokio::spawn(async move {
            // Who waits for an answer is told; without anybody it is an idle connection that was closed.
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection to a server behind has ended");
            }
        });
        Ok(Link { sender, _task: AbortOnDropHandle::new(task) })
    }

    /// Asks the server for a page; anything but a failure of its own is fine.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub(super) async fn probe(&self, path: &str) -> Result<(), String> {
        let asking = async {
            let (mut sender, connection) = self.connect_for_upgrade().await.map_err(|error| error.chain())?;
            let _serving = AbortOnDropHandle::new(tokio::spawn(connection));
            let request = Request::get(path).header(HOST, self.upstream.host()).body(Empty::new());
            let request = request.map_err(|error| error.to_string())?;
            let response = sender.send_request(request).await.map_err(|error| error.to_string())?;
            let status = response.status();
            if status.is_server_error() { Err(format!("it answers {status}")) } else { Ok(()) }
        };
        match timeout(self.settings.connect_time, asking).await {
            Ok(outcome) => outcome,
            Err(_) => Err("no answer in time".to_owned()),
        }
    }

    /// How answers are parsed: strictly, and with bounds.
    fn http(&self) -> http1::Builder {
        let mut http = http1::Builder::new();
        http.max_headers(self.settings.header_fields)
            .max_header_size(self.settings.header_bytes)
            .max_buf_size(self.settings.header_bytes.max(LEAST_BUFFER));
        http
    }

    /// The idle connection that was used last: the older ones may end.
    fn pop(&self) -> Option<Link> {
        let mut idle = self.lock();
        while idle.front().is_some_and(|oldest| oldest.is_stale(self.settings.keep_alive)) {
            idle.pop_front();
        }
        idle.pop_back().map(|idle| idle.link)
    }

    /// Takes a connection back whose answer has been read to its end.
    pub(super) fn give_back(&self, link: Link) {
        let mut idle = self.lock();
        idle.retain(|idle| !idle.is_stale(self.settings.keep_alive));
        if idle.len() < self.settings.idle_connections && !link.sender.is_closed() {
            idle.push_back(Idle { link, since: Instant::now() });
        }
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Idle>> {
        // A panic can't leave the queue half-changed.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Idle {
    fn is_stale(&self, keep_alive: Duration) -> bool {
        self.link.sender.is_closed() || self.since.elapsed() >= keep_alive
    }
}
