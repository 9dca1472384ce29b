//! [`Mailbox`]: the guard of one channel. Its memberships die with it.

use std::fmt;
use std::future::poll_fn;
use std::sync::atomic::{
    AtomicBool,
    Ordering::{Acquire, Release},
};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use parking_lot::Mutex;

use super::queue::{MailboxOptions, Put, Queue};
use super::{EventSink, Hub, Pushed};
use crate::layers::locks::shrink_list;
use crate::layers::{ChannelName, DropCause, Event, GroupName, LayerStats};

/// What comes out of a mailbox.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Delivery {
    /// An event for the consumer.
    Event(Event),
    /// Events of some groups may have been lost in an outage, before whatever comes from now on. Forwarded events wait
    /// until the owner asks for its next delivery, so that a client hears first what the owner says of the loss.
    Gap(LayerGap),
    /// An event found no room and the policy is [`Overflow::Close`](super::Overflow::Close): the owner should end.
    Overflow,
}

/// Which groups may have lost events in an outage that is over now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerGap {
    /// The mailbox's groups that were concerned.
    pub groups: Vec<GroupName>,
}

/// What a mailbox runs at its end, with the events that nobody took.
type OnDrop = Box<dyn FnOnce(Vec<Event>) + Send + Sync>;

/// The guard of one channel: who holds it receives. Dropping it removes the channel and all its memberships, on every
/// path, and tells nobody.
///
/// ```
/// use serde_json::json;
/// use solent::layers::hub::{Delivery, Hub, MailboxOptions};
/// use solent::layers::{ChannelName, Event, GroupName};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (hub, name) = (Hub::new(), ChannelName::new("specific.process!one")?);
/// let mut mailbox = hub.open(name.clone(), MailboxOptions::default()).expect("the name is free");
/// mailbox = mailbox.with_on_room(|| println!("there is room for what waits elsewhere"));
/// mailbox = mailbox.with_on_drop(|rest| println!("{} events go back", rest.len()));
/// let news = Event::new(&json!({ "type": "news" }))?;
/// assert!(hub.deliver(name.as_str(), &news) && hub.deliver(name.as_str(), &news));
/// // Inside a future of one's own:
/// let next = std::future::poll_fn(|context| mailbox.poll_recv(context)).await;
/// assert!(matches!(next, Delivery::Event(event) if event == news));
/// assert!(!mailbox.is_member(&GroupName::new("room")?));
/// assert_eq!(mailbox.close(), [news]);
/// # Ok(())
/// # }
/// ```
pub struct Mailbox {
    hub: Arc<Hub>,
    inbox: Arc<Inbox>,
    on_drop: Option<OnDrop>,
    on_room: Option<Box<dyn Fn() + Send + Sync>>,
}

impl Mailbox {
    pub(super) fn new(hub: Arc<Hub>, inbox: Arc<Inbox>) -> Self {
        Self { hub, inbox, on_drop: None, on_room: None }
    }

    /// Runs `on_drop` at the mailbox's end, with the events that nobody took.
    #[must_use]
    pub fn with_on_drop(mut self, on_drop: impl FnOnce(Vec<Event>) + Send + Sync + 'static) -> Self {
        self.on_drop = Some(Box::new(on_drop));
        self
    }

    /// Runs `on_room` whenever an event was taken, so that a layer can put in what waits elsewhere.
    #[must_use]
    pub fn with_on_room(mut self, on_room: impl Fn() + Send + Sync + 'static) -> Self {
        self.on_room = Some(Box::new(on_room));
        self
    }

    /// The channel's name.
    pub fn name(&self) -> &ChannelName {
        self.inbox.name()
    }

    /// The groups that the mailbox is a member of, in no order.
    pub fn groups(&self) -> Vec<GroupName> {
        self.inbox.joined.lock().groups.clone()
    }

    /// How many groups the mailbox is a member of.
    pub fn group_count(&self) -> usize {
        self.inbox.joined.lock().groups.len()
    }

    /// Whether the mailbox is a member of a group.
    pub fn is_member(&self, group: &GroupName) -> bool {
        self.inbox.is_member(group)
    }

    /// How many events wait.
    pub fn len(&self) -> usize {
        self.inbox.queue.lock().len()
    }

    /// Whether no event waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Gives the mailbox the sink of its forwarded memberships, once and before the first of them. False when it had
    /// one already.
    pub fn set_sink(&self, sink: Arc<dyn EventSink>) -> bool {
        self.inbox.sink.set(sink).is_ok()
    }

