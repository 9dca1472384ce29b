//! Counters of a process's workers.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What became of the messages that this process's workers took.
///
/// ```
/// use solent::Environment;
/// use solent::consumer::WorkerStats;
///
/// let env = Environment::default();
/// let workers: &WorkerStats = &env.workers;
/// assert_eq!(workers.snapshot().failed, 0);
/// ```
#[derive(Debug, Default)]
pub struct WorkerStats {
    handled: AtomicU64,
    failed: AtomicU64,
    undecodable: AtomicU64,
}

/// The counters at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct WorkerStatsSnapshot {
    /// Messages whose handler ended well.
    pub handled: u64,
    /// Messages whose handler failed or panicked.
    pub failed: u64,
    /// Messages that the consumer does not understand.
    pub undecodable: u64,
}

impl WorkerStats {
    pub(super) fn count_handled(&self) {
        self.handled.fetch_add(1, Relaxed);
    }

    pub(super) fn count_failed(&self) {
        self.failed.fetch_add(1, Relaxed);
    }

    pub(super) fn count_undecodable(&self) {
        self.undecodable.fetch_add(1, Relaxed);
    }

    /// The counters now.
    pub fn snapshot(&self) -> WorkerStatsSnapshot {
        WorkerStatsSnapshot {
            handled: self.handled.load(Relaxed),
            failed: self.failed.load(Relaxed),
            undecodable: self.undecodable.load(Relaxed),
        }
    }
}
