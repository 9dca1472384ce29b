//! Plain channels: messages that wait, and who waits for messages.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::sync::futures::Notified;
use tokio::time::Instant;

use crate::layers::hub::Feeder;
use crate::layers::locks::{lock, shrink};
use crate::layers::{ChannelName, Event};

/// All plain channels. A channel that holds nothing and that nobody waits on is not kept.
pub(super) struct Channels {
    map: Mutex<Map>,
    sweep_every: Duration,
}

#[derive(Default)]
struct Map {
    channels: HashMap<ChannelName, Plain>,
    next_sweep: Option<Instant>,
}

#[derive(Default)]
struct Plain {
    /// Waiting messages with the time at which each expires.
    queue: VecDeque<(Event, Instant)>,
    listeners: Vec<Feeder>,
    /// The listener whose turn it is.
    turn: usize,
    waiters: usize,
    arrived: Arc<Notify>,
}

impl Plain {
    fn is_idle(&self) -> bool {
        self.queue.is_empty() && self.listeners.is_empty() && self.waiters == 0
    }

    fn expire(&mut self, now: Instant) -> u64 {
        let before = self.queue.len();
        self.queue.retain(|(_, expires)| *expires > now);
        (before - self.queue.len()) as u64
    }

    /// Hands the event to the next listener that has room.
    fn offer(&mut self, event: &Event) -> bool {
        for _ in 0..self.listeners.len() {
            self.turn = (self.turn + 1) % self.listeners.len();
            if self.listeners[self.turn].put(event) {
                return true;
            }
        }
        false
    }
}

impl Channels {
    pub(super) fn new(expiry: Duration) -> Self {
        Self { map: Mutex::default(), sweep_every: expiry / 2 }
    }

    /// Sends; false when there is no room. Also says how many messages had expired.
    pub(super) fn send(
        &self,
        name: &ChannelName,
        event: &Event,
        capacity: usize,
        expires: Instant,
        now: Instant,
    ) -> (bool, u64) {
        let mut map = lock(&self.map);
        let channel = map.channels.entry(name.clone()).or_default();
        let expired = channel.expire(now);
        let waited_for = channel.waiters > channel.queue.len();
        let sent = if !channel.listeners.is_empty() && !waited_for {
            channel.offer(event)
        } else if channel.queue.len() < capacity {
            channel.queue.push_back((event.clone(), expires));
            channel.arrived.notify_one();
            true
        } else {
            false
        };
        map.tidy(name);
        (sent, expired)
    }

    /// The oldest waiting message, and how many had expired.
    pub(super) fn take(&self, name: &ChannelName, now: Instant) -> (Option<Event>, u64) {
        let mut map = lock(&self.map);
        let Some(channel) = map.channels.get_mut(name) else { return (None, 0) };
        let expired = channel.expire(now);
        let event = channel.queue.pop_front().map(|(event, _)| event);
        map.tidy(name);
        (event, expired)
    }

    /// Drops what has expired in one channel, and says how many that were.
    pub(super) fn expire(&self, name: &ChannelName, now: Instant) -> u64 {
        let mut map = lock(&self.map);
        let expired = map.channels.get_mut(name).map_or(0, |channel| channel.expire(now));
        map.tidy(name);
        expired
    }

    /// Registers a receiver, so that the channel is kept while it waits.
    pub(super) fn wait_on<'a>(&'a self, name: &'a ChannelName) -> Waiter<'a> {
        let mut map = lock(&self.map);
        let channel = map.channels.entry(name.clone()).or_default();
        channel.waiters += 1;
        Waiter { channels: self, name, arrived: channel.arrived.clone() }
    }

    pub(super) fn listen(&self, name: &ChannelName, listener: Feeder) {
        lock(&self.map).channels.entry(name.clone()).or_default().listeners.push(listener);
    }

    /// Moves waiting messages to a listener while it has room. Says how many had expired.
    pub(super) fn refill(&self, name: &ChannelName, listener: u64, now: Instant) -> u64 {
        let mut map = lock(&self.map);
        let Some(channel) = map.channels.get_mut(name) else { return 0 };
        let expired = channel.expire(now);
        if let Some(feeder) = channel.listeners.iter().find(|feeder| feeder.id() == listener) {
            while channel.queue.front().is_some_and(|(event, _)| feeder.put(event)) {
                channel.queue.pop_front();
            }
        }
        expired
    }

    /// Ends a listener; what it had not taken goes to the others, or back in front of the channel.
    pub(super) fn unlisten(&self, name: &ChannelName, listener: u64, rest: Vec<Event>, expires: Instant) {
        let mut map = lock(&self.map);
        let Some(channel) = map.channels.get_mut(name) else { return };
        channel.listeners.retain(|feeder| feeder.id() != listener);
        channel.turn = 0;
        for event in rest.into_iter().rev() {
            channel.queue.push_front((event, expires));
            channel.arrived.notify_one();
        }
        while channel.queue.front().is_some_and(|(event, _)| channel.listeners.iter().any(|to| to.put(event)))
        {
            channel.queue.pop_front();
        }
        map.tidy(name);
    }

    pub(super) fn has_listener(&self, name: &ChannelName) -> bool {
        lock(&self.map).channels.get(name).is_some_and(|channel| !channel.listeners.is_empty())
    }

    /// Now and then, expires messages in all channels: those that nobody reads must not stay for ever. Says which
    /// channels were concerned.
    pub(super) fn sweep(&self, now: Instant) -> Vec<(ChannelName, u64)> {
        let mut map = lock(&self.map);
        if map.next_sweep.is_some_and(|due| now < due) {
            return Vec::new();
        }
        map.next_sweep = Some(now + self.sweep_every);
        let counted = map.channels.iter_mut().map(|(name, channel)| (name.clone(), channel.expire(now)));
        let expired: Vec<_> = counted.filter(|(_, count)| *count > 0).collect();
        map.channels.retain(|_, channel| !channel.is_idle());
        shrink(&mut map.channels);
        expired
    }

    /// Forgets all waiting messages.
    pub(super) fn clear(&self) {
        let mut map = lock(&self.map);
        map.channels.values_mut().for_each(|channel| channel.queue.clear());
        map.channels.retain(|_, channel| !channel.is_idle());
        shrink(&mut map.channels);
    }

    pub(super) fn len(&self) -> usize {
        lock(&self.map).channels.len()
    }
}

impl Map {
    fn tidy(&mut self, name: &ChannelName) {
        if self.channels.get(name).is_some_and(Plain::is_idle) {
            self.channels.remove(name);
            shrink(&mut self.channels);
        }
    }
}

/// A receiver that waits. A wake-up that it got and did not use goes to the next one.
pub(super) struct Waiter<'a> {
    channels: &'a Channels,
    name: &'a ChannelName,
    arrived: Arc<Notify>,
}

impl Waiter<'_> {
    pub(super) fn notified(&self) -> Notified<'_> {
        self.arrived.notified()
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        let mut map = lock(&self.channels.map);
        if let Some(channel) = map.channels.get_mut(self.name) {
            channel.waiters -= 1;
        }
        map.tidy(self.name);
    }
}
