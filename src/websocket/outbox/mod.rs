//! The outbox: frames waiting for one socket, and the handle by which others reach it.
//!
//! Frames come from the socket's own consumer, from group sends on any thread, and from the driver (pings,
//! close). Whoever appends to a clean outbox owes it a flush; while a flush is owed, or while the kernel's buffer
//! is full, appending is all that happens. So a lone frame is written at once from the sender's thread, and
//! frames that pile up leave in one write.

mod state;

use std::io::{self, IoSlice};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::time::Instant;

use super::deflate::Encoding;
use super::drops::FrameDrops;
use super::traffic::Traffic;
use super::{CloseCode, CloseFrame, frame};
use state::{Link, State};

use crate::layers::{Event, EventSink, Overflow, Pushed};
pub(crate) use state::Request;

/// Frames waiting for one socket.
#[derive(Debug)]
pub(crate) struct Outbox {
    state: Mutex<State>,
    /// Whether something is asked of the driver; the request itself stands under the lock.
    asked: AtomicBool,
    limit: usize,
    overflow: Overflow,
    drops: Arc<FrameDrops>,
    /// Known once the handshake is accepted; nothing is sent before.
    encoding: OnceLock<Encoding>,
    received: Received,
}

/// What came from the client. The driver alone writes it, so that no update waits for another.
#[derive(Debug, Default)]
struct Received {
    messages: AtomicU64,
    bytes: AtomicU64,
}

impl Outbox {
    pub(crate) fn new(limit: usize, overflow: Overflow, drops: Arc<FrameDrops>) -> Self {
        Self {
            state: Mutex::default(),
            asked: AtomicBool::new(false),
            limit,
            overflow,
            drops,
            encoding: OnceLock::new(),
            received: Received::default(),
        }
    }

    /// How this socket's messages are encoded.
    pub(crate) fn encoding(&self) -> Encoding {
        self.encoding.get().copied().unwrap_or_default()
    }

    /// Notes what the handshake has agreed on.
    pub(crate) fn set_encoding(&self, encoding: Encoding) {
        // A second handshake on one outbox can't be.
        let _ = self.encoding.set(encoding);
    }

    /// Counts a message from the client.
    pub(super) fn count_received(&self, bytes: usize) {
        let add =
            |counter: &AtomicU64, more| counter.store(counter.load(Relaxed).wrapping_add(more), Relaxed);
        add(&self.received.messages, 1);
        add(&self.received.bytes, bytes as u64);
    }

    /// What has passed in both directions so far.
    pub(super) fn traffic(&self) -> Traffic {
        let sent = self.state.lock().sent;
        Traffic {
            messages_in: self.received.messages.load(Relaxed),
            bytes_in: self.received.bytes.load(Relaxed),
            messages_out: sent.messages,
            bytes_out: sent.bytes,
        }
    }

    /// Appends a frame of a group send under the overflow policy. Never waits and never writes.
    pub(crate) fn push(&self, frame: Bytes) -> Pushed {
        let mut state = self.state.lock();
        if state.finished {
            return Pushed::Gone;
        }
        let (fits, lost) = match state.fits(frame.len(), self.limit) {
            true => (true, 0),
            false => self.make_room(&mut state, frame.len()),
        };
        let pushed = if fits { Pushed::Queued { flush: state.append(frame) } } else { Pushed::Dropped };
        drop(state);
        // Told after the lock is given back: a log entry may take its time.
        self.drops.count(lost + u64::from(!fits));
        pushed
    }

    /// Applies the overflow policy. Whether the frame now fits, and how many others were dropped for it.
    fn make_room(&self, state: &mut State, length: usize) -> (bool, u64) {
        match self.overflow {
            Overflow::DropOldest => {
                let lost = state.drop_oldest(length, self.limit);
                (state.fits(length, self.limit), lost)
            }
            Overflow::Close => {
                let frame = CloseFrame::new(CloseCode::OVERFLOW, "too far behind");
                self.asked.store(true, Relaxed);
                let driver = state.request(Request::Close(Box::new(frame)));
                driver.into_iter().for_each(Waker::wake);
                (false, 0)
            }
            _ => (false, 0),
        }
    }

    /// Appends a frame whatever the limit: the driver's own few bytes, which must not be lost.
    pub(super) fn push_control(&self, frame: Bytes) {
        let mut state = self.state.lock();
        if !state.finished {
            state.append(frame);
        }
    }

    /// Appends the answer to a ping, unless the outbox is full: a peer that reads nothing waits for no pong.
    pub(super) fn push_pong(&self, frame: Bytes) {
        let mut state = self.state.lock();
        if !state.finished && state.fits(frame.len(), self.limit) {
            state.append(frame);
        }
    }

    /// Appends the last frame; nothing can be appended after it.
    pub(super) fn push_last(&self, frame: Bytes) {
        let mut state = self.state.lock();
        if !state.finished {
            state.append(frame);
            state.finished = true;
        }
    }

