//! The bounded queue inside a mailbox.

use std::collections::VecDeque;
use std::task::Waker;

use super::{Delivery, LayerGap};
use crate::layers::{Event, GroupName};

/// What happens to an event for which a mailbox has no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Overflow {
    /// It is dropped and counted.
    #[default]
    DropNewest,
    /// The oldest waiting events are dropped and counted, and it is taken.
    DropOldest,
    /// It is dropped and counted, and the mailbox's owner is told, who then ends.
    Close,
}

/// The bounds of a mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MailboxOptions {
    /// Events that may wait. 100.
    pub events: usize,
    /// Bytes of events that may wait; one event alone may exceed it. 1 MiB.
    pub bytes: usize,
    /// What happens to an event for which there is no room. It is dropped.
    pub overflow: Overflow,
}

impl Default for MailboxOptions {
    fn default() -> Self {
        Self { events: 100, bytes: 1 << 20, overflow: Overflow::default() }
    }
}

/// Whether a mailbox took an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Put {
    Taken,
    Dropped,
}

/// Capacity that an idle mailbox may keep.
const KEPT: usize = 16;

/// Events in order, within a mailbox's bounds.
#[derive(Default)]
struct Waiting {
    events: VecDeque<Event>,
    bytes: usize,
}

/// A loss that the owner has not dealt with yet.
struct Gap {
    /// How many waiting events came before the loss.
    before: usize,
    groups: Vec<GroupName>,
    /// The owner has it, and is done with it when it asks for more.
    told: bool,
    /// Forwarded events that came after the loss; none when no forwarded membership was concerned.
    held: Option<Waiting>,
}

#[derive(Default)]
pub(super) struct Queue {
    waiting: Waiting,
    /// Boxed: few mailboxes ever have one.
    gap: Option<Box<Gap>>,
    overflowed: bool,
    /// The mailbox has ended.
    pub(super) sealed: bool,
    pub(super) waker: Option<Waker>,
}

impl Waiting {
    fn has_room(&self, event: &Event, options: &MailboxOptions) -> bool {
        let fits = self.events.is_empty() || self.bytes + event.weight() <= options.bytes;
        self.events.len() < options.events && fits
    }

    fn push(&mut self, event: &Event) {
        self.bytes += event.weight();
        self.events.push_back(event.clone());
    }

    fn pop(&mut self) -> Option<Event> {
        let event = self.events.pop_front()?;
        self.bytes -= event.weight();
        if self.events.is_empty() && self.events.capacity() > KEPT {
            self.events = VecDeque::new();
        }
        Some(event)
    }

    /// Drops the oldest events until there is room for another; how many.
    fn make_room(&mut self, event: &Event, options: &MailboxOptions) -> usize {
        let before = self.events.len();
        while !self.has_room(event, options) && self.pop().is_some() {}
        before - self.events.len()
    }
}

impl Queue {
    /// Appends an event. `strict` refuses it when there is no room, whatever the policy. Returns what became of it
    /// and how many events were lost.
    pub(super) fn put(&mut self, event: &Event, options: &MailboxOptions, strict: bool) -> (Put, u64) {
        if self.sealed || (strict && !self.waiting.has_room(event, options)) {
            return (Put::Dropped, 0);
        }
        let (put, lost) = append(&mut self.waiting, event, options, &mut self.overflowed);
        if let Some(gap) = &mut self.gap {
            gap.before = gap.before.saturating_sub(lost);
        }
        (put, lost as u64 + u64::from(put == Put::Dropped))
    }

    /// Holds a forwarded event back while its owner has a loss to deal with that came before it. `None` when there is
    /// none. Otherwise as [`put`](Self::put), within bounds of its own.
    pub(super) fn hold(&mut self, event: &Event, options: &MailboxOptions) -> Option<(Put, u64)> {
        let held = self.gap.as_mut()?.held.as_mut()?;
        let (put, lost) = append(held, event, options, &mut self.overflowed);
        Some((put, lost as u64 + u64::from(put == Put::Dropped)))
    }

    /// Forgets a loss that was told and gives what was held behind it, in order. `None` when there is no such loss.
    pub(super) fn release(&mut self) -> Option<VecDeque<Event>> {
        let gap = self.gap.take_if(|gap| gap.told)?;
        Some(gap.held.unwrap_or_default().events)
    }

    pub(super) fn pop(&mut self) -> Option<Delivery> {
        if std::mem::take(&mut self.overflowed) {
            return Some(Delivery::Overflow);
        }
        match &mut self.gap {
            Some(gap) if gap.before == 0 && !gap.told => {
                gap.told = true;
                return Some(Delivery::Gap(LayerGap { groups: std::mem::take(&mut gap.groups) }));
            }
            Some(gap) => gap.before = gap.before.saturating_sub(1),
            None => {}
        }
        self.waiting.pop().map(Delivery::Event)
    }

    /// Notes a loss behind the events that wait now; `holds` when forwarded events have to wait for the owner to have
    /// dealt with it. A loss that was not told yet is told together with it.
    pub(super) fn note_gap(&mut self, mut groups: Vec<GroupName>, holds: bool) {
        let before = self.waiting.events.len();
        let gap = self
            .gap
            .get_or_insert_with(|| Box::new(Gap { before, groups: Vec::new(), told: false, held: None }));
        if std::mem::take(&mut gap.told) {
            gap.before = before;
        }
        groups.retain(|group| !gap.groups.contains(group));
        gap.groups.append(&mut groups);
        if holds {
            gap.held.get_or_insert_default();
        }
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.events.len()
    }

    /// Takes all waiting events out.
    pub(super) fn drain(&mut self) -> Vec<Event> {
        self.gap = None;
        std::mem::take(&mut self.waiting).events.into()
    }
}

/// Appends an event by the overflow policy. Returns what became of it and how many others were dropped for it.
fn append(
    waiting: &mut Waiting,
    event: &Event,
    options: &MailboxOptions,
    overflowed: &mut bool,
) -> (Put, usize) {
    let mut lost = 0;
    if !waiting.has_room(event, options) {
        match options.overflow {
            Overflow::DropNewest => return (Put::Dropped, 0),
            Overflow::Close => {
                *overflowed = true;
                return (Put::Dropped, 0);
            }
            Overflow::DropOldest => lost = waiting.make_room(event, options),
        }
        if options.events == 0 {
            return (Put::Dropped, lost);
        }
    }
    waiting.push(event);
    (Put::Taken, lost)
}
