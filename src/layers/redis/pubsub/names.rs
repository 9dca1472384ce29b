//! What things are called on the pub/sub wire.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::layers::{ChannelName, GroupName, NameError};

/// Something to be subscribed to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Subscription {
    /// A channel, by its name in Redis.
    Channel(String),
    /// All channels that begin alike, by their glob.
    Pattern(String),
}

impl Subscription {
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Channel(name) | Self::Pattern(name) => name,
        }
    }
}

/// Names of one layer in one process.
#[derive(Debug)]
pub(super) struct WireNames {
    group_prefix: String,
    prefix: String,
    process: String,
    serial: AtomicU64,
}

impl WireNames {
    pub(super) fn new(prefix: &str) -> Self {
        Self {
            group_prefix: format!("{prefix}__group__"),
            prefix: prefix.to_owned(),
            process: format!("{:016x}", rand::random::<u64>()),
            serial: AtomicU64::new(0),
        }
    }

    /// The Redis channel of a group.
    pub(super) fn group(&self, group: &GroupName) -> String {
        format!("{}{group}", self.group_prefix)
    }

    /// The group whose Redis channel this is.
    pub(super) fn group_of<'a>(&self, channel: &'a str) -> Option<&'a str> {
        channel.strip_prefix(&self.group_prefix)
    }

    /// What this process's channels of one kind begin with.
    fn front(&self, kind: &str) -> String {
        // Python's callers write the dot themselves.
        let kind = kind.strip_suffix('.').unwrap_or(kind);
        format!("{}{kind}.{}", self.prefix, self.process)
    }

    /// A fresh channel of this process.
    ///
    /// # Errors
    /// When the kind is not made of a name's letters. The prefix may have others, as in Python.
    pub(super) fn fresh(&self, kind: &str) -> Result<ChannelName, NameError> {
        ChannelName::new(kind)?;
        let serial = self.serial.fetch_add(1, Relaxed);
        Ok(ChannelName::made(format!("{}{serial:016x}", self.front(kind))))
    }

    /// The pattern of all channels of this process and kind.
    pub(super) fn pattern(&self, kind: &str) -> Subscription {
        Subscription::Pattern(format!("{}*", escaped(&self.front(kind))))
    }

    /// Whether a channel may be one of this process's own: those have mailboxes, and nobody receives from them by name.
    pub(super) fn is_own(&self, channel: &str) -> bool {
        let serial = channel.len().checked_sub(16);
        serial.and_then(|at| channel.get(..at)).is_some_and(|front| front.ends_with(&self.process))
    }
}

/// The text as a glob that matches only itself.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        if matches!(letter, '*' | '?' | '[' | ']' | '^' | '\\') {
            out.push('\\');
        }
        out.push(letter);
    }
    out
}
