//! Receiving single messages from plain channels: the mailbox between two calls of `receive`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::Instant;

use crate::layers::hub::{Delivery, Mailbox};
use crate::layers::locks::lock;
use crate::layers::{ChannelName, Event};

/// How long a channel stays subscribed after the last call: a loop of calls misses nothing between two of them.
const LINGER: Duration = Duration::from_secs(60);

/// Mailboxes of plain channels that someone receives from by single calls.
#[derive(Debug, Default)]
pub(super) struct Receivers(Mutex<HashMap<ChannelName, Receiver>>);

#[derive(Debug)]
struct Receiver {
    mailbox: Arc<tokio::sync::Mutex<Mailbox>>,
    used: Instant,
}

impl Receivers {
    /// The mailbox of a channel, when there is one. Old ones are dropped on the way.
    pub(super) fn get(&self, channel: &ChannelName) -> Option<Arc<tokio::sync::Mutex<Mailbox>>> {
        let now = Instant::now();
        let (found, old) = {
            let mut receivers = lock(&self.0);
            let is_old = |receiver: &Receiver| {
                now.duration_since(receiver.used) > LINGER && Arc::strong_count(&receiver.mailbox) == 1
            };
            let old: Vec<_> = receivers.extract_if(|name, found| name != channel && is_old(found)).collect();
            let found = receivers.get_mut(channel).map(|receiver| {
                receiver.used = now;
                receiver.mailbox.clone()
            });
            (found, old)
        };
        drop(old);
        found
    }

    /// Keeps a mailbox for the calls to come; another that came first is kept instead.
    pub(super) fn keep(&self, channel: &ChannelName, mailbox: Mailbox) -> Arc<tokio::sync::Mutex<Mailbox>> {
        let mailbox = Arc::new(tokio::sync::Mutex::new(mailbox));
        let receiver = Receiver { mailbox, used: Instant::now() };
        lock(&self.0).entry(channel.clone()).or_insert(receiver).mailbox.clone()
    }

    pub(super) fn clear(&self) {
        let all = std::mem::take(&mut *lock(&self.0));
        drop(all);
    }
}

/// The next event. Cancel safe: callers of one channel take turns, and none takes what it cannot return.
pub(super) async fn receive(mailbox: Arc<tokio::sync::Mutex<Mailbox>>) -> Event {
    let mut mailbox = mailbox.lock().await;
    loop {
        if let Delivery::Event(event) = mailbox.recv().await {
            return event;
        }
    }
}
