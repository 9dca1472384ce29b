//! Members by name: plain channels in groups, which no guard holds and which therefore expire.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

use crate::layers::locks::{lock, shrink};
use crate::layers::{ChannelName, GroupName};

/// Plain channels in groups, with the time at which each was last added.
#[derive(Default)]
pub(super) struct NamedMembers(Mutex<HashMap<GroupName, HashMap<ChannelName, Instant>>>);

impl NamedMembers {
    /// Adds a member; adding it again renews it.
    pub(super) fn add(&self, group: &GroupName, channel: &ChannelName, now: Instant) {
        lock(&self.0).entry(group.clone()).or_default().insert(channel.clone(), now);
    }

    pub(super) fn remove(&self, group: &GroupName, channel: &ChannelName) {
        let mut groups = lock(&self.0);
        let Some(members) = groups.get_mut(group) else { return };
        members.remove(channel);
        if members.is_empty() {
            groups.remove(group);
            shrink(&mut groups);
        }
    }

    pub(super) fn remove_everywhere(&self, channel: &ChannelName) {
        lock(&self.0).retain(|_, members| {
            members.remove(channel);
            !members.is_empty()
        });
    }

    /// The group's members. Those older than `expiry` are forgotten, unless they are `live`.
    pub(super) fn members(
        &self,
        group: &GroupName,
        now: Instant,
        expiry: Duration,
        live: impl Fn(&ChannelName) -> bool,
    ) -> Vec<ChannelName> {
        let mut groups = lock(&self.0);
        let Some(members) = groups.get_mut(group) else { return Vec::new() };
        members.retain(|channel, added| now.duration_since(*added) < expiry || live(channel));
        let found = members.keys().cloned().collect();
        if members.is_empty() {
            groups.remove(group);
        }
        found
    }

    pub(super) fn clear(&self) {
        lock(&self.0).clear();
    }
}
