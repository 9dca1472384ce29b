//! Waiting in tests: for a condition, with a bound. Nothing else in `tests/` sleeps.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses its own part")]

use std::time::{Duration, Instant};

/// How long anything may take that should happen at once, on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// How often a condition is looked at.
const OFTEN: Duration = Duration::from_millis(5);

/// Waits until `holds`.
pub async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    eventually_async(what, PATIENCE, async || holds()).await;
}

/// Waits until `condition`, which needs no name.
pub async fn until(condition: impl FnMut() -> bool) {
    eventually("the condition", condition).await;
}

/// Waits until `holds`, which has to ask someone; for as long as `patience` at most.
pub async fn eventually_async(what: &str, patience: Duration, mut holds: impl AsyncFnMut() -> bool) {
    let deadline = tokio::time::Instant::now() + patience;
    let mut pace = Pace::every(OFTEN);
    while !holds().await {
        assert!(tokio::time::Instant::now() < deadline, "not within {patience:?}: {what}");
        pace.next().await;
    }
}

/// Waits on this thread until `holds`; for as long as `patience` at most.
pub fn eventually_blocking(what: &str, patience: Duration, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + patience;
    while !holds() {
        assert!(Instant::now() < deadline, "not within {patience:?}: {what}");
        std::thread::park_timeout(OFTEN);
    }
}

/// Waits until a figure that grows has stood still for a fifth of a second, and says where.
pub async fn standstill(figure: impl Fn() -> usize) -> usize {
    const STILL: u32 = 40;
    let deadline = Instant::now() + 6 * PATIENCE;
    let (mut pace, mut last, mut unchanged) = (Pace::every(OFTEN), figure(), 0);
    while unchanged < STILL {
        assert!(Instant::now() < deadline, "it goes on and on, and is at {last}");
        pace.next().await;
        let now = figure();
        unchanged = if now == last { unchanged + 1 } else { 0 };
        last = now;
    }
    last
}

/// The steps of something that has a pace of its own: traffic, or a peer that is slow on purpose.
pub struct Pace(tokio::time::Interval);

impl Pace {
    pub fn every(step: Duration) -> Self {
        let mut interval = tokio::time::interval_at(tokio::time::Instant::now() + step, step);
        interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        Self(interval)
    }

    /// Lets the next step begin now.
    pub fn reset(&mut self) {
        self.0.reset();
    }

    pub async fn next(&mut self) {
        self.0.tick().await;
    }
}
