//! What a channel layer's operations fail with.

use super::{ChannelName, EventError, NameError};

/// Why a layer's operation failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LayerError {
    /// The channel holds as many messages as it may. `group_send` never fails with it: it skips that member.
    /// Channels: `ChannelFull`.
    #[error("channel {channel} is full")]
    ChannelFull {
        /// The full channel.
        channel: ChannelName,
    },
    /// The broker behind the layer is away (channels' users know it as `LayerUnavailable`).
    #[error("channel layer unavailable: {host}: {reason}")]
    Unavailable {
        /// The broker's address, without secrets.
        host: String,
        /// What happened.
        reason: String,
    },
    /// A name that breaks the rule.
    #[error(transparent)]
    Name(#[from] NameError),
    /// A message that cannot be sent, or what was received does not decode.
    #[error(transparent)]
    Event(#[from] EventError),
    /// No layer of that alias.
    #[error("no channel layer {alias:?} is configured; configured: {}", list(.configured))]
    NotConfigured {
        /// The alias asked for.
        alias: String,
        /// The aliases that there are.
        configured: Vec<String>,
    },
    /// One connection asks for more groups than it may be in.
    #[error("a connection may be in {limit} groups (limit: groups_per_connection)")]
    TooManyGroups {
        /// The limit.
        limit: usize,
    },
    /// A mailbox was given to a layer that did not make it.
    #[error("mailbox {channel} belongs to another channel layer")]
    ForeignMailbox {
        /// The mailbox's name.
        channel: ChannelName,
    },
    /// Only plain channels can be received from by name: a specific channel has its mailbox.
    #[error("channel {channel} is a mailbox of one process: expected a plain name, without '!'")]
    NotReceivable {
        /// The channel.
        channel: ChannelName,
    },
    /// A value in the layer's settings that cannot be.
    #[error("channel layer setting {setting}: {reason}")]
    Setting {
        /// The setting's name.
        setting: String,
        /// What was expected and found.
        reason: String,
    },
}

fn list(aliases: &[String]) -> String {
    if aliases.is_empty() { "none".to_owned() } else { aliases.join(", ") }
}
