//! What an outbox holds, and how it leaves.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::task::Waker;

use bytes::{Buf, Bytes};
use tokio::net::tcp::OwnedWriteHalf;
use tokio::time::Instant;

use super::super::CloseFrame;
use super::super::traffic::Sent;

/// Most frames in one vectored write; the kernel takes up to 1,024.
const SLICES: usize = 64;

/// An idle outbox keeps no more room than this many frames.
const IDLE_FRAMES: usize = 4;

/// Bytes of small frames that are put together before they are written.
const MERGED: usize = 16 << 10;

thread_local! {
    // One `send` of frames put together costs the kernel a seventh less than a vectored write of them.
    static TOGETHER: RefCell<Vec<u8>> = RefCell::new(Vec::with_capacity(MERGED));
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) queue: VecDeque<Bytes>,
    pub(super) bytes: usize,
    pub(super) link: Link,
    // Somebody has promised to call `flush`.
    pub(super) flush_owed: bool,
    // The kernel took no more; the driver waits for it.
    pub(super) blocked: bool,
    // Since when frames wait without any of their bytes leaving.
    pub(super) waiting_since: Option<Instant>,
    pub(super) driver: Option<Waker>,
    pub(super) space: Option<Waker>,
    pub(super) request: Option<Request>,
    pub(super) finished: bool,
    // The lock is held whenever frames are appended: counting here costs two additions.
    pub(super) sent: Sent,
}

/// Where frames go.
#[derive(Debug, Default)]
pub(super) enum Link {
    /// The socket is not open yet.
    #[default]
    Waiting,
    /// Straight to the kernel, from any thread.
    Tcp(OwnedWriteHalf),
    /// The driver alone can write.
    Driver,
    /// The peer is gone.
    Gone,
}

/// What others ask of a driver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Request {
    /// Say good-bye.
    Close(Box<CloseFrame>),
    /// End now: the drain's time is over.
    Stop,
}

impl State {
    pub(super) fn fits(&self, length: usize, limit: usize) -> bool {
        // A frame larger than the limit may still travel alone.
        self.queue.is_empty() || self.bytes + length <= limit
    }

    /// Appends; whether the caller now owes a flush.
    pub(super) fn append(&mut self, frame: Bytes) -> bool {
        // A socket of the kernel's starts to wait when the kernel takes no more.
        if self.waiting_since.is_none() && !matches!(self.link, Link::Tcp(_)) {
            self.waiting_since = Some(Instant::now());
        }
        self.bytes += frame.len();
        self.sent.add_frame(&frame);
        self.queue.push_back(frame);
        !self.blocked && !std::mem::replace(&mut self.flush_owed, true)
    }

    /// Drops the oldest frames of which no byte has left. The front frame stays, since part of it may have.
    pub(super) fn drop_oldest(&mut self, length: usize, limit: usize) -> u64 {
        let mut lost = 0;
        while self.bytes + length > limit && self.queue.len() > 1 {
            if let Some(dropped) = self.queue.remove(1) {
                self.bytes -= dropped.len();
                self.sent.remove_frame(&dropped);
                lost += 1;
            }
        }
        lost
    }

    pub(super) fn with_slices<T>(&self, write: impl FnOnce(&[IoSlice<'_>]) -> T) -> T {
        if let [frame] = self.queue.as_slices().0 {
            return write(&[IoSlice::new(frame)]);
        }
        let mut slices = [IoSlice::new(&[]); SLICES];
        let count = self.queue.len().min(SLICES);
        for (slice, frame) in slices.iter_mut().zip(&self.queue) {
            *slice = IoSlice::new(frame);
        }
        write(&slices[..count])
    }

    /// Writes until the queue is empty, the kernel is full, or the peer is gone. A waker to call, if any.
    pub(super) fn write_tcp(&mut self) -> Option<Waker> {
        while !self.blocked {
            let Link::Tcp(stream) = &self.link else { return None };
            let front = self.queue.front()?;
            match write_front(stream, front, &self.queue) {
                Ok(written) => self.advance(written),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.blocked = true;
                    self.waiting_since.get_or_insert_with(Instant::now);
                    return self.driver.take();
                }
                Err(_) => {
                    self.finish_gone();
                    return self.driver.take();
                }
            }
        }
        None
    }

    /// Removes what has left. The clock of those that still wait starts anew.
    pub(super) fn advance(&mut self, mut written: usize) {
        self.bytes -= written;
        while let Some(front) = self.queue.front_mut() {
            if written < front.len() {
                front.advance(written);
                self.waiting_since = Some(Instant::now());
                return;
            }
            written -= front.len();
            self.queue.pop_front();
        }
        self.waiting_since = None;
        if self.queue.capacity() > IDLE_FRAMES {
            self.queue = VecDeque::new();
        }
    }

    pub(super) fn take_space(&mut self, limit: usize) -> Option<Waker> {
        if self.bytes <= limit / 2 || self.finished { self.space.take() } else { None }
    }

    pub(super) fn request(&mut self, request: Request) -> Option<Waker> {
        if self.request.is_none() || request == Request::Stop {
            self.request = Some(request);
        }
        self.driver.take()
    }

    pub(super) fn finish_gone(&mut self) {
        if let Link::Tcp(stream) = std::mem::replace(&mut self.link, Link::Gone) {
            // Its end would be the connection's half-close, which is the driver's to say.
            stream.forget();
        }
        self.finished = true;
        self.queue = VecDeque::new();
        self.bytes = 0;
        self.waiting_since = None;
    }
}

/// One `send`: of the front frame, or of as many small ones as fit together.
fn write_front(stream: &OwnedWriteHalf, front: &Bytes, queue: &VecDeque<Bytes>) -> io::Result<usize> {
    if queue.len() == 1 || front.len() > MERGED / 2 {
        return stream.try_write(front);
    }
    TOGETHER.with_borrow_mut(|together| {
        together.clear();
        for frame in queue {
            if together.len() + frame.len() > MERGED {
                break;
            }
            together.extend_from_slice(frame);
        }
        stream.try_write(together)
    })
}
