//! Plain channels: who in this process wants their messages, and handing over without losing any.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use tokio::sync::{Notify, oneshot};

use crate::layers::hub::Feeder;
use crate::layers::locks::{lock, shrink};
use crate::layers::{ChannelName, Event};

/// A message as it stood in Redis, so that it can go back there.
#[derive(Debug, Clone)]
pub(super) struct Message {
    pub(super) framed: Bytes,
    pub(super) score: f64,
    pub(super) event: Event,
}

/// One plain channel that someone here receives from, or did a moment ago.
#[derive(Default)]
pub(super) struct PlainChannel {
    state: Mutex<State>,
    /// Notified when someone comes to want a message.
    pub(super) wanted: Notify,
    /// The readers that wait in Redis or hold what they got there: each one's host and its connection's id.
    reading: Mutex<HashMap<usize, i64>>,
}

#[derive(Default)]
struct State {
    listeners: Vec<Feeder>,
    turn: usize,
    waiters: VecDeque<oneshot::Sender<Message>>,
    /// Messages whose receiver went away after they were handed to it.
    returned: VecDeque<Message>,
}

impl PlainChannel {
    /// Whether a message would find a taker now.
    pub(super) fn is_wanted(&self) -> bool {
        let mut state = lock(&self.state);
        state.waiters.retain(|waiter| !waiter.is_closed());
        !state.waiters.is_empty() || state.listeners.iter().any(Feeder::is_empty)
    }

    /// Whether anyone is left who may come to want a message.
    pub(super) fn is_used(&self) -> bool {
        let mut state = lock(&self.state);
        state.waiters.retain(|waiter| !waiter.is_closed());
        !state.waiters.is_empty() || !state.listeners.is_empty()
    }

    /// Notes that a host's reader waits in Redis, until what is returned is dropped.
    pub(super) fn reading(self: &Arc<Self>, host: usize, connection: i64) -> Reading {
        lock(&self.reading).insert(host, connection);
        Reading { channel: self.clone(), host }
    }

    /// Hands a message to whoever waits, else to a listener with room. Gives it back when there is neither.
    pub(super) fn offer(&self, message: Message) -> Result<(), Message> {
        lock(&self.state).offer(message)
    }

    pub(super) fn listen(&self, listener: Feeder) {
        lock(&self.state).listeners.push(listener);
        self.serve_returned();
    }

    pub(super) fn unlisten(&self, id: u64) {
        lock(&self.state).listeners.retain(|listener| listener.id() != id);
    }

    /// Receives one message. Nothing is lost when the future is dropped: what was handed over already is kept for the
    /// next receiver.
    pub(super) async fn receive(self: &Arc<Self>) -> Option<Event> {
        let (sender, receiver) = oneshot::channel();
        lock(&self.state).waiters.push_back(sender);
        let mut waiting = Waiting { channel: self.clone(), receiver };
        self.serve_returned();
        (&mut waiting.receiver).await.ok().map(|message| message.event)
    }

    /// Hands out what came back, and makes the reader look for more.
    fn serve_returned(&self) {
        let mut state = lock(&self.state);
        while let Some(message) = state.returned.pop_front() {
            if let Err(message) = state.offer(message) {
                state.returned.push_front(message);
                break;
            }
        }
        drop(state);
        self.wanted.notify_one();
    }

    /// Takes what came back and found no other taker.
    pub(super) fn take_returned(&self) -> Vec<Message> {
        lock(&self.state).returned.drain(..).collect()
    }

    /// Keeps what could not be put back.
    pub(super) fn keep(&self, messages: Vec<Message>) {
        lock(&self.state).returned.extend(messages);
    }

    fn give_back(&self, message: Message) {
        lock(&self.state).returned.push_back(message);
        self.serve_returned();
    }
}

impl State {
    fn offer(&mut self, mut message: Message) -> Result<(), Message> {
        while let Some(waiter) = self.waiters.pop_front() {
            match waiter.send(message) {
                Ok(()) => return Ok(()),
                Err(unsent) => message = unsent,
            }
        }
        for _ in 0..self.listeners.len() {
            self.turn = (self.turn + 1) % self.listeners.len();
            if self.listeners[self.turn].put(&message.event) {
                return Ok(());
            }
        }
        Err(message)
    }
}

/// A receiver that waits; at its end it gives back what it was handed and did not take.
struct Waiting {
    channel: Arc<PlainChannel>,
    receiver: oneshot::Receiver<Message>,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.receiver.close();
        if let Ok(message) = self.receiver.try_recv() {
            self.channel.give_back(message);
        }
    }
}

/// A reader that waits in Redis.
pub(super) struct Reading {
    channel: Arc<PlainChannel>,
    host: usize,
}

impl Drop for Reading {
    fn drop(&mut self) {
        lock(&self.channel.reading).remove(&self.host);
    }
}

/// The plain channels that are read now, each with the number of its readers.
#[derive(Default)]
pub(super) struct PlainChannels(Mutex<HashMap<ChannelName, (Arc<PlainChannel>, usize)>>);

impl PlainChannels {
    /// The channel; `start` is called when nobody reads it yet, and says how many readers it started.
    pub(super) fn get(
        &self,
        name: &ChannelName,
        start: impl FnOnce(&Arc<PlainChannel>) -> usize,
    ) -> Arc<PlainChannel> {
        let mut channels = lock(&self.0);
        let (channel, readers) = channels.entry(name.clone()).or_default();
        if *readers == 0 {
            *readers = start(channel);
        }
        channel.clone()
    }

    /// A reader asks whether it may end: only when nobody wants the channel any more, and then it is unregistered at
    /// once, so that the next receiver starts another.
    pub(super) fn may_end(&self, name: &ChannelName) -> bool {
        let mut channels = lock(&self.0);
        let Some((channel, readers)) = channels.get_mut(name) else { return true };
        // The map holds one hand and each reader one; a further one is somebody about to receive.
        if channel.is_used() || Arc::strong_count(channel) > *readers + 1 {
            return false;
        }
        *readers -= 1;
        if *readers == 0 {
            channels.remove(name);
            shrink(&mut channels);
        }
        true
    }

    /// Takes what came back to channels whose messages nobody wants any more.
    pub(super) fn returned_in_vain(&self) -> Vec<(ChannelName, Vec<Message>)> {
        let channels = lock(&self.0);
        let unused = channels.iter().filter(|(_, (channel, _))| !channel.is_used());
        let returned = unused.map(|(name, (channel, _))| (name.clone(), channel.take_returned()));
        returned.filter(|(_, messages)| !messages.is_empty()).collect()
    }

    /// The readers that wait in Redis although nobody wants their channel's messages: host and connection.
    pub(super) fn reading_in_vain(&self) -> Vec<(usize, i64)> {
        let channels: Vec<_> = lock(&self.0).values().map(|(channel, _)| channel.clone()).collect();
        let unused = channels.iter().filter(|channel| !channel.is_used());
        unused.flat_map(|channel| lock(&channel.reading).clone()).collect()
    }

    pub(super) fn len(&self) -> usize {
        lock(&self.0).values().filter(|(channel, _)| channel.is_used()).count()
    }
}

impl std::fmt::Debug for PlainChannels {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PlainChannels").field("channels", &self.len()).finish()
    }
}