    /// The next delivery. A mailbox never ends by itself.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn recv(&mut self) -> Delivery {
        poll_fn(|context| self.poll_recv(context)).await
    }

    /// The next delivery, or a wake-up when there is one.
    pub fn poll_recv(&mut self, context: &mut Context<'_>) -> Poll<Delivery> {
        self.inbox.let_go();
        let mut queue = self.inbox.queue.lock();
        if let Some(delivery) = queue.pop() {
            drop(queue);
            self.make_room();
            return Poll::Ready(delivery);
        }
        match &mut queue.waker {
            Some(waker) => waker.clone_from(context.waker()),
            none => *none = Some(context.waker().clone()),
        }
        Poll::Pending
    }

    /// The next delivery, when there is one now.
    pub fn try_recv(&mut self) -> Option<Delivery> {
        self.inbox.let_go();
        let delivery = self.inbox.queue.lock().pop()?;
        self.make_room();
        Some(delivery)
    }

    /// Ends the mailbox and takes what waits in it: nothing goes back to the channel, nothing more comes in.
    pub fn close(mut self) -> Vec<Event> {
        let rest = self.inbox.seal();
        let on_drop = self.on_drop.take();
        drop(self);
        if let Some(on_drop) = on_drop {
            on_drop(Vec::new());
        }
        rest
    }

    /// Lets the layer put in what waits elsewhere.
    pub(crate) fn make_room(&self) {
        if let Some(on_room) = &self.on_room {
            on_room();
        }
    }

    /// Whether forwarded memberships have somewhere to go.
    #[cfg(feature = "redis")]
    pub(crate) fn has_sink(&self) -> bool {
        self.inbox.sink().is_some()
    }

    pub(super) fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }

    pub(super) fn inbox(&self) -> &Arc<Inbox> {
        &self.inbox
    }

    /// A handle that puts events into this mailbox without knowing its name.
    pub(crate) fn feeder(&self) -> Feeder {
        Feeder(self.inbox.clone())
    }
}

impl Drop for Mailbox {
    fn drop(&mut self) {
        self.hub.close(&self.inbox);
        let rest = self.inbox.seal();
        if let Some(on_drop) = self.on_drop.take() {
            on_drop(rest);
        }
    }
}

impl fmt::Debug for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailbox").field("name", self.name()).finish_non_exhaustive()
    }
}

/// Puts events into one mailbox, for layers that find it otherwise than by its name.
pub(crate) struct Feeder(Arc<Inbox>);

impl Feeder {
    /// The mailbox's number, which no other of this hub has.
    pub(crate) fn id(&self) -> u64 {
        self.0.id
    }

    /// Puts an event in by the mailbox's overflow policy; false when it was dropped.
    #[cfg(feature = "redis")]
    pub(crate) fn deliver(&self, event: &Event) -> bool {
        self.0.deliver(event)
    }

    /// Whether nothing waits in the mailbox: its owner wants more.
    #[cfg(feature = "redis")]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.queue.lock().len() == 0
    }

    /// Puts an event in; false when there is no room.
    pub(crate) fn put(&self, event: &Event) -> bool {
        let taken = self.0.put(event, true) == Put::Taken;
        self.0.stats.count_delivered(u64::from(taken));
        taken
    }
}

/// The shared inside of a mailbox.
pub(super) struct Inbox {
    id: u64,
    name: ChannelName,
    options: MailboxOptions,
    stats: Arc<LayerStats>,
    queue: Mutex<Queue>,
    /// Whether there is a loss that the owner has not dealt with. Spares forwarded events the queue's lock.
    has_gap: AtomicBool,
    sink: OnceLock<Arc<dyn EventSink>>,
    joined: Mutex<Joined>,
}

#[derive(Default)]
struct Joined {
    /// In order. There are few, and every open socket has them: a hash table's first would take 280 bytes.
    groups: Vec<GroupName>,
    ended: bool,
}

impl Inbox {
    pub(super) fn new(id: u64, name: ChannelName, options: MailboxOptions, stats: Arc<LayerStats>) -> Self {
        Self {
            id,
            name,
            options,
            stats,
            queue: Mutex::default(),
            has_gap: AtomicBool::new(false),
            sink: OnceLock::new(),
            joined: Mutex::default(),
        }
    }

    pub(super) fn id(&self) -> u64 {
        self.id
    }

