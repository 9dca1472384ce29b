//! One group's local members: contiguous for the walk, indexed for joins and leaves.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use super::mailbox::Inbox;
use super::queue::Put;
use super::{EventSink, Membership, Pushed};
use crate::layers::locks::{shrink, shrink_list};
use crate::layers::{Event, GroupName};

pub(super) struct Group {
    name: GroupName,
    members: Mutex<Members>,
}

#[derive(Default)]
struct Members {
    list: Vec<Member>,
    slots: HashMap<u64, usize>,
    /// The last member has left and the group is on its way out of the registry; nobody joins it any more.
    dead: bool,
    /// Members may have a gap to deal with, for which forwarded events wait. Only then are their mailboxes looked at,
    /// which forwarding does not touch otherwise: a cache line per member.
    gap: bool,
}

struct Member {
    inbox: Arc<Inbox>,
    /// Where forwarded events go; none for a handled membership.
    sink: Option<Arc<dyn EventSink>>,
}

/// What joining changed.
pub(super) struct Joined {
    pub(super) new: bool,
    pub(super) first: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Left {
    NotAMember,
    OthersStay,
    Last,
}

/// What became of one event, by outcome.
#[derive(Default)]
pub(super) struct Count {
    pub(super) reached: usize,
    pub(super) mailbox_full: usize,
    pub(super) outbox_full: usize,
    pub(super) gone: usize,
    pub(super) refused: usize,
    /// Events that a mailbox has taken or dropped in its sink's stead, for its owner has a gap to deal with.
    held: usize,
}

impl Count {
    /// Hands the event to one member, and counts what became of it.
    pub(super) fn add(
        &mut self,
        inbox: &Inbox,
        sink: Option<&Arc<dyn EventSink>>,
        event: &Event,
        dirty: &mut Vec<Arc<dyn EventSink>>,
    ) {
        match sink {
            None => self.add_put(inbox.put(event, false)),
            Some(sink) => match inbox.hold(event) {
                Some(put) => {
                    self.held += 1;
                    self.add_put(put);
                }
                None => self.push(sink, event, dirty),
            },
        }
    }

    /// Hands the event to one member's sink.
    fn push(&mut self, sink: &Arc<dyn EventSink>, event: &Event, dirty: &mut Vec<Arc<dyn EventSink>>) {
        match sink.push(event) {
            Pushed::Queued { flush } => {
                self.reached += 1;
                if flush {
                    dirty.push(sink.clone());
                }
            }
            Pushed::Dropped => self.outbox_full += 1,
            Pushed::Gone => self.gone += 1,
            Pushed::Refused => self.refused += 1,
        }
    }

    fn add_put(&mut self, put: Put) {
        match put {
            Put::Taken => self.reached += 1,
            Put::Dropped => self.mailbox_full += 1,
        }
    }
}

impl Group {
    pub(super) fn new(name: GroupName) -> Self {
        Self { name, members: Mutex::default() }
    }

    pub(super) fn name(&self) -> &GroupName {
        &self.name
    }

    /// Adds a member, or changes how it is one. `None` when the group is dead.
    pub(super) fn join(&self, inbox: &Arc<Inbox>, how: Membership) -> Option<Joined> {
        let sink = (how == Membership::Forwarded).then(|| inbox.sink().cloned()).flatten();
        let mut members = self.members.lock();
        if members.dead {
            return None;
        }
        let first = members.list.is_empty();
        if let Some(&slot) = members.slots.get(&inbox.id()) {
            members.list[slot].sink = sink;
            return Some(Joined { new: false, first });
        }
        // A mailbox that ends at this moment joins nothing; a group it would have founded dies again.
        if !inbox.remember(&self.name) {
            members.dead = first;
            return Some(Joined { new: false, first: false });
        }
        let slot = members.list.len();
        members.list.push(Member { inbox: inbox.clone(), sink });
        members.slots.insert(inbox.id(), slot);
        Some(Joined { new: true, first })
    }

    pub(super) fn leave(&self, id: u64) -> Left {
        let mut members = self.members.lock();
        let Some(slot) = members.slots.remove(&id) else {
            return Left::NotAMember;
        };
        let gone = members.list.swap_remove(slot);
        if let Some(moved) = members.list.get(slot).map(|member| member.inbox.id()) {
            members.slots.insert(moved, slot);
        }
        shrink(&mut members.slots);
        shrink_list(&mut members.list);
        members.dead = members.list.is_empty();
        let left = if members.dead { Left::Last } else { Left::OthersStay };
        drop(members);
        drop(gone);
        left
    }

    /// Hands the event to every member. Sinks that ask for a flush are collected in `dirty`.
    pub(super) fn deliver(&self, event: &Event, dirty: &mut Vec<Arc<dyn EventSink>>) -> Count {
        let mut count = Count::default();
        let mut members = self.members.lock();
        let has_gap = members.gap;
        for Member { inbox, sink } in &members.list {
            match sink {
                Some(sink) if !has_gap => count.push(sink, event, dirty),
                sink => count.add(inbox, sink.as_ref(), event, dirty),
            }
        }
        members.gap = has_gap && count.held > 0;
        count
    }

    /// Forwarded events ask from now on whether they have to wait. To be called when the mailboxes know of the gap.
    pub(super) fn note_gap(&self) {
        self.members.lock().gap = true;
    }

    /// Visits every member, under the group's lock.
    pub(super) fn each(&self, mut visit: impl FnMut(&Arc<Inbox>, Membership)) {
        for member in &self.members.lock().list {
            let how = if member.sink.is_some() { Membership::Forwarded } else { Membership::Handled };
            visit(&member.inbox, how);
        }
    }
}
