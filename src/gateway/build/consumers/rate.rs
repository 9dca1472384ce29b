//! How many messages may come: a bucket that fills with time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::time::Instant;

use crate::gateway::units::Rate;

/// A bucket of tokens: a message takes one, time gives them back.
#[derive(Debug)]
pub(crate) struct Bucket {
    tokens: f64,
    most: f64,
    per_second: f64,
    filled: Instant,
}

impl Bucket {
    /// A full bucket. `burst` messages may come at once, on top of one time unit's worth of none.
    pub(crate) fn new(rate: Rate, burst: u32) -> Self {
        let most = f64::from(burst.max(1));
        let per_second = f64::from(rate.count) / rate.per.as_secs_f64();
        Self { tokens: most, most, per_second, filled: Instant::now() }
    }

    /// Takes a token; `false` when there is none.
    pub(crate) fn take(&mut self) -> bool {
        let now = Instant::now();
        let gained = now.duration_since(self.filled).as_secs_f64() * self.per_second;
        self.tokens = (self.tokens + gained).min(self.most);
        self.filled = now;
        let enough = self.tokens >= 1.0;
        if enough {
            self.tokens -= 1.0;
        }
        enough
    }
}

/// One bucket per user, which lives as long as one of the user's sockets does.
#[derive(Debug, Default)]
pub(crate) struct Buckets(Mutex<HashMap<String, Weak<Mutex<Bucket>>>>);

impl Buckets {
    /// The user's bucket.
    pub(crate) fn of(&self, user: &str, rate: Rate, burst: u32) -> Arc<Mutex<Bucket>> {
        let mut buckets = lock(&self.0);
        if let Some(bucket) = buckets.get(user).and_then(Weak::upgrade) {
            return bucket;
        }
        // Users who left are forgotten as others come: the map is never much larger than what is in use.
        if buckets.len() >= 2 * buckets.values().filter(|bucket| bucket.strong_count() > 0).count() + 16 {
            buckets.retain(|_, bucket| bucket.strong_count() > 0);
        }
        let bucket = Arc::new(Mutex::new(Bucket::new(rate, burst)));
        buckets.insert(user.to_owned(), Arc::downgrade(&bucket));
        bucket
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while one of these is held.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_passes_and_then_the_rate_holds() {
        let rate = Rate { count: 20, per: Duration::from_secs(1) };
        let mut bucket = Bucket::new(rate, 3);
        assert_eq!((0..5).filter(|_| bucket.take()).count(), 3);
        tokio::time::advance(Duration::from_millis(50)).await;
        assert_eq!((0..5).filter(|_| bucket.take()).count(), 1);
        tokio::time::advance(Duration::from_secs(60)).await;
        assert_eq!((0..5).filter(|_| bucket.take()).count(), 3);
    }

    #[tokio::test]
    async fn sockets_of_one_user_share_a_bucket_which_goes_with_the_last() {
        let rate = Rate { count: 1, per: Duration::from_secs(3600) };
        let buckets = Buckets::default();
        let (first, second) = (buckets.of("1", rate, 2), buckets.of("1", rate, 2));
        assert!(lock(&first).take() && lock(&second).take() && !lock(&first).take());
        assert!(lock(&buckets.of("2", rate, 2)).take());
        drop((first, second));
        for user in 0..100 {
            buckets.of(&user.to_string(), rate, 2);
        }
        assert!(lock(&buckets.0).len() < 40);
    }
}