    pub(super) fn name(&self) -> &ChannelName {
        &self.name
    }

    pub(super) fn sink(&self) -> Option<&Arc<dyn EventSink>> {
        self.sink.get()
    }

    /// Puts an event in and wakes the owner. `strict` refuses it when there is no room, whatever the policy.
    pub(super) fn put(&self, event: &Event, strict: bool) -> Put {
        let mut queue = self.queue.lock();
        let (put, lost) = queue.put(event, &self.options, strict);
        let waker = queue.waker.take();
        drop(queue);
        if let Some(waker) = waker {
            waker.wake();
        }
        self.stats.count_dropped(DropCause::MailboxFull, lost);
        put
    }

    /// Puts an event in by the overflow policy, and counts it.
    pub(super) fn deliver(&self, event: &Event) -> bool {
        let taken = self.put(event, false) == Put::Taken;
        self.stats.count_delivered(u64::from(taken));
        taken
    }

    pub(super) fn is_member(&self, group: &GroupName) -> bool {
        self.joined.lock().groups.binary_search(group).is_ok()
    }

    /// Holds a forwarded event back that comes after a loss which the owner has not dealt with. `None` when there is no
    /// such loss, and the event can go to the sink.
    pub(super) fn hold(&self, event: &Event) -> Option<Put> {
        if !self.has_gap.load(Acquire) {
            return None;
        }
        let (put, lost) = self.queue.lock().hold(event, &self.options)?;
        self.stats.count_dropped(DropCause::MailboxFull, lost);
        Some(put)
    }

    /// The owner asks for more, so it has dealt with the loss that it was told of: what was held behind that goes on.
    fn let_go(&self) {
        if !self.has_gap.load(Acquire) {
            return;
        }
        let mut queue = self.queue.lock();
        let Some(held) = queue.release() else { return };
        let mut flush = false;
        // Under the lock, so that nothing overtakes it.
        if let Some(sink) = self.sink() {
            for event in &held {
                match sink.push(event) {
                    Pushed::Queued { flush: asked } => flush |= asked,
                    Pushed::Dropped => self.stats.count_dropped(DropCause::OutboxFull, 1),
                    Pushed::Gone => self.stats.count_dropped(DropCause::ChannelGone, 1),
                    Pushed::Refused => self.stats.count_dropped(DropCause::NotJson, 1),
                }
            }
        }
        self.has_gap.store(false, Release);
        drop(queue);
        if let Some(sink) = self.sink().filter(|_| flush) {
            sink.flush();
        }
    }

    /// Notes a loss; `holds` when forwarded events have to wait for the owner to have dealt with it.
    pub(super) fn announce_gap(&self, groups: Vec<GroupName>, holds: bool) {
        let mut queue = self.queue.lock();
        queue.note_gap(groups, holds);
        self.has_gap.store(true, Release);
        let waker = queue.waker.take();
        drop(queue);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Notes a membership; false when the mailbox has ended.
    pub(super) fn remember(&self, group: &GroupName) -> bool {
        let mut joined = self.joined.lock();
        if joined.ended {
            return false;
        }
        if let Err(place) = joined.groups.binary_search(group) {
            if joined.groups.is_empty() {
                joined.groups.reserve_exact(1);
            }
            joined.groups.insert(place, group.clone());
        }
        true
    }

    pub(super) fn forget(&self, group: &GroupName) {
        let mut joined = self.joined.lock();
        if let Ok(place) = joined.groups.binary_search(group) {
            joined.groups.remove(place);
            shrink_list(&mut joined.groups);
        }
    }

    pub(super) fn take_groups(&self) -> Vec<GroupName> {
        std::mem::take(&mut self.joined.lock().groups)
    }

    /// Ends the mailbox: nobody can make it join any more. Its memberships are returned.
    pub(super) fn end(&self) -> Vec<GroupName> {
        let mut joined = self.joined.lock();
        joined.ended = true;
        std::mem::take(&mut joined.groups)
    }

    /// Takes all waiting events out and lets no other in: who puts one in has to find another place for it.
    pub(super) fn seal(&self) -> Vec<Event> {
        self.queue.lock().sealed = true;
        self.clear()
    }

    /// Takes all waiting events out.
    pub(super) fn clear(&self) -> Vec<Event> {
        let mut queue = self.queue.lock();
        self.has_gap.store(false, Release);
        queue.drain()
    }
}
