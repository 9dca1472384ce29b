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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_are_spread_over_their_upper_half() {
        let ways: Vec<Vec<Duration>> = (0..200)
            .map(|_| {
                let mut backoff = Backoff::default();
                (0..40).map(|_| backoff.next()).collect()
            })
            .collect();
        for turn in 0..40 {
            let whole = FIRST.saturating_mul(1 << turn.min(10)).min(LONGEST);
            let waits = || ways.iter().map(|way| way[turn]);
            assert!(waits().all(|wait| whole / 2 <= wait && wait <= whole), "turn {turn}");
            // Processes that lost Redis together must not come back together.
            let spread = waits().max().unwrap() - waits().min().unwrap();
            assert!(spread > whole / 4, "turn {turn}: all within {spread:?} of {whole:?}");
        }
    }
}
