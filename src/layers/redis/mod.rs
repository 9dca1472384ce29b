//! Channel layers over Redis, on the wires of Python's channels_redis: consumers in any process, on any machine, in
//! Rust or in Python.
//!
//! | layer | wire | delivery |
//! |---|---|---|
//! | [`RedisPubSubChannelLayer`] | `channels_redis.pubsub` | at most once; one subscription per group and process |
//! | [`RedisChannelLayer`] | `channels_redis.core` | sorted sets, capacity, expiry; survives a restart of the receiver |
//!
//! Both share one wire with every side only when prefix, serializer, keys and the list of hosts, in its order, are the
//! same everywhere. What is published while nobody is subscribed is lost, as Redis pub/sub has it.
//!
//! # Rights
//! An ACL user needs, for pub/sub, `+publish +subscribe +unsubscribe +psubscribe +punsubscribe +ping` and
//! `allchannels`: Redis grants a pattern subscription only by its literal pattern, and each process has its own. For
//! the core layer, `+@sortedset +expire +del +scan +eval +ping +client|id +client|unblock` and `~PREFIX*`.
//!
//! | folder | what it holds |
//! |---|---|
//! | `format` | messages as bytes |
//! | `wire` | connections: hosts, health, the pipelined publisher |
//! | `pubsub`, `core` | the two layers |

mod core;
pub mod format;
mod pubsub;
mod ring;
mod settings;
mod wire;

pub use core::RedisChannelLayer;
pub use pubsub::RedisPubSubChannelLayer;
pub use ring::Ring;
pub use settings::RedisSettings;
pub use wire::{Host, HostError};
