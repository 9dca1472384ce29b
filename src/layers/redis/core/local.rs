//! What is local to this process: its mailboxes, and which of them a message from the inbox is for.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use tokio::sync::Notify;

use super::names::{ADDRESS, WireNames, mailbox_of, member};
use crate::layers::hub::{Hub, Membership};
use crate::layers::locks::lock;
use crate::layers::redis::Ring;
use crate::layers::redis::format::Codec;
use crate::layers::{Capacities, DropCause, Event, GroupName, Map, Value};

/// The local side of a core layer.
#[derive(Debug)]
pub(super) struct Local {
    pub(super) hub: Arc<Hub>,
    pub(super) names: WireNames,
    pub(super) codec: Codec,
    pub(super) capacity: Capacities,
    pub(super) ring: Ring,
    departed: Arc<Departed>,
}

/// Memberships that have ended and still stand in Redis.
#[derive(Debug, Default)]
struct Departed {
    members: Mutex<HashSet<(GroupName, String)>>,
    added: Notify,
}

impl Local {
    pub(super) fn new(prefix: &str, codec: Codec, capacity: Capacities, hosts: usize) -> Arc<Self> {
        let departed = Arc::new(Departed::default());
        let ended = departed.clone();
        let hub = Hub::with_on_closed(move |channel, groups| {
            let mut members = lock(&ended.members);
            for group in groups {
                let kinds = [Membership::Handled, Membership::Forwarded];
                members.extend(kinds.map(|how| (group.clone(), member(channel, how))));
            }
            drop(members);
            ended.added.notify_one();
        });
        let (names, ring) = (WireNames::new(prefix), Ring::new(hosts));
        Arc::new(Self { hub, names, codec, capacity, ring, departed })
    }

    /// Waits for memberships that have ended and takes them.
    pub(super) async fn departed(&self) -> Vec<(GroupName, String)> {
        loop {
            let found = std::mem::take(&mut *lock(&self.departed.members));
            if !found.is_empty() {
                return found.into_iter().collect();
            }
            self.departed.added.notified().await;
        }
    }

    /// Notes a membership that has ended, for another attempt.
    pub(super) fn depart(&self, gone: impl IntoIterator<Item = (GroupName, String)>) {
        lock(&self.departed.members).extend(gone);
        self.departed.added.notify_one();
    }

    /// Whether a name still stands for a member of this process.
    pub(super) fn is_member(&self, group: &GroupName, name: &str) -> bool {
        let is_it = |(channel, how): &(_, Membership)| member(channel, *how) == name;
        self.hub.members(group.as_str()).iter().any(is_it)
    }

    /// The names by which this process's mailboxes stand in a group.
    pub(super) fn members(&self, group: &GroupName) -> HashSet<String> {
        self.hub.members(group.as_str()).iter().map(|(channel, how)| member(channel, *how)).collect()
    }

    /// The message of some bytes, without its address. `None`, and counted, when it is none.
    pub(super) fn read(&self, key: &str, framed: &Bytes) -> Option<(Event, Option<Value>)> {
        let decoded =
            self.codec.decode(framed).map_err(|error| error.to_string()).and_then(|mut map: Map| {
                let address = map.remove(ADDRESS);
                Event::from_value(map.into()).map(|event| (event, address)).map_err(|error| error.to_string())
            });
        match decoded {
            Ok(found) => Some(found),
            Err(error) => {
                tracing::debug!(key, error, "a message that is none was skipped");
                self.hub.stats().count_dropped(DropCause::Undecodable, 1);
                None
            }
        }
    }

    /// Hands a message of this process's inbox to those it is for: one by `send`, a list by `group_send`.
    pub(super) fn hand_out(&self, key: &str, framed: &Bytes) {
        let Some((event, address)) = self.read(key, framed) else { return };
        let gone = match &address {
            Some(Value::Text(channel)) => usize::from(!self.hub.deliver(channel, &event)),
            Some(Value::Array(members)) => {
                let members = members.iter().filter_map(Value::as_str).map(mailbox_of);
                self.hub.deliver_each(members, &event).1
            }
            _ => return self.hub.stats().count_dropped(DropCause::Undecodable, 1),
        };
        self.hub.stats().count_dropped(DropCause::ChannelGone, gone as u64);
    }
}
