//! What things are called on the core wire.

use std::time::{Duration, SystemTime};

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::layers::hub::Membership;
use crate::layers::{ChannelName, GroupName, NameError};

/// The key inside a message that says for whom in the receiving process it is.
pub(super) const ADDRESS: &str = "__asgi_channel__";

/// What stands behind a channel's name in a group when its membership is a forwarded one. The wire does not say by which
/// group a message came, so the name has to.
const FORWARDED: &str = ".f";

/// Names and times of one layer in one process.
#[derive(Debug)]
pub(super) struct WireNames {
    prefix: String,
    process: String,
    last: AtomicU64,
}

impl WireNames {
    pub(super) fn new(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned(), process: hex(), last: AtomicU64::new(0) }
    }

    /// A fresh channel of this process.
    pub(super) fn fresh(&self, kind: &str) -> Result<ChannelName, NameError> {
        ChannelName::new(format!("{kind}.{}!{}", self.process, hex()))
    }

    /// The key of a channel's messages, from its non-local name.
    pub(super) fn key(&self, non_local: &str) -> String {
        format!("{}{non_local}", self.prefix)
    }

    /// The key of a group's members.
    pub(super) fn group(&self, group: &GroupName) -> String {
        format!("{}:group:{group}", self.prefix)
    }

    /// All keys of this prefix, as a glob.
    pub(super) fn all(&self) -> String {
        format!("{}*", escaped(&self.prefix))
    }

    /// The present as a score: Unix seconds. It always grows, so that messages of this process keep their order.
    pub(super) fn now(&self) -> f64 {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
        let now = u64::try_from(now.as_micros()).unwrap_or(u64::MAX);
        let last = self.last.fetch_max(now, Relaxed);
        let micros = if now > last { now } else { self.last.fetch_add(1, Relaxed) + 1 };
        #[allow(clippy::cast_precision_loss)] // microseconds of this century are exact enough in a float
        let seconds = micros as f64 / 1e6;
        seconds
    }
}

fn hex() -> String {
    format!("{:032x}", rand::random::<u128>())
}

/// A score as text.
pub(super) fn score(seconds: f64) -> String {
    format!("{seconds:.6}")
}

/// The score before which entries are `age` old.
pub(super) fn cutoff(now: f64, age: Duration) -> String {
    format!("{}", now.floor() - age.as_secs_f64())
}

/// The name by which a mailbox stands in a group.
pub(super) fn member(channel: &ChannelName, how: Membership) -> String {
    match how {
        Membership::Forwarded if channel.is_specific() => format!("{channel}{FORWARDED}"),
        _ => channel.to_string(),
    }
}

/// The mailbox, and the kind of membership, behind a name in a group.
pub(super) fn mailbox_of(member: &str) -> (&str, Membership) {
    match member.strip_suffix(FORWARDED) {
        Some(channel) => (channel, Membership::Forwarded),
        None => (member, Membership::Handled),
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
