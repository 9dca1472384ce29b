//! What is local to this process: its mailboxes and groups, its listeners on plain channels, and what they make us
//! subscribe to.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

use bytes::Bytes;

use super::names::{Subscription, WireNames};
use super::subscriptions::Stale;
use crate::layers::hub::{Delivered, Feeder, Hub, Mailbox, MailboxOptions};
use crate::layers::locks::{lock, shrink};
use crate::layers::redis::Ring;
use crate::layers::redis::format::Codec;
use crate::layers::{ChannelName, DropCause, Event, GroupName};

/// The local side of a pub/sub layer.
#[derive(Debug)]
pub(super) struct Local {
    pub(super) hub: Arc<Hub>,
    pub(super) names: Arc<WireNames>,
    pub(super) codec: Codec,
    pub(super) ring: Ring,
    pub(super) stale: Arc<[Stale]>,
    patterns: Mutex<HashSet<Subscription>>,
    plain: Mutex<Plain>,
}

#[derive(Default)]
struct Plain {
    listeners: HashMap<ChannelName, Vec<Feeder>>,
    /// Plain channels that are members of groups, by name.
    members: HashMap<GroupName, HashSet<ChannelName>>,
}

impl std::fmt::Debug for Plain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Plain").field("listeners", &self.listeners.len()).finish_non_exhaustive()
    }
}

impl Local {
    pub(super) fn new(prefix: &str, codec: Codec, hosts: usize) -> Arc<Self> {
        let names = Arc::new(WireNames::new(prefix));
        let ring = Ring::new(hosts);
        let stale: Arc<[Stale]> = (0..hosts).map(|_| Stale::default()).collect();
        let (group_names, group_stale) = (names.clone(), stale.clone());
        let hub = Hub::with_on_emptied(move |group| {
            let channel = group_names.group(group);
            group_stale[ring.index(&channel)].mark(Subscription::Channel(channel));
        });
        let patterns = Mutex::new(HashSet::from([names.pattern("specific")]));
        Arc::new(Self { hub, names, codec, ring, stale, patterns, plain: Mutex::default() })
    }

    /// Delivers what came on a Redis channel. `own` when it came by the pattern of this process's channels.
    pub(super) fn deliver(&self, channel: &str, own: bool, payload: &[u8]) {
        let decoded = self.codec.decode(&Bytes::copy_from_slice(payload)).map_err(|error| error.to_string());
        let event = decoded.and_then(|map| Event::from_value(map.into()).map_err(|error| error.to_string()));
        let event = match event {
            Ok(event) => event,
            Err(error) => {
                tracing::debug!(channel, error, "a message that is none was skipped");
                return self.hub.stats().count_dropped(DropCause::Undecodable, 1);
            }
        };
        let reached = match self.names.group_of(channel) {
            _ if own => self.hub.deliver(channel, &event),
            _ if self.deliver_plain(channel, &event) => true,
            Some(group) => {
                self.deliver_group(group, &event);
                return;
            }
            None => false,
        };
        if !reached {
            self.hub.stats().count_dropped(DropCause::ChannelGone, 1);
        }
    }

    /// Every listener of a plain channel gets its messages, as every process does: that is how this wire has it.
    fn deliver_plain(&self, channel: &str, event: &Event) -> bool {
        let plain = lock(&self.plain);
        let Some(listeners) = plain.listeners.get(channel) else { return false };
        for listener in listeners {
            // What it has no room for is counted there.
            listener.deliver(event);
        }
        true
    }

    /// Delivers to a mailbox or a listener of this process; false when there is none.
    pub(super) fn deliver_here(&self, channel: &ChannelName, event: &Event) -> bool {
        self.hub.deliver(channel.as_str(), event) || self.deliver_plain(channel.as_str(), event)
    }

    pub(super) fn deliver_group(&self, group: &str, event: &Event) -> Delivered {
        let delivered = self.hub.deliver_group(group, event);
        let members = lock(&self.plain).members.get(group).cloned();
        for channel in members.into_iter().flatten() {
            self.deliver_plain(channel.as_str(), event);
        }
        delivered
    }

