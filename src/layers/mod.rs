//! Channel layers: how consumers in any process talk to each other.
//!
//! A [`ChannelLayer`] carries [`Event`]s to *channels* (named inboxes) and *groups* (named sets of channels). Consumers
//! use it through their context; everything else (views, background tasks, other threads) through a [`LayerHandle`].
//! A layer knows no socket: what it delivers to is a [`Mailbox`] or an [`EventSink`].
//!
//! | file | what it holds |
//! |---|---|
//! | `layer`, `handle`, `aliases` | the trait, the typed handle, several layers by alias |
//! | `names`, `capacity` | names of channels and groups, capacities by pattern |
//! | `value`, `event` | what travels, and one message shared by all who get it |
//! | `history` | the last events of groups, for those who were away for a moment |
//! | `hub` | mailboxes, groups and memberships of this process |
//! | `memory` | the layer of one process |

mod aliases;
mod blocking;
mod capacity;
mod error;
mod event;
mod handle;
mod history;
pub mod hub;
mod layer;
mod locks;
mod memory;
pub mod names;
#[cfg(feature = "redis")]
pub mod redis;
mod stats;
mod value;

pub use aliases::{ChannelLayers, DEFAULT_ALIAS};
pub use blocking::BlockingLayerHandle;
pub use capacity::{Capacities, PatternError};
pub use error::LayerError;
pub use event::{EncodingKey, Event, EventError};
pub use handle::LayerHandle;
pub use history::{EventHistory, Followed, Follower};
pub use hub::{Delivered, Delivery, EventSink, LayerGap, Mailbox, MailboxOptions, Overflow, Pushed};
pub use layer::ChannelLayer;
pub use memory::{MemoryChannelLayer, MemoryChannelLayerBuilder};
pub use names::{ChannelName, GroupName, NameError};
pub use stats::{DropCause, LayerStats, LayerStatsSnapshot};
pub use value::{JsonError, Key, Map, Value, ValueError};
