//! The delivery machinery that all layers share: this process's mailboxes, groups and memberships.
//!
//! A [`Hub`] knows no broker and no socket. Layers put events in; mailboxes and [`EventSink`]s take them out. All of it
//! is synchronous and locks only for moments, so that it can be called from any thread.

mod flush;
mod group;
mod mailbox;
mod queue;
mod shards;
mod sink;

pub(crate) use mailbox::Feeder;
pub use mailbox::{Delivery, LayerGap, Mailbox};
pub use queue::{MailboxOptions, Overflow};
pub use sink::{EventSink, Pushed};

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

use super::{ChannelName, DropCause, Event, GroupName, LayerError, LayerStats, LayerStatsSnapshot};
use group::{Count, Group, Left};
use mailbox::Inbox;
use queue::Put;
use shards::Shards;

/// How many local members a group send reached, and how many it could not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Delivered {
    /// Members whose mailbox or outbox took the event.
    pub reached: usize,
    /// Members that had no room for it.
    pub dropped: usize,
}

/// What a membership does with an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Membership {
    /// It goes into the mailbox, for the consumer.
    Handled,
    /// It goes straight to the mailbox's sink; to the mailbox when it has none.
    Forwarded,
}

type OnEmptied = Box<dyn Fn(&GroupName) + Send + Sync>;
type OnClosed = Box<dyn Fn(&ChannelName, &[GroupName]) + Send + Sync>;

/// This process's mailboxes, groups and memberships.
///
/// As a layer of one's own uses it (`examples/own_channel_layer.rs` is a whole one):
///
/// ```
/// use serde_json::json;
/// use solent::layers::hub::{Delivery, Hub, MailboxOptions, Membership};
/// use solent::layers::{ChannelName, Event, GroupName};
///
/// let hub = Hub::with_on_emptied(|group| println!("nobody here is in {group} any more"));
/// let (room, name) = (GroupName::new("room")?, ChannelName::new("specific.process!one")?);
/// let news = Event::new(&json!({ "type": "news" }))?;
/// let mut member = hub.open(name.clone(), MailboxOptions::default()).expect("the name is free");
///
/// assert!(hub.join(&room, &member, Membership::Handled)?, "the first of this process");
/// assert!(hub.has_group("room") && hub.is_member(&room, &member) && hub.has_mailbox(name.as_str()));
/// assert_eq!(hub.deliver_group(&room, &news).reached, 1);
/// assert!(matches!(member.try_recv(), Some(Delivery::Event(event)) if event == news));
///
/// // What a broker tells by name, and after an outage.
/// assert_eq!(hub.members("room"), [(name.clone(), Membership::Handled)]);
/// let named = [(name.as_str(), Membership::Handled), ("specific.process!gone", Membership::Handled)];
/// assert_eq!(hub.deliver_each(named.into_iter(), &news).1, 1, "one is gone");
/// hub.announce_gap(&[room.clone()]);
/// assert_eq!(hub.leave_named(&room, &name), Some(true));
/// assert_eq!(hub.join_named(&room, &name), Some(true));
///
/// // Receivers that compete for a plain channel, and a hub that hears of members who leave.
/// let worker = hub.open_unnamed(ChannelName::new("jobs")?, MailboxOptions::default());
/// let telling = Hub::with_on_closed(|name, groups| println!("{name} has left {groups:?}"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Default)]
pub struct Hub {
    mailboxes: Shards<ChannelName, Arc<Inbox>>,
    groups: Shards<GroupName, Arc<Group>>,
    stats: Arc<LayerStats>,
    next_id: AtomicU64,
    memberships: AtomicUsize,
    on_emptied: Option<OnEmptied>,
    on_closed: Option<OnClosed>,
}

