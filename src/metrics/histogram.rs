//! Times, sorted into buckets.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Upper bounds of the buckets, in microseconds.
const BOUNDS: [u64; 14] = [
    500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000,
    5_000_000, 10_000_000,
];

/// Counts times by how long they were. Counting is two additions, and waits for nobody.
///
/// ```
/// use std::time::Duration;
/// use solent::metrics::{Distribution, Histogram};
///
/// let times = Histogram::default();
/// times.record(Duration::from_millis(3));
/// times.record(Duration::from_secs(2));
/// let seen: Distribution = times.distribution();
/// assert_eq!((seen.count, seen.sum), (2, Duration::from_millis(2003)));
/// ```
#[derive(Debug, Default)]
pub struct Histogram {
    buckets: [AtomicU64; BOUNDS.len() + 1],
    micros: AtomicU64,
}

/// A histogram at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Distribution {
    /// For each upper bound, in seconds, how many times were no longer.
    pub buckets: Vec<(f64, u64)>,
    /// How many times were counted.
    pub count: u64,
    /// Their sum.
    pub sum: Duration,
}

impl Histogram {
    /// Counts a time.
    pub fn record(&self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let bucket = BOUNDS.partition_point(|bound| *bound < micros);
        self.buckets[bucket].fetch_add(1, Relaxed);
        self.micros.fetch_add(micros, Relaxed);
    }

    /// The times counted so far.
    pub fn distribution(&self) -> Distribution {
        let mut count = 0;
        let mut buckets = Vec::with_capacity(BOUNDS.len());
        for (bound, bucket) in BOUNDS.iter().zip(&self.buckets) {
            count += bucket.load(Relaxed);
            buckets.push((Duration::from_micros(*bound).as_secs_f64(), count));
        }
        count += self.buckets[BOUNDS.len()].load(Relaxed);
        Distribution { buckets, count, sum: Duration::from_micros(self.micros.load(Relaxed)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_in_all_buckets_that_hold_it() {
        let histogram = Histogram::default();
        for micros in [0, 500, 501, 3_000_000, 60_000_000] {
            histogram.record(Duration::from_micros(micros));
        }
        let told = histogram.distribution();
        assert_eq!(told.buckets[0], (0.0005, 2));
        assert_eq!(told.buckets[1], (0.001, 3));
        assert_eq!(told.buckets[13], (10.0, 4));
        assert_eq!((told.count, told.sum), (5, Duration::from_micros(63_001_001)));
    }
}
