//! Waiting between attempts to connect: short at first, bounded, and spread so that processes do not come in step.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(50);
/// Messages shall flow within two seconds of Redis answering again.
const LONGEST: Duration = Duration::from_secs(1);

/// The next wait.
#[derive(Debug, Default)]
pub(in crate::layers::redis) struct Backoff(u32);

impl Backoff {
    /// How long to wait now: between half and the whole of a time that doubles.
    pub(in crate::layers::redis) fn next(&mut self) -> Duration {
        let whole = FIRST.saturating_mul(1 << self.0.min(10)).min(LONGEST);
        self.0 = self.0.saturating_add(1);
        whole.mul_f64(rand::random_range(0.5..=1.0))
    }
}
