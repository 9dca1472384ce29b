//! The times of one HTTP connection: when its head, its next request, or its writes are overdue.

use std::io;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll, ready};

use ::http::Version;
use hyper::rt::{Read, ReadBuf, ReadBufCursor, Write};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::Limits;
use crate::http::Departure;

/// What one connection is doing, seen from its bytes and its requests.
#[derive(Debug)]
pub(super) struct Activity {
    state: Mutex<State>,
    // Told when a deadline may have come into being where there was none.
    changed: Notify,
    // Made by the first request that is no upgrade.
    departure: OnceLock<Departure>,
}

#[derive(Debug)]
struct State {
    requests: usize,
    // In HTTP/2 bytes between requests are no head: they may be pings or window updates.
    is_http2: bool,
    head_since: Option<Instant>,
    idle_since: Instant,
    write_blocked_since: Option<Instant>,
}

impl Activity {
    pub(super) fn new() -> Self {
        let now = Instant::now();
        // From accept on, the first request's head is awaited.
        let state = State {
            requests: 0,
            is_http2: false,
            head_since: Some(now),
            idle_since: now,
            write_blocked_since: None,
        };
        Self { state: Mutex::new(state), changed: Notify::new(), departure: OnceLock::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When the connection is to be closed, unless something happens before. `None` while a request is being
    /// answered and its answer flows.
    fn deadline(&self, limits: &Limits) -> Option<Instant> {
        let state = self.lock();
        let blocked = state.write_blocked_since.map(|since| since + limits.body_read_time);
        let waiting = match state.head_since {
            _ if state.requests > 0 => None,
            Some(since) => Some(since + limits.header_time),
            None => Some(state.idle_since + limits.keep_alive),
        };
        blocked.into_iter().chain(waiting).min()
    }

    /// Waits for the deadline; without one, until there may be one. Cancel safe.
    pub(super) async fn overdue(&self, limits: &Limits) {
        let mut timer = pin!(sleep_until(Instant::now() + limits.header_time));
        loop {
            let changed = self.changed.notified();
            let Some(deadline) = self.deadline(limits) else {
                changed.await;
                continue;
            };
            // It moves with every byte; only one that still stands has passed.
            if deadline <= Instant::now() {
                return;
            }
            // A timer that fires too early is moved then; one that would fire too late is moved now.
            if timer.is_elapsed() || timer.deadline() > deadline {
                timer.as_mut().reset(deadline);
            }
            tokio::select! { () = timer.as_mut() => {}, () = changed => {} }
        }
    }

    /// A request's head has come; the guard lives until its answer has been sent, or until the WebSocket that it
    /// became has ended.
    pub(super) fn begin(self: &Arc<Self>, version: Version) -> RequestGuard {
        let mut state = self.lock();
        state.requests += 1;
        state.is_http2 = version >= Version::HTTP_2;
        state.head_since = None;
        RequestGuard(Arc::clone(self))
    }

    /// What tells this connection's requests that their client has left.
    pub(super) fn departure(&self) -> Departure {
        self.departure.get_or_init(Departure::default).clone()
    }

    fn watched(&self) -> Option<&Departure> {
        self.departure.get().filter(|departure| departure.is_watched())
    }

    fn has_read(&self) {
        let mut state = self.lock();
        if state.requests == 0 && state.head_since.is_none() && !state.is_http2 {
            state.head_since = Some(Instant::now());
        }
    }

    fn has_written(&self, blocked: bool) {
        let mut state = self.lock();
        if !blocked {
            state.write_blocked_since = None;
        } else if state.write_blocked_since.is_none() {
            state.write_blocked_since = Some(Instant::now());
            drop(state);
            self.changed.notify_one();
        }
    }
}

/// One request in progress.
#[derive(Debug)]
pub(super) struct RequestGuard(Arc<Activity>);

impl Drop for RequestGuard {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.requests -= 1;
        state.idle_since = Instant::now();
        drop(state);
        self.0.changed.notify_one();
    }
}

/// A stream whose reads and writes are noted, and which is looked ahead on while an answer is awaited.
#[derive(Debug)]
pub(super) struct Watched<T> {
    stream: T,
    activity: Arc<Activity>,
    // hyper takes it with its next read, before it could parse an upgrade.
    ahead: Vec<u8>,
    ended: bool,
}

/// Bytes of a next request that are read ahead; no end is seen behind them.
const AHEAD: usize = 1 << 10;

impl<T> Watched<T> {
    pub(super) fn new(stream: T, activity: Arc<Activity>) -> Self {
        Self { stream, activity, ahead: Vec::new(), ended: false }
    }

    pub(super) fn into_inner(self) -> T {
        self.stream
    }
}

impl<T: Read + Unpin> Watched<T> {
    /// hyper reads nothing while an answer is awaited, so that a client's end would go unseen.
    fn look_ahead(&mut self, cx: &mut Context<'_>) {
        let Some(departure) = self.activity.watched() else { return };
        if self.ended || !self.ahead.is_empty() {
            return;
        }
        let mut bytes = [0; AHEAD];
        let mut buffer = ReadBuf::new(&mut bytes);
        match Pin::new(&mut self.stream).poll_read(cx, buffer.unfilled()) {
            Poll::Pending => {}
            Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {
                self.ahead = buffer.filled().to_vec();
                // They may belong to a body that hyper waits for.
                cx.waker().wake_by_ref();
            }
            Poll::Ready(ended) => {
                self.ended = true;
                cx.waker().wake_by_ref();
                if ended.is_ok() { departure.half_closed() } else { departure.gone() }
            }
        }
    }
}

impl<T: Read + Unpin> Read for Watched<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.ahead.is_empty() {
            let length = self.ahead.len().min(buffer.remaining());
            buffer.put_slice(&self.ahead[..length]);
            self.ahead.drain(..length);
            self.activity.has_read();
            return Poll::Ready(Ok(()));
        }
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        self.activity.has_read();
        Poll::Ready(Ok(()))
    }
}

impl<T: Read + Write + Unpin> Write for Watched<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.activity.has_written(written.is_pending());
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.activity.has_written(written.is_pending());
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // The one call that hyper makes whenever it is polled.
        self.look_ahead(cx);
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