    /// Appends a consumer's own frame once there is room for it, and takes it out of `frame`.
    ///
    /// `Err` when the socket takes no more frames at all.
    pub(crate) fn poll_send(
        &self,
        frame: &mut Option<Bytes>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Finished>> {
        let mut state = self.state.lock();
        if state.finished {
            return Poll::Ready(Err(Finished));
        }
        if !state.fits(frame.as_ref().map_or(0, Bytes::len), self.limit) {
            state.space = Some(cx.waker().clone());
            return Poll::Pending;
        }
        if let Some(frame) = frame.take() {
            state.append(frame);
        }
        Poll::Ready(Ok(()))
    }

    /// Ready once the outbox is half empty, or takes no more frames at all.
    pub(crate) fn poll_room(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.state.lock();
        if state.finished || state.bytes <= self.limit / 2 {
            return Poll::Ready(());
        }
        state.space = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Writes what is queued as far as the kernel takes it; pays the flush that [`push`](Self::push) owes.
    pub(crate) fn flush(&self) {
        let mut state = self.state.lock();
        state.flush_owed = false;
        let woken = match state.link {
            Link::Tcp(_) => state.write_tcp(),
            Link::Driver => state.driver.take(),
            Link::Waiting | Link::Gone => None,
        };
        let space = state.take_space(self.limit);
        drop(state);
        [woken, space].into_iter().flatten().for_each(Waker::wake);
    }

    /// Opens the way to the kernel and writes what has gathered during the handshake.
    pub(super) fn open_tcp(&self, stream: OwnedWriteHalf) {
        self.state.lock().link = Link::Tcp(stream);
        self.flush();
    }

    /// From now on the driver writes.
    pub(super) fn open_driver(&self) {
        self.state.lock().link = Link::Driver;
    }

    /// The driver's part of writing to TCP: waits until the kernel takes more. Ready once nothing is queued, with
    /// an error once the peer is gone.
    pub(super) fn poll_tcp(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut state = self.state.lock();
        state.flush_owed = false;
        loop {
            let Link::Tcp(stream) = &state.link else {
                return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
            };
            if state.queue.is_empty() {
                return Poll::Ready(Ok(()));
            }
            if state.blocked {
                std::task::ready!(stream.as_ref().poll_write_ready(cx))?;
                state.blocked = false;
            }
            let woken = state.write_tcp();
            let space = state.take_space(self.limit);
            [woken, space].into_iter().flatten().for_each(Waker::wake);
        }
    }

    /// Lets `write` have the queued frames and removes what it took. Ready once nothing is queued, with an error once
    /// the outbox was shut.
    pub(super) fn poll_with(
        &self,
        mut write: impl FnMut(&[IoSlice<'_>]) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<()>> {
        let mut state = self.state.lock();
        state.flush_owed = false;
        if matches!(state.link, Link::Gone) {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        while !state.queue.is_empty() {
            let written = std::task::ready!(state.with_slices(&mut write))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            state.advance(written);
            if let Some(space) = state.take_space(self.limit) {
                space.wake();
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Since when frames have waited without progress.
    pub(super) fn waiting_since(&self) -> Option<Instant> {
        self.state.lock().waiting_since
    }

    /// What others ask of the driver, if anything, without a waker: for the way between two steps.
    pub(super) fn take_request(&self) -> Option<Request> {
        // Nothing hangs on seeing it at once: `poll_driver` looks under the lock.
        if self.asked.load(Relaxed) { self.state.lock().request.take() } else { None }
    }

    /// Registers the driver's waker and tells what others ask of it.
    pub(super) fn poll_driver(&self, cx: &mut Context<'_>) -> Option<Request> {
        let mut state = self.state.lock();
        match &mut state.driver {
            Some(waker) if waker.will_wake(cx.waker()) => {}
            slot => *slot = Some(cx.waker().clone()),
        }
        state.request.take()
    }

    /// Asks the driver for something; the first close wins, a stop always does.
    pub(crate) fn request(&self, request: Request) {
        self.asked.store(true, Relaxed);
        let woken = self.state.lock().request(request);
        if let Some(driver) = woken {
            driver.wake();
        }
    }

    /// Nothing can be appended or written any more; what is queued is gone.
    pub(super) fn shut(&self) {
        let mut state = self.state.lock();
        state.finish_gone();
        if let Some(space) = state.space.take() {
            drop(state);
            space.wake();
        }
    }
}

impl EventSink for Outbox {
    fn push(&self, event: &Event) -> Pushed {
        frame::event(event, self.encoding()).map_or(Pushed::Refused, |frame| Self::push(self, frame))
    }

    fn flush(&self) {
        Self::flush(self);
    }
}

/// The socket takes no more frames: it is closing or gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the socket is closed")]
pub struct Finished;
