//! Counters of a layer: what was delivered, and what was dropped by which cause.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Instant;

use super::LayerError;

/// Why an event did not reach someone it was meant for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DropCause {
    /// A consumer's mailbox had no room.
    MailboxFull,
    /// A socket's outbox had no room.
    OutboxFull,
    /// A plain channel held as many messages as it may.
    ChannelFull,
    /// The channel it was sent to does not exist any more, or its client is leaving.
    ChannelGone,
    /// Nobody received it in time.
    Expired,
    /// What came over the wire is no message.
    Undecodable,
    /// A message with bytes, or another thing that JSON has not, was meant for a JSON client.
    NotJson,
    /// The broker was away when it was sent.
    Disconnected,
}

impl DropCause {
    /// All causes.
    pub const ALL: [Self; 8] = [
        Self::MailboxFull,
        Self::OutboxFull,
        Self::ChannelFull,
        Self::ChannelGone,
        Self::Expired,
        Self::Undecodable,
        Self::NotJson,
        Self::Disconnected,
    ];

    /// The cause's name, as metrics and log entries call it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MailboxFull => "mailbox_full",
            Self::OutboxFull => "outbox_full",
            Self::ChannelFull => "channel_full",
            Self::ChannelGone => "channel_gone",
            Self::Expired => "expired",
            Self::Undecodable => "undecodable",
            Self::NotJson => "not_json",
            Self::Disconnected => "disconnected",
        }
    }
}

impl fmt::Display for DropCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How long one cause stays quiet after a log entry.
const QUIET_MS: u64 = 10_000;
const CAUSES: usize = DropCause::ALL.len();

/// A layer's counters, shared by all who deliver.
///
/// A layer of one's own counts what it does, and what it cannot do:
///
/// ```
/// use solent::layers::{DropCause, LayerError, LayerStats};
///
/// let stats = LayerStats::default();
/// stats.count_send(Ok::<(), LayerError>(()))?;
/// stats.count_group_send(Ok::<(), LayerError>(()))?;
/// stats.count_delivered(2);
/// stats.count_dropped(DropCause::Expired, 1);
/// let now = stats.snapshot();
/// assert_eq!((now.delivered, now.dropped(DropCause::Expired), now.dropped_total()), (2, 1, 1));
/// # Ok::<(), LayerError>(())
/// ```
#[derive(Debug)]
pub struct LayerStats {
    started: Instant,
    dropped: [Counter; CAUSES],
    delivered: AtomicU64,
    sends: AtomicU64,
    group_sends: AtomicU64,
    errors: AtomicU64,
}

/// One cause's count, what of it was logged, and when the next entry is due (milliseconds since the start).
#[derive(Debug, Default)]
struct Counter {
    total: AtomicU64,
    logged: AtomicU64,
    next_log: AtomicU64,
}

impl Default for LayerStats {
    fn default() -> Self {
        Self {
            started: Instant::now(),
            dropped: Default::default(),
            delivered: AtomicU64::new(0),
            sends: AtomicU64::new(0),
            group_sends: AtomicU64::new(0),
            errors: AtomicU64::new(0),
        }
    }
}

impl LayerStats {
    /// Counts events that reached a mailbox or an outbox.
    pub fn count_delivered(&self, events: u64) {
        if events > 0 {
            self.delivered.fetch_add(events, Relaxed);
        }
    }

    /// Counts a send to one channel, and its error if it is one. Gives the outcome back.
    ///
    /// # Errors
    /// The outcome's own.
    pub fn count_send<T>(&self, outcome: Result<T, LayerError>) -> Result<T, LayerError> {
        self.sends.fetch_add(1, Relaxed);
        self.count_error(outcome)
    }

    /// Counts a send to a group, and its error if it is one. Gives the outcome back.
    ///
    /// # Errors
    /// The outcome's own.
    pub fn count_group_send<T>(&self, outcome: Result<T, LayerError>) -> Result<T, LayerError> {
        self.group_sends.fetch_add(1, Relaxed);
        self.count_error(outcome)
    }

    fn count_error<T>(&self, outcome: Result<T, LayerError>) -> Result<T, LayerError> {
        if outcome.is_err() {
            self.errors.fetch_add(1, Relaxed);
        }
        outcome
    }

    /// Counts dropped events, and says so in the log at most once per cause and ten seconds.
    pub fn count_dropped(&self, cause: DropCause, events: u64) {
        if events == 0 {
            return;
        }
        let counter = &self.dropped[cause as usize];
        let total = counter.total.fetch_add(events, Relaxed) + events;
        let now = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let due = counter.next_log.load(Relaxed);
        let next = now.saturating_add(QUIET_MS);
        if now >= due && counter.next_log.compare_exchange(due, next, Relaxed, Relaxed).is_ok() {
            let since = total.saturating_sub(counter.logged.swap(total, Relaxed));
            tracing::warn!(cause = cause.as_str(), dropped = since, total, "channel layer dropped events");
        }
    }

    /// The counters as they are now, without what only the registry knows.
    pub fn snapshot(&self) -> LayerStatsSnapshot {
        LayerStatsSnapshot {
            delivered: self.delivered.load(Relaxed),
            sends: self.sends.load(Relaxed),
            group_sends: self.group_sends.load(Relaxed),
            errors: self.errors.load(Relaxed),
            dropped: std::array::from_fn(|at| self.dropped[at].total.load(Relaxed)),
            ..LayerStatsSnapshot::default()
        }
    }
}

/// A layer's counters at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LayerStatsSnapshot {
    /// Mailboxes that are open in this process.
    pub mailboxes: usize,
    /// Groups with a member in this process.
    pub groups: usize,
    /// Memberships of mailboxes in groups.
    pub memberships: usize,
    /// Plain channels that hold messages or are waited on, where the layer keeps them itself.
    pub channels: usize,
    /// Events that reached a mailbox or an outbox.
    pub delivered: u64,
    /// Sends to single channels.
    pub sends: u64,
    /// Sends to groups.
    pub group_sends: u64,
    /// Sends of either kind that failed.
    pub errors: u64,
    /// How often a lost connection to the broker was made again.
    pub reconnects: u64,
    dropped: [u64; CAUSES],
}

impl LayerStatsSnapshot {
    /// Events dropped for `cause`.
    pub fn dropped(&self, cause: DropCause) -> u64 {
        self.dropped[cause as usize]
    }

    /// Events dropped for any cause.
    pub fn dropped_total(&self) -> u64 {
        self.dropped.iter().sum()
    }
}