    /// A mailbox that hears a plain channel; the channel still has to be subscribed to.
    pub(super) fn listen(self: &Arc<Self>, channel: &ChannelName, options: MailboxOptions) -> Mailbox {
        let mailbox = self.hub.open_unnamed(channel.clone(), options);
        let feeder = mailbox.feeder();
        let (local, name, id) = (self.clone(), channel.clone(), feeder.id());
        lock(&self.plain).listeners.entry(channel.clone()).or_default().push(feeder);
        mailbox.with_on_drop(move |_| local.unlisten(&name, id))
    }

    fn unlisten(&self, channel: &ChannelName, id: u64) {
        let mut plain = lock(&self.plain);
        let Some(listeners) = plain.listeners.get_mut(channel) else { return };
        listeners.retain(|listener| listener.id() != id);
        if !listeners.is_empty() {
            return;
        }
        plain.listeners.remove(channel);
        shrink(&mut plain.listeners);
        let mut left = Vec::new();
        plain.members.retain(|group, members| {
            if members.remove(channel) {
                left.push(group.clone());
            }
            !members.is_empty()
        });
        drop(plain);
        self.mark_stale(channel.as_str().to_owned());
        left.iter().for_each(|group| self.mark_stale(self.names.group(group)));
    }

    fn mark_stale(&self, channel: String) {
        self.stale[self.ring.index(&channel)].mark(Subscription::Channel(channel));
    }

    /// Makes a plain channel a member of a group, in this process.
    pub(super) fn add_member(&self, group: &GroupName, channel: &ChannelName) {
        lock(&self.plain).members.entry(group.clone()).or_default().insert(channel.clone());
    }

    pub(super) fn remove_member(&self, group: &GroupName, channel: &ChannelName) {
        let mut plain = lock(&self.plain);
        let Some(members) = plain.members.get_mut(group) else { return };
        members.remove(channel);
        if members.is_empty() {
            plain.members.remove(group);
            drop(plain);
            self.mark_stale(self.names.group(group));
        }
    }

    /// Forgets all memberships.
    pub(super) fn clear(&self) {
        self.hub.clear();
        let groups: Vec<_> = std::mem::take(&mut lock(&self.plain).members).into_keys().collect();
        groups.iter().for_each(|group| self.mark_stale(self.names.group(group)));
    }

    /// Plain channels that someone listens on.
    pub(super) fn listened(&self) -> usize {
        lock(&self.plain).listeners.len()
    }

    /// Wants the pattern of another kind of this process's channels.
    pub(super) fn add_pattern(&self, kind: &str) -> Subscription {
        let pattern = self.names.pattern(kind);
        lock(&self.patterns).insert(pattern.clone());
        pattern
    }

    /// Whether a subscription has someone behind it.
    pub(super) fn is_wanted(&self, subscription: &Subscription) -> bool {
        let Subscription::Channel(channel) = subscription else { return true };
        let plain = lock(&self.plain);
        let has_member = |group: &str| plain.members.contains_key(group) || self.hub.has_group(group);
        plain.listeners.contains_key(channel.as_str()) || self.names.group_of(channel).is_some_and(has_member)
    }

    /// Everything that has someone behind it, on one host.
    pub(super) fn wanted(&self, host: usize) -> Vec<Subscription> {
        let plain = lock(&self.plain);
        let named = plain.members.keys().map(|group| self.names.group(group));
        let listened = plain.listeners.keys().map(|channel| channel.as_str().to_owned());
        let grouped = self.hub.groups().into_iter().map(|group| self.names.group(&group));
        let channels: HashSet<String> =
            named.chain(listened).chain(grouped).filter(|channel| self.ring.index(channel) == host).collect();
        let patterns = lock(&self.patterns).clone();
        patterns.into_iter().chain(channels.into_iter().map(Subscription::Channel)).collect()
    }

    /// Tells the members of these channels' groups that they may have missed something.
    pub(super) fn announce_gap_in(&self, channels: &[Subscription]) {
        let groups = channels.iter().filter_map(|channel| self.names.group_of(channel.name()));
        let groups: Vec<_> = groups.filter_map(|group| GroupName::parse(group).ok()).collect();
        self.hub.announce_gap(&groups);
    }

    /// Tells the members of all groups of one host that they may have missed something.
    pub(super) fn announce_gap(&self, host: usize) {
        let mut groups = self.hub.groups();
        groups.retain(|group| self.ring.index(&self.names.group(group)) == host);
        self.hub.announce_gap(&groups);
    }
}