impl Hub {
    /// An empty hub.
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// An empty hub that calls `on_emptied` after a group's last local member has left.
    ///
    /// No lock is held then, so another member may have joined meanwhile: ask [`has_group`](Self::has_group).
    pub fn with_on_emptied(on_emptied: impl Fn(&GroupName) + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self { on_emptied: Some(Box::new(on_emptied)), ..Self::default() })
    }

    /// An empty hub that calls `on_closed` with a mailbox's name and groups when it has been dropped as a member of
    /// some. No lock is held then.
    pub fn with_on_closed(
        on_closed: impl Fn(&ChannelName, &[GroupName]) + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self { on_closed: Some(Box::new(on_closed)), ..Self::default() })
    }

    /// Opens a mailbox; `None` when one of that name is open.
    pub fn open(self: &Arc<Self>, name: ChannelName, options: MailboxOptions) -> Option<Mailbox> {
        let inbox = self.inbox(name, options);
        let taken = self.mailboxes.with(inbox.name().as_str(), |map| {
            if map.contains_key(inbox.name()) {
                return true;
            }
            map.insert(inbox.name().clone(), inbox.clone());
            false
        });
        (!taken).then(|| Mailbox::new(self.clone(), inbox))
    }

    /// A mailbox that cannot be sent to by its name: for one of several receivers of a plain channel.
    pub fn open_unnamed(self: &Arc<Self>, name: ChannelName, options: MailboxOptions) -> Mailbox {
        Mailbox::new(self.clone(), self.inbox(name, options))
    }

    fn inbox(&self, name: ChannelName, options: MailboxOptions) -> Arc<Inbox> {
        let id = self.next_id.fetch_add(1, Relaxed);
        Arc::new(Inbox::new(id, name, options, self.stats.clone()))
    }

    /// Puts an event into the mailbox of that name; `None` when there is none.
    ///
    /// # Errors
    /// [`LayerError::ChannelFull`] when it has no room, whatever its overflow policy.
    pub fn send(&self, channel: &ChannelName, event: &Event) -> Option<Result<(), LayerError>> {
        let inbox = self.mailboxes.get(channel.as_str())?;
        Some(match inbox.put(event, true) {
            Put::Taken => {
                self.stats.count_delivered(1);
                Ok(())
            }
            Put::Dropped => Err(LayerError::ChannelFull { channel: channel.clone() }),
        })
    }

    /// Puts what came over a wire into the mailbox of that name, by its overflow policy; false when there is none.
    pub fn deliver(&self, channel: &str, event: &Event) -> bool {
        let Some(inbox) = self.mailboxes.get(channel) else { return false };
        inbox.deliver(event);
        true
    }

    /// Whether a mailbox of that name is open.
    pub fn has_mailbox(&self, channel: &str) -> bool {
        self.mailboxes.get(channel).is_some()
    }

    /// Makes a mailbox a member of a group; joining again changes only how it is a member. True when the group had no
    /// local member before.
    ///
    /// # Errors
    /// [`LayerError::ForeignMailbox`] when another hub opened it.
    pub fn join(&self, group: &GroupName, mailbox: &Mailbox, how: Membership) -> Result<bool, LayerError> {
        if !std::ptr::eq(self, Arc::as_ptr(mailbox.hub())) {
            return Err(LayerError::ForeignMailbox { channel: mailbox.name().clone() });
        }
        Ok(self.join_inbox(group, mailbox.inbox(), how))
    }

    /// Whether a mailbox is a member of a group.
    pub fn is_member(&self, group: &GroupName, mailbox: &Mailbox) -> bool {
        mailbox.inbox().is_member(group)
    }

    /// The same by name; `None` when no mailbox of that name is open.
    pub fn join_named(&self, group: &GroupName, channel: &ChannelName) -> Option<bool> {
        let inbox = self.mailboxes.get(channel.as_str())?;
        Some(self.join_inbox(group, &inbox, Membership::Handled))
    }

    fn join_inbox(&self, name: &GroupName, inbox: &Arc<Inbox>, how: Membership) -> bool {
        loop {
            let group = self.groups.with(name.as_str(), |map| {
                map.entry(name.clone()).or_insert_with(|| Arc::new(Group::new(name.clone()))).clone()
            });
            // A group that emptied between the two locks is dead; its successor is made by the next turn.
            if let Some(joined) = group.join(inbox, how) {
                self.memberships.fetch_add(usize::from(joined.new), Relaxed);
                return joined.first;
            }
            self.groups.remove_if(name.as_str(), |own| Arc::ptr_eq(own, &group));
        }
    }

    /// Ends a membership. True when it was the group's last local one.
    pub fn leave(&self, group: &GroupName, mailbox: &Mailbox) -> bool {
        mailbox.inbox().forget(group);
        self.leave_id(group, mailbox.inbox().id())
    }

    /// The same by name; `None` when no mailbox of that name is open.
    pub fn leave_named(&self, group: &GroupName, channel: &ChannelName) -> Option<bool> {
        let inbox = self.mailboxes.get(channel.as_str())?;
        inbox.forget(group);
        Some(self.leave_id(group, inbox.id()))
    }

    fn leave_id(&self, name: &GroupName, id: u64) -> bool {
        let Some(group) = self.groups.get(name.as_str()) else { return false };
        let left = group.leave(id);
        if left == Left::NotAMember {
            return false;
        }
        self.memberships.fetch_sub(1, Relaxed);
        if left == Left::OthersStay {
            return false;
        }
        self.groups.remove_if(name.as_str(), |own| Arc::ptr_eq(own, &group));
        if let Some(on_emptied) = &self.on_emptied {
            on_emptied(name);
        }
        true
    }

    /// Whether the group has a member in this process.
    pub fn has_group(&self, group: &str) -> bool {
        self.groups.get(group).is_some()
    }

    /// The groups with a member in this process.
    pub fn groups(&self) -> Vec<GroupName> {
        self.groups.keys()
    }

    /// Delivers to all local members of a group. All members get the events of one group in one order.
    ///
    /// Sinks that must be flushed are flushed by a task of their own, after the senders that are ready now have
    /// appended too; outside of a tokio runtime, before this returns.
    pub fn deliver_group(&self, group: &(impl AsRef<str> + ?Sized), event: &Event) -> Delivered {
        let Some(group) = self.groups.get(group.as_ref()) else { return Delivered::default() };
        let mut dirty = Vec::new();
        let count = group.deliver(event, &mut dirty);
        flush::later(dirty);
        self.counted(&count)
    }

    /// Delivers to mailboxes by name, each as the kind of member that it is meant as. Also says how many of them do not
    /// exist any more.
    pub fn deliver_each<'a>(
        &self,
        channels: impl Iterator<Item = (&'a str, Membership)>,
        event: &Event,
    ) -> (Delivered, usize) {
        let (mut count, mut gone, mut dirty) = (Count::default(), 0, Vec::new());
        for (channel, how) in channels {
            match self.mailboxes.get(channel) {
                Some(inbox) => count.add(
                    &inbox,
                    inbox.sink().filter(|_| how == Membership::Forwarded),
                    event,
                    &mut dirty,
                ),
                None => gone += 1,
            }
        }
        flush::later(dirty);
        (self.counted(&count), gone)
    }

    fn counted(&self, count: &Count) -> Delivered {
        self.stats.count_delivered(count.reached as u64);
        self.stats.count_dropped(DropCause::OutboxFull, count.outbox_full as u64);
        self.stats.count_dropped(DropCause::ChannelGone, count.gone as u64);
        self.stats.count_dropped(DropCause::NotJson, count.refused as u64);
        let dropped = count.mailbox_full + count.outbox_full + count.gone + count.refused;
        Delivered { reached: count.reached, dropped }
    }

    /// The members of a group in this process, and how they are members.
    pub fn members(&self, group: &str) -> Vec<(ChannelName, Membership)> {
        let mut members = Vec::new();
        if let Some(group) = self.groups.get(group) {
            group.each(|inbox, how| members.push((inbox.name().clone(), how)));
        }
        members
    }

    /// Tells every member of these groups, once per mailbox, that events may have been lost. What is delivered after
    /// this call comes after the word of it, to sinks too.
    pub fn announce_gap(&self, groups: &[GroupName]) {
        let mut concerned: HashMap<u64, (Arc<Inbox>, Vec<GroupName>, bool)> = HashMap::new();
        let groups: Vec<_> = groups.iter().filter_map(|name| self.groups.get(name.as_str())).collect();
        for group in &groups {
            group.each(|inbox, how| {
                let (_, groups, forwards) =
                    concerned.entry(inbox.id()).or_insert_with(|| (inbox.clone(), Vec::new(), false));
                groups.push(group.name().clone());
                *forwards |= how == Membership::Forwarded;
            });
        }
        for (inbox, groups, forwards) in concerned.into_values() {
            inbox.announce_gap(groups, forwards);
        }
        for group in groups {
            group.note_gap();
        }
    }

    /// Forgets all memberships and all waiting events; mailboxes stay open.
    pub fn clear(&self) {
        for inbox in self.mailboxes.values() {
            for group in inbox.take_groups() {
                self.leave_id(&group, inbox.id());
            }
            inbox.clear();
        }
    }

    /// The counters.
    pub fn stats(&self) -> &Arc<LayerStats> {
        &self.stats
    }

    /// The counters now, with what is open.
    pub fn snapshot(&self) -> LayerStatsSnapshot {
        let mut snapshot = self.stats.snapshot();
        snapshot.mailboxes = self.mailboxes.len();
        snapshot.groups = self.groups.len();
        snapshot.memberships = self.memberships.load(Relaxed);
        snapshot
    }

    /// Takes a mailbox out, with all its memberships.
    fn close(&self, inbox: &Arc<Inbox>) {
        self.mailboxes.remove_if(inbox.name().as_str(), |own| Arc::ptr_eq(own, inbox));
        let groups = inbox.end();
        for group in &groups {
            self.leave_id(group, inbox.id());
        }
        if let Some(on_closed) = self.on_closed.as_ref().filter(|_| !groups.is_empty()) {
            on_closed(inbox.name(), &groups);
        }
    }
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub")
            .field("mailboxes", &self.mailboxes.len())
            .field("groups", &self.groups.len())
            .finish_non_exhaustive()
    }
}
