//! How many frames the outboxes of a server have dropped, told in the log at a bounded rate.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// Between two log entries, at least.
const QUIET: Duration = Duration::from_secs(10);

/// A server's count of dropped frames.
#[derive(Debug, Default)]
pub(crate) struct FrameDrops {
    total: AtomicU64,
    told: Mutex<Told>,
}

/// What the log knows.
#[derive(Debug, Default)]
struct Told {
    total: u64,
    at: Option<Instant>,
}

impl FrameDrops {
    pub(super) fn total(&self) -> u64 {
        self.total.load(Ordering::Relaxed)
    }

    pub(super) fn count(&self, frames: u64) {
        if frames == 0 {
            return;
        }
        let total = self.total.fetch_add(frames, Ordering::Relaxed) + frames;
        // Who finds it taken leaves the telling to the other.
        let Ok(mut told) = self.told.try_lock() else { return };
        if told.at.is_some_and(|at| at.elapsed() < QUIET) {
            return;
        }
        let since = total.saturating_sub(told.total);
        *told = Told { total, at: Some(Instant::now()) };
        drop(told);
        tracing::warn!(dropped = since, total, "frames were dropped for clients that read too slowly");
    }
}
