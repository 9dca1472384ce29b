//! Whether the client of a long answer is still there, as far as its connection tells before anything is written.
//!
//! A consumer that waits says so by a [`Watch`]; the server then looks ahead on the connection. An end of the client's
//! direction alone is no departure: half-closed clients get their answer, if it comes soon.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::timeout;

/// What one HTTP/1.1 connection's requests are told of their client.
#[derive(Debug, Clone, Default)]
pub(crate) struct Departure(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    watches: AtomicUsize,
    presence: AtomicU8,
    told: Notify,
}

const HALF_CLOSED: u8 = 1;
const GONE: u8 = 2;

impl Departure {
    /// Whether anybody wants to know.
    pub(crate) fn is_watched(&self) -> bool {
        self.0.watches.load(Ordering::Acquire) > 0
    }

    /// The client has ended its direction; it may have left, or it may still read.
    pub(crate) fn half_closed(&self) {
        self.tell(HALF_CLOSED);
    }

    /// The connection broke.
    pub(crate) fn gone(&self) {
        self.tell(GONE);
    }

    fn tell(&self, presence: u8) {
        self.0.presence.fetch_max(presence, Ordering::AcqRel);
        self.0.told.notify_waiters();
    }

    /// Begins to watch.
    pub(crate) fn watch(&self) -> Watch {
        self.0.watches.fetch_add(1, Ordering::AcqRel);
        Watch { departure: self.clone(), stopped: AtomicBool::new(false) }
    }
}

/// One request's interest in its client's presence.
#[derive(Debug)]
pub(crate) struct Watch {
    departure: Departure,
    stopped: AtomicBool,
}

impl Watch {
    /// Ends the interest: writing will tell.
    pub(crate) fn stop(&self) {
        if !self.stopped.swap(true, Ordering::AcqRel) {
            self.departure.0.watches.fetch_sub(1, Ordering::AcqRel);
            self.departure.0.told.notify_waiters();
        }
    }

    /// Waits until the client has left: its connection broke, or its direction has been closed for `patience`.
    /// Never, once stopped. Cancel safe; a new call begins to be patient anew.
    pub(crate) async fn left(&self, patience: Duration) {
        let inner = &self.departure.0;
        loop {
            let mut told = std::pin::pin!(inner.told.notified());
            told.as_mut().enable();
            if self.stopped.load(Ordering::Acquire) {
                return std::future::pending().await;
            }
            match inner.presence.load(Ordering::Acquire) {
                GONE => return,
                HALF_CLOSED if timeout(patience, told.as_mut()).await.is_err() => return,
                HALF_CLOSED => {}
                _ => told.await,
            }
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop();
    }
}
