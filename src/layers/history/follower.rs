//! One who follows groups through their history.

use std::fmt;
use std::sync::{Arc, PoisonError};

use tokio::sync::watch;
use tokio::time::Instant;

use super::Recording;
use super::recorder::Recorded;
use super::ring::Item;
use crate::layers::Event;

/// What one who follows gets.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Followed {
    /// The next event.
    Event(Event),
    /// Events may have been lost here: what is shown should be fetched anew.
    Gap,
}

/// One who follows groups; see [`EventHistory`](super::EventHistory).
pub struct Follower {
    recorded: Arc<Recorded>,
    /// Wakes when there is more; held, it says that somebody follows.
    next: watch::Receiver<u64>,
    /// The number of what is wanted next.
    wanted: u64,
    /// What was missed is not to be had any more.
    has_gap: bool,
    _recording: Arc<Recording>,
}

impl Follower {
    pub(super) fn new(recorded: Arc<Recorded>, position: Option<&str>, recording: Arc<Recording>) -> Self {
        let next = recorded.next.subscribe();
        let ring = recorded.ring();
        let known = position.and_then(|position| number(position, recorded.epoch));
        let known = known.filter(|wanted| (ring.first()..=ring.next()).contains(wanted));
        let wanted = known.unwrap_or(ring.next());
        let has_gap = position.is_some() && known.is_none();
        drop(ring);
        Self { recorded, next, wanted, has_gap, _recording: recording }
    }

    /// Behind what came last: from here a later [`follow`](super::EventHistory::follow) goes on.
    pub fn position(&self) -> String {
        format!("{:016x}-{}", self.recorded.epoch, self.wanted)
    }

    /// What comes next; waits for it.
    ///
    /// # Cancel safety
    /// A call that was dropped has taken nothing.
    pub async fn next(&mut self) -> Followed {
        loop {
            // Seen before looking, so that what comes in between wakes.
            self.next.borrow_and_update();
            if let Some(followed) = self.take() {
                return followed;
            }
            // The sender is in what this follower holds.
            let _ = self.next.changed().await;
        }
    }

    /// What is there already.
    fn take(&mut self) -> Option<Followed> {
        if std::mem::take(&mut self.has_gap) {
            return Some(Followed::Gap);
        }
        let ring = self.recorded.ring();
        if self.wanted < ring.first() {
            // Whoever reads this slowly has lost what the ring could not hold.
            self.wanted = ring.first();
            return Some(Followed::Gap);
        }
        let item = ring.get(self.wanted).cloned()?;
        self.wanted += 1;
        Some(match item {
            Item::Event(event) => Followed::Event(event),
            Item::Gap => Followed::Gap,
        })
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        *self.recorded.left.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }
}

impl fmt::Debug for Follower {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Follower").field("position", &self.position()).finish_non_exhaustive()
    }
}

/// The number in a position of this recording.
fn number(position: &str, epoch: u64) -> Option<u64> {
    let (of, number) = position.split_once('-')?;
    if u64::from_str_radix(of, 16).ok()? != epoch {
        return None;
    }
    number.parse().ok()
}
