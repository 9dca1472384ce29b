//! The last events of groups, for those who were away for a moment.
//!
//! An [`EventHistory`] joins groups of its own, numbers what comes, and keeps the last of it in a bounded ring. Who follows
//! gets what they missed, then what comes; where that cannot be had, they are told of a gap.

mod follower;
mod recorder;
mod ring;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::OnceCell;

pub use follower::{Followed, Follower};
use recorder::Recorded;

use super::{ChannelLayer, GroupName, LayerError};

/// Recordings at once that wait for somebody to come back; beyond, one ends with its last follower.
const MOST: usize = 10_000;

/// Keeps the last events of groups, for those who were away for a moment. Cheap to clone.
///
/// What was recorded begins when somebody first follows a set of groups, and ends when nobody has for
/// [`keep`](Self::keep). It is of this process: a position of another process, or of this one before its restart, is a
/// gap.
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// use serde_json::json;
/// use solent::layers::{ChannelLayer, Event, EventHistory, Followed, GroupName, MemoryChannelLayer};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let layer: Arc<dyn ChannelLayer> = Arc::new(MemoryChannelLayer::new());
/// let history = EventHistory::new().events(500).keep(Duration::from_secs(300));
/// let news = GroupName::new("news")?;
/// let mut first = history.follow(&layer, vec![news.clone()], None).await?;
/// let seen = first.position();
/// drop(first);
/// layer.group_send(&news, Event::new(&json!({"type": "news", "text": "missed"}))?).await?;
/// let mut again = history.follow(&layer, vec![news], Some(&seen)).await?;
/// assert!(matches!(again.next().await, Followed::Event(event) if event.message_type() == Some("news")));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use]
pub struct EventHistory(Arc<Inner>);

struct Inner {
    events: usize,
    bytes: usize,
    keep: Duration,
    recordings: Mutex<HashMap<Key, Arc<Recording>>>,
}

/// The groups, sorted, of one layer.
type Key = (usize, Vec<GroupName>);

/// What is recorded of a set of groups, once it has begun.
struct Recording(OnceCell<Arc<Recorded>>);

impl EventHistory {
    /// The last 100 events of each set of groups, of 256 KiB together, for a minute.
    pub fn new() -> Self {
        Self::with(100, 256 << 10, Duration::from_secs(60))
    }

    fn with(events: usize, bytes: usize, keep: Duration) -> Self {
        Self(Arc::new(Inner { events, bytes, keep, recordings: Mutex::default() }))
    }

    /// How many events are kept of each set of groups. Default: 100. Too few and a short absence is a gap.
    pub fn events(self, most: usize) -> Self {
        Self::with(most.max(1), self.0.bytes, self.0.keep)
    }

    /// How many bytes they may take together; the newest is kept whatever its size. Default: 256 KiB.
    pub fn bytes(self, most: usize) -> Self {
        Self::with(self.0.events, most, self.0.keep)
    }

    /// For how long a set of groups is recorded at least when nobody follows it any more. Default: a minute. Too short and
    /// who comes back has a gap; too long and memory is kept for those who do not.
    pub fn keep(self, time: Duration) -> Self {
        Self::with(self.0.events, self.0.bytes, time)
    }

    /// Follows groups: from `position` on, where a [`Follower`] was before, or from now on. The groups have been joined
    /// when this is done.
    ///
    /// # Errors
    /// As [`ChannelLayer::group_add`], for the first who follows these groups.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    ///
    /// # Cancel safety
    /// A call that was dropped follows nothing. What it began to record goes on, or is begun anew by the next.
    pub async fn follow(
        &self,
        layer: &Arc<dyn ChannelLayer>,
        mut groups: Vec<GroupName>,
        position: Option<&str>,
    ) -> Result<Follower, LayerError> {
        groups.sort();
        groups.dedup();
        let key = (Arc::as_ptr(layer).addr(), groups);
        let recording = {
            let mut recordings = self.0.recordings.lock().unwrap_or_else(PoisonError::into_inner);
            let new = || Arc::new(Recording(OnceCell::new()));
            Arc::clone(recordings.entry(key.clone()).or_insert_with(new))
        };
        let begun = recording.0.get_or_try_init(|| recorder::begin(&self.0, layer, &key)).await;
        match begun {
            Ok(recorded) => Ok(Follower::new(Arc::clone(recorded), position, recording.clone())),
            Err(error) => {
                self.0.forget(&key, &recording);
                Err(error)
            }
        }
    }
}

impl Inner {
    /// Forgets a recording that nobody follows, unless somebody just came. `held` is what the caller has of it.
    fn forget(&self, key: &Key, held: &Arc<Recording>) -> bool {
        let mut recordings = self.recordings.lock().unwrap_or_else(PoisonError::into_inner);
        // The map's own and the caller's; whoever follows has one more, and takes it under this lock.
        let idle = Arc::strong_count(held) <= 2;
        if idle && recordings.get(key).is_some_and(|known| Arc::ptr_eq(known, held)) {
            recordings.remove(key);
        }
        idle
    }

    /// Whether there are so many recordings that none may outlive its followers.
    fn is_full(&self) -> bool {
        self.recordings.lock().unwrap_or_else(PoisonError::into_inner).len() > MOST
    }
}

impl Default for EventHistory {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for EventHistory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventHistory")
            .field("events", &self.0.events)
            .field("bytes", &self.0.bytes)
            .field("keep", &self.0.keep)
            .finish_non_exhaustive()
    }
}
