//! Where a server counts what nothing else counts: requests, handshakes, refusals, answers of servers behind.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ::http::StatusCode;

use super::figures::UpstreamFigures;
use super::histogram::Histogram;

/// Status codes begin with 100 and end with 999.
const STATUSES: usize = 900;

/// Most rules and results of one's own; further ones are counted as `other`.
const MOST_NAMES: usize = 200;

/// A server's own counters. Read them with [`Figures::of`](super::Figures::of).
#[derive(Default)]
pub struct Metrics {
    requests: Statuses,
    pub(super) request_time: Histogram,
    pub(super) accepted: AtomicU64,
    pub(super) handshake_time: Histogram,
    refusals: Mutex<BTreeMap<String, u64>>,
    upstreams: Mutex<BTreeMap<String, Arc<Upstream>>>,
}

/// A counter per status.
struct Statuses(Box<[AtomicU64]>);

impl Default for Statuses {
    fn default() -> Self {
        Self((0..STATUSES).map(|_| AtomicU64::new(0)).collect())
    }
}

/// What one server behind has answered.
#[derive(Debug, Default)]
pub(crate) struct Upstream {
    results: Mutex<BTreeMap<&'static str, u64>>,
    time: Histogram,
}

impl Metrics {
    pub(crate) fn count_request(&self, status: StatusCode, time: Duration) {
        if let Some(counter) = self.requests.0.get(usize::from(status.as_u16()).wrapping_sub(100)) {
            counter.fetch_add(1, Relaxed);
        }
        self.request_time.record(time);
    }

    pub(crate) fn count_accepted(&self, time: Duration) {
        self.accepted.fetch_add(1, Relaxed);
        self.handshake_time.record(time);
    }

    pub(crate) fn count_refused(&self, rule: &str, time: Duration) {
        self.handshake_time.record(time);
        let mut refusals = lock(&self.refusals);
        let rule = if refusals.contains_key(rule) || refusals.len() < MOST_NAMES { rule } else { "other" };
        match refusals.get_mut(rule) {
            Some(count) => *count += 1,
            None => drop(refusals.insert(rule.to_owned(), 1)),
        }
    }

    /// The counters of one server behind, by its address.
    pub(crate) fn upstream(&self, name: &str) -> Arc<Upstream> {
        let mut upstreams = lock(&self.upstreams);
        if let Some(upstream) = upstreams.get(name) {
            return Arc::clone(upstream);
        }
        Arc::clone(upstreams.entry(name.to_owned()).or_default())
    }

    pub(super) fn requests(&self) -> BTreeMap<u16, u64> {
        let counted = (100..).zip(&self.requests.0).map(|(status, count)| (status, count.load(Relaxed)));
        counted.filter(|(_, count)| *count > 0).collect()
    }

    pub(super) fn refusals(&self) -> BTreeMap<String, u64> {
        lock(&self.refusals).clone()
    }

    pub(super) fn upstreams(&self) -> BTreeMap<String, UpstreamFigures> {
        let upstreams = lock(&self.upstreams);
        let figures = |upstream: &Upstream| UpstreamFigures {
            results: lock(&upstream.results)
                .iter()
                .map(|(name, count)| ((*name).to_owned(), *count))
                .collect(),
            time: upstream.time.distribution(),
        };
        upstreams.iter().map(|(name, upstream)| (name.clone(), figures(upstream))).collect()
    }
}

impl Upstream {
    /// Counts an answer by its class, or what came in its place.
    pub(crate) fn count(&self, result: &'static str, time: Duration) {
        *lock(&self.results).entry(result).or_default() += 1;
        self.time.record(time);
    }
}

/// The class of an answer of a server behind, as its figures name it.
pub(crate) fn class(status: StatusCode) -> &'static str {
    match status.as_u16() {
        100..=199 => "1xx",
        200..=299 => "2xx",
        300..=399 => "3xx",
        400..=499 => "4xx",
        _ => "5xx",
    }
}

fn lock<T>(map: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic can't leave a map half-changed.
    map.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").field("requests", &self.requests()).finish_non_exhaustive()
    }
}
