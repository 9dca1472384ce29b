//! One accepted stream: hyper speaks HTTP on it, within the times that its activity allows.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tracing::debug;

use super::activity::{Activity, Watched};
use super::current::Current;
use super::drain::Phase;
use super::permits::Permit;
use super::request::{Handler, Peer};
use crate::Limits;

/// The number of fields that hyper keeps within, unless told. Any number that it is told is a list on the heap, for every
/// request.
const HYPERS_FIELDS: usize = 100;

/// What all connections of a server are served with.
#[derive(Debug)]
pub(super) struct Serving {
    pub(super) current: Current,
    pub(super) limits: Limits,
    pub(super) http: Builder<TokioExecutor>,
    pub(super) phase: watch::Receiver<Phase>,
}

impl Serving {
    pub(super) fn new(handler: Handler, phase: watch::Receiver<Phase>) -> Self {
        let limits = handler.env.limits.clone();
        let mut http = Builder::new(TokioExecutor::new());
        if limits.header_fields != HYPERS_FIELDS {
            http.http1().max_headers(limits.header_fields);
        }
        http.http1()
            .timer(TokioTimer::new())
            // The activity's own deadline covers the head from accept on, keep-alive included.
            .header_read_timeout(None)
            .half_close(true)
            .keep_alive(true)
            // Room for the request line besides the fields, whose own limit is kept by `target`.
            .max_buf_size(limits.header_bytes.saturating_add(8 << 10));
        #[cfg(feature = "http2")]
        http.http2()
            .timer(TokioTimer::new())
            .enable_connect_protocol()
            .max_concurrent_streams(200)
            .max_header_list_size(u32::try_from(limits.header_bytes).unwrap_or(u32::MAX))
            .keep_alive_interval(limits.ping_interval)
            .keep_alive_timeout(limits.ping_timeout.unwrap_or(limits.keep_alive));
        Self { current: Current::new(handler), limits, http, phase }
    }

    /// Serves one stream to its end, or to the upgrade that takes it away.
    pub(super) async fn serve<T>(
        self: Arc<Self>,
        stream: T,
        client: Option<SocketAddr>,
        server: Option<SocketAddr>,
        secure: bool,
        permit: Arc<Permit>,
    ) where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let activity = Arc::new(Activity::new());
        let watched = Watched::new(TokioIo::new(stream), Arc::clone(&activity));
        let peer = Arc::new(Peer { client, server, secure, permit, activity: Arc::clone(&activity) });
        let service =
            service_fn(|request| self.current.get().handle::<T, Incoming>(request, Arc::clone(&peer)));
        let mut connection = pin!(self.http.serve_connection_with_upgrades(watched, service));
        let mut phase = self.phase.clone();
        let mut awaited = Phase::Closing;
        loop {
            tokio::select! {
                biased;
                ended = connection.as_mut() => return log_end(ended),
                () = activity.overdue(&self.limits) => {
                    debug!("a connection was too slow or idle for too long");
                    return;
                }
                Ok(_) = phase.wait_for(|phase| *phase >= awaited) => {
                    if awaited == Phase::Stopped {
                        return;
                    }
                    awaited = Phase::Stopped;
                    connection.as_mut().graceful_shutdown();
                }
            }
        }
    }
}

/// A normal end (a closed laptop) is a debug line with a class, not a warning.
fn log_end(ended: Result<(), Box<dyn std::error::Error + Send + Sync>>) {
    let Err(error) = ended else { return };
    let class = match error.downcast_ref::<hyper::Error>() {
        Some(error) if error.is_parse() => "malformed",
        Some(error) if error.is_incomplete_message() => "incomplete",
        Some(error) if error.is_timeout() => "timeout",
        _ if is_reset(&*error) => "reset",
        _ => "other",
    };
    debug!(class, %error, "connection ended");
}

fn is_reset(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe);
        }
        next = error.source();
    }
    false
}
