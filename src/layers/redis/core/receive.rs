//! Receiving from plain channels, one message at a time or standing.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;

use super::local::Local;
use super::names;
use super::plain::{Message, PlainChannel};
use super::worker::Worker;
use super::{Inner, PIPE};
use crate::layers::hub::{Mailbox, MailboxOptions};
use crate::layers::redis::wire::Pipe;
use crate::layers::{ChannelName, DropCause, Event, LayerError};

impl Inner {
    /// A plain channel with its readers, one for each host: senders go round all of them.
    fn plain(&self, channel: &ChannelName) -> Result<Arc<PlainChannel>, LayerError> {
        if channel.is_specific() {
            return Err(LayerError::NotReceivable { channel: channel.clone() });
        }
        let links = self.links()?;
        Ok(self.plain.get(channel, |plain| {
            for (host, link) in links.iter().enumerate() {
                let worker = Worker {
                    source: self.source(host, channel.as_str()),
                    host,
                    local: self.local.clone(),
                    health: link.health.clone(),
                    part: self.next_part.fetch_add(1, Relaxed),
                    name: channel.clone(),
                    channel: plain.clone(),
                    channels: self.plain.clone(),
                    unconfirmed: Vec::new(),
                    looked: None,
                };
                tokio::spawn(worker.run());
            }
            links.len()
        }))
    }

    pub(super) async fn receive(&self, channel: &ChannelName) -> Result<Event, LayerError> {
        let plain = self.plain(channel)?;
        let ended =
            || LayerError::Unavailable { host: self.describe(), reason: "the layer has ended".to_owned() };
        plain.receive().await.ok_or_else(ended)
    }

    /// Waits until Redis is there, so that what is sent next is not sent before anyone could listen.
    pub(super) async fn listen(
        &self,
        channel: &ChannelName,
        options: MailboxOptions,
    ) -> Result<Mailbox, LayerError> {
        let plain = self.plain(channel)?;
        self.link_of(channel.as_str())?.health.check(PIPE).await?;
        let mailbox = self.local.hub.open_unnamed(channel.clone(), options);
        let id = mailbox.feeder().id();
        plain.listen(mailbox.feeder());
        let room = plain.clone();
        let pipe = self.link_of(channel.as_str())?.pipe.clone();
        let (local, name, expiry) = (self.local.clone(), channel.clone(), self.settings.expiry);
        let giving = self.giving.clone();
        let mailbox = mailbox.with_on_room(move || room.wanted.notify_one());
        Ok(mailbox.with_on_drop(move |rest| {
            plain.unlisten(id);
            plain.wanted.notify_one();
            give_back(&local, &name, expiry, &pipe, &giving, rest);
        }))
    }
}

impl Inner {
    /// Puts messages back as they were.
    pub(super) async fn put_back(&self, channel: &ChannelName, messages: Vec<Message>) {
        let key = self.local.names.key(channel.as_str());
        let add = |message: &Message| {
            let mut add = redis::cmd("ZADD");
            add.arg(&key).arg(message.score).arg(&message.framed[..]);
            add
        };
        let put = match self.link_of(channel.as_str()) {
            Ok(link) => link.pipe.run(messages.iter().map(add).collect()).await.map(drop),
            Err(error) => Err(error),
        };
        if put.is_err() {
            self.local.hub.stats().count_dropped(DropCause::Disconnected, messages.len() as u64);
        }
    }
}

/// Puts what a listener had not taken back into its channel, for others. Without a runtime it cannot.
fn give_back(
    local: &Arc<Local>,
    name: &ChannelName,
    expiry: Duration,
    pipe: &Pipe,
    tasks: &TaskTracker,
    rest: Vec<Event>,
) {
    if rest.is_empty() {
        return;
    }
    let (local, key, pipe) = (local.clone(), local.names.key(name.as_str()), pipe.clone());
    let giving = tasks.track_future(async move {
        let mut commands = Vec::new();
        for event in &rest {
            let Some(Ok(framed)) = event.value().as_map().map(|map| local.codec.encode(map)) else {
                continue;
            };
            let mut add = redis::cmd("ZADD");
            add.arg(&key).arg(names::score(local.names.now())).arg(framed);
            commands.push(add);
        }
        let mut expire = redis::cmd("EXPIRE");
        expire.arg(&key).arg(expiry.as_secs());
        commands.push(expire);
        if pipe.run(commands).await.is_err() {
            local.hub.stats().count_dropped(DropCause::Disconnected, rest.len() as u64);
        }
    });
    if let Ok(runtime) = Handle::try_current() {
        runtime.spawn(giving);
    }
}
