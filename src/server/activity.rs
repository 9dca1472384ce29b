//! The times of one HTTP connection: when its head, its next request, or its writes are overdue.

use std::io;
use std::pin::{Pin, pin};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use ::http::Version;
use hyper::rt::{Read, ReadBuf, ReadBufCursor, Write};
use parking_lot::{Mutex, MutexGuard};
use tokio::time::{Instant, sleep};

use crate::Limits;
use crate::http::Departure;

/// A connection is looked at no more often than this, even where a time is none at all.
const SHORTEST: Duration = Duration::from_millis(10);

/// What one connection is doing, seen from its bytes and its requests.
#[derive(Debug)]
pub(super) struct Activity {
    state: Mutex<State>,
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
        Self { state: Mutex::new(state), departure: OnceLock::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
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

    /// Waits until the connection is overdue. Cancel safe.
    ///
    /// It looks at least once in the shortest of the times, so that no deadline can pass that came into being meanwhile: to
    /// be told of each would wake the connection's task a second time for every request.
    pub(super) async fn overdue(&self, limits: &Limits) {
        let shortest = limits.header_time.min(limits.keep_alive).min(limits.body_read_time).max(SHORTEST);
        let mut timer = pin!(sleep(shortest));
        loop {
            timer.as_mut().await;
            let now = Instant::now();
            let next = now + shortest;
            match self.deadline(limits) {
                Some(deadline) if deadline <= now => return,
                deadline => timer.as_mut().reset(deadline.map_or(next, |deadline| deadline.min(next))),
            }
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
