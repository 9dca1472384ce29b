//! Settings of the in-memory layer.

use std::sync::Arc;
use std::time::Duration;

use super::channels::Channels;
use super::groups::NamedMembers;
use super::{Inner, MemoryChannelLayer};
use crate::layers::Capacities;
use crate::layers::hub::Hub;

/// Settings of a [`MemoryChannelLayer`].
///
/// ```
/// use solent::layers::{Capacities, MemoryChannelLayer};
/// use std::time::Duration;
///
/// let layer = MemoryChannelLayer::builder()
///     .capacities(Capacities::new(100).glob("thumbnails-*", 10_000)?)
///     .expiry(Duration::from_secs(10))
///     .group_expiry(Duration::from_secs(3600))
///     .build();
/// # Ok::<(), solent::layers::PatternError>(())
/// ```
#[derive(Debug, Clone)]
pub struct MemoryChannelLayerBuilder {
    capacities: Capacities,
    expiry: Duration,
    group_expiry: Duration,
}

impl Default for MemoryChannelLayerBuilder {
    fn default() -> Self {
        Self {
            capacities: Capacities::default(),
            expiry: Duration::from_secs(60),
            group_expiry: Duration::from_secs(86_400),
        }
    }
}

impl MemoryChannelLayerBuilder {
    /// Messages that may wait in one channel, where no pattern says otherwise. 100. Too few lose bursts; too many keep
    /// memory for readers that do not come.
    #[must_use]
    pub fn capacity(mut self, messages: usize) -> Self {
        self.capacities = self.capacities.with_default(messages);
        self
    }

    /// Capacities by pattern, with their default.
    #[must_use]
    pub fn capacities(mut self, capacities: Capacities) -> Self {
        self.capacities = capacities;
        self
    }

    /// How long a message waits in a plain channel. 60 s. Too short loses messages while a worker restarts.
    #[must_use]
    pub fn expiry(mut self, expiry: Duration) -> Self {
        self.expiry = expiry;
        self
    }

    /// How long a membership by name lives. A day. Live mailboxes and channels that someone listens on are not
    /// concerned.
    #[must_use]
    pub fn group_expiry(mut self, expiry: Duration) -> Self {
        self.group_expiry = expiry;
        self
    }

    /// The layer.
    pub fn build(self) -> MemoryChannelLayer {
        MemoryChannelLayer(Arc::new(Inner {
            hub: Hub::new(),
            channels: Channels::new(self.expiry),
            named: NamedMembers::default(),
            capacities: self.capacities,
            expiry: self.expiry,
            group_expiry: self.group_expiry,
        }))
    }
}
