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

/// A loss that was not told yet.
struct Gap {
    before: usize,
    groups: Vec<GroupName>,
}

#[derive(Default)]
pub(super) struct Queue {
    events: VecDeque<Event>,
    bytes: usize,
    /// Groups that may have lost events, and how many waiting events came before the loss.
    /// Boxed: few mailboxes ever have one.
    gap: Option<Box<Gap>>,
    overflowed: bool,
    /// The mailbox has ended.
    pub(super) sealed: bool,
    pub(super) waker: Option<Waker>,
}

impl Queue {
    /// Appends an event. `strict` refuses it when there is no room, whatever the policy. Returns what became of it
    /// and how many events were lost.
    pub(super) fn put(&mut self, event: &Event, options: &MailboxOptions, strict: bool) -> (Put, u64) {
        let mut lost = 0;
        if self.sealed {
            return (Put::Dropped, 0);
        }
        if !self.has_room(event, options) {
            match options.overflow {
                _ if strict => return (Put::Dropped, 0),
                Overflow::DropNewest => return (Put::Dropped, 1),
                Overflow::Close => {
                    self.overflowed = true;
                    return (Put::Dropped, 1);
                }
                Overflow::DropOldest => {
                    while !self.has_room(event, options) && self.pop_event().is_some() {
                        lost += 1;
                    }
                    if options.events == 0 {
                        return (Put::Dropped, lost + 1);
                    }
                }
            }
        }
        self.bytes += event.weight();
        self.events.push_back(event.clone());
        (Put::Taken, lost)
    }

    fn has_room(&self, event: &Event, options: &MailboxOptions) -> bool {
        let fits = self.events.is_empty() || self.bytes + event.weight() <= options.bytes;
        self.events.len() < options.events && fits
    }

    fn pop_event(&mut self) -> Option<Event> {
        let event = self.events.pop_front()?;
        self.bytes -= event.weight();
        if let Some(gap) = &mut self.gap {
            gap.before = gap.before.saturating_sub(1);
        }
        if self.events.is_empty() && self.events.capacity() > KEPT {
            self.events = VecDeque::new();
        }
        Some(event)
    }

    pub(super) fn pop(&mut self) -> Option<Delivery> {
        if std::mem::take(&mut self.overflowed) {
            return Some(Delivery::Overflow);
        }
        if let Some(gap) = self.gap.take_if(|gap| gap.before == 0) {
            return Some(Delivery::Gap(LayerGap { groups: gap.groups }));
        }
        self.pop_event().map(Delivery::Event)
    }

    /// Notes a loss behind the events that wait now. A loss that was not told yet is told together with it.
    pub(super) fn note_gap(&mut self, mut groups: Vec<GroupName>) {
        match &mut self.gap {
            Some(gap) => {
                groups.retain(|group| !gap.groups.contains(group));
                gap.groups.append(&mut groups);
            }
            None => self.gap = Some(Box::new(Gap { before: self.events.len(), groups })),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.events.len()
    }

    /// Takes all waiting events out.
    pub(super) fn drain(&mut self) -> Vec<Event> {
        self.bytes = 0;
        self.gap = None;
        std::mem::take(&mut self.events).into()
    }
}
