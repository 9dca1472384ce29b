//! [`MemoryChannelLayer`]: the channel layer of one process.

mod builder;
mod channels;
mod groups;

pub use builder::MemoryChannelLayerBuilder;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::time::Instant;

use super::hub::{Delivered, Hub, Mailbox, MailboxOptions, Membership};
use super::{
    Capacities, ChannelLayer, ChannelName, DropCause, Event, GroupName, LayerError, LayerStatsSnapshot,
};
use channels::Channels;
use groups::NamedMembers;

/// The channel layer of one process: nothing to install, nothing shared with other processes.
/// Channels: `InMemoryChannelLayer`.
///
/// Plain channels hold up to `capacity` messages (100) for `expiry` (60 s). Mailboxes live until they are dropped, and
/// so do their memberships; only members by name are forgotten after `group_expiry` (a day), unless someone listens on
/// them. Cheap to clone.
#[derive(Clone)]
pub struct MemoryChannelLayer(Arc<Inner>);

struct Inner {
    hub: Arc<Hub>,
    channels: Channels,
    named: NamedMembers,
    capacities: Capacities,
    expiry: Duration,
    group_expiry: Duration,
}

impl MemoryChannelLayer {
    /// A layer with the defaults.
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// A layer with settings of one's own.
    pub fn builder() -> MemoryChannelLayerBuilder {
        MemoryChannelLayerBuilder::default()
    }

    /// The mailboxes and groups behind the layer, for the testing kit's gaps.
    #[cfg(feature = "testing")]
    pub(crate) fn hub(&self) -> &Hub {
        &self.0.hub
    }
}

impl Default for MemoryChannelLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl Inner {
    fn send(&self, channel: &ChannelName, event: &Event) -> Result<(), LayerError> {
        if let Some(sent) = self.hub.send(channel, event) {
            return sent;
        }
        if !channel.is_receivable() {
            self.hub.stats().count_dropped(DropCause::ChannelGone, 1);
            return Ok(());
        }
        self.send_plain(channel, event)
    }

    fn send_plain(&self, channel: &ChannelName, event: &Event) -> Result<(), LayerError> {
        let now = Instant::now();
        self.expired(self.channels.sweep(now));
        let capacity = self.capacities.of(channel.as_str());
        let (sent, expired) = self.channels.send(channel, event, capacity, now + self.expiry, now);
        self.expired(vec![(channel.clone(), expired)]);
        sent.then_some(()).ok_or_else(|| LayerError::ChannelFull { channel: channel.clone() })
    }

    /// Counts expired messages. A channel that let one expire has no reader, and leaves all its groups.
    fn expired(&self, expired: Vec<(ChannelName, u64)>) {
        for (channel, count) in expired.into_iter().filter(|(_, count)| *count > 0) {
            self.hub.stats().count_dropped(DropCause::Expired, count);
            self.named.remove_everywhere(&channel);
        }
    }

    async fn receive(&self, channel: &ChannelName) -> Result<Event, LayerError> {
        receivable(channel)?;
        let waiter = self.channels.wait_on(channel);
        loop {
            // Registered before looking, so that a message that comes in between is not missed.
            let notified = waiter.notified();
            let (event, expired) = self.channels.take(channel, Instant::now());
            self.expired(vec![(channel.clone(), expired)]);
            if let Some(event) = event {
                self.hub.stats().count_delivered(1);
                return Ok(event);
            }
            notified.await;
        }
    }

    fn listen(
        self: &Arc<Self>,
        channel: &ChannelName,
        options: MailboxOptions,
    ) -> Result<Mailbox, LayerError> {
        receivable(channel)?;
        let mailbox = self.hub.open_unnamed(channel.clone(), options);
        let id = mailbox.feeder().id();
        let (name, inner) = (channel.clone(), self.clone());
        self.channels.listen(channel, mailbox.feeder());
        let (refilled, refiller) = (channel.clone(), self.clone());
        let mailbox = mailbox.with_on_room(move || {
            let expired = refiller.channels.refill(&refilled, id, Instant::now());
            refiller.expired(vec![(refilled.clone(), expired)]);
        });
        mailbox.make_room();
        Ok(mailbox.with_on_drop(move |rest| {
            let now = Instant::now();
            inner.channels.unlisten(&name, id, rest, now + inner.expiry);
        }))
    }

    fn new_channel(self: &Arc<Self>, prefix: &str, options: MailboxOptions) -> Result<Mailbox, LayerError> {
        loop {
            let name = ChannelName::new(format!("{prefix}.inmemory!{}", letters()))?;
            let events = options.events.min(self.capacities.of(name.as_str()));
            if let Some(mailbox) = self.hub.open(name, MailboxOptions { events, ..options }) {
                return Ok(mailbox);
            }
        }
    }

    fn group_send(&self, group: &GroupName, event: &Event) -> Delivered {
        let mut delivered = self.hub.deliver_group(group, event);
        let now = Instant::now();
        let live = |channel: &ChannelName| self.channels.has_listener(channel);
        for channel in self.named.members(group, now, self.group_expiry, live) {
            let expired = self.channels.expire(&channel, now);
            if expired > 0 {
                self.expired(vec![(channel, expired)]);
                continue;
            }
            match self.send_plain(&channel, event) {
                Ok(()) => delivered.reached += 1,
                Err(_) => {
                    self.hub.stats().count_dropped(DropCause::ChannelFull, 1);
                    delivered.dropped += 1;
                }
            }
        }
        delivered
    }
}

fn receivable(channel: &ChannelName) -> Result<(), LayerError> {
    match channel.is_receivable() {
        true => Ok(()),
        false => Err(LayerError::NotReceivable { channel: channel.clone() }),
    }
}

/// Twelve random letters: 68 bits.
fn letters() -> String {
    const LETTERS: &[u8; 52] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let mut random = rand::random::<u128>();
    let mut name = String::with_capacity(12);
    for _ in 0..12 {
        name.push(char::from(LETTERS[(random % 52) as usize]));
        random /= 52;
    }
    name
}

impl ChannelLayer for MemoryChannelLayer {
    fn send<'a>(&'a self, channel: &'a ChannelName, event: Event) -> BoxFuture<'a, Result<(), LayerError>> {
        Box::pin(async move { self.0.hub.stats().count_send(self.0.send(channel, &event)) })
    }

    fn receive<'a>(&'a self, channel: &'a ChannelName) -> BoxFuture<'a, Result<Event, LayerError>> {
        Box::pin(self.0.receive(channel))
    }

    fn listen<'a>(
        &'a self,
        channel: &'a ChannelName,
        options: MailboxOptions,
    ) -> BoxFuture<'a, Result<Mailbox, LayerError>> {
        Box::pin(async move { self.0.listen(channel, options) })
    }

    fn new_channel<'a>(
        &'a self,
        prefix: &'a str,
        options: MailboxOptions,
    ) -> BoxFuture<'a, Result<Mailbox, LayerError>> {
        Box::pin(async move { self.0.new_channel(prefix, options) })
    }

    fn group_add<'a>(
        &'a self,
        group: &'a GroupName,
        member: &'a Mailbox,
    ) -> BoxFuture<'a, Result<(), LayerError>> {
        Box::pin(async move { self.0.hub.join(group, member, Membership::Handled).map(drop) })
    }

    fn group_forward<'a>(
        &'a self,
        group: &'a GroupName,
        member: &'a Mailbox,
    ) -> BoxFuture<'a, Result<(), LayerError>> {
        Box::pin(async move { self.0.hub.join(group, member, Membership::Forwarded).map(drop) })
    }

    fn group_discard<'a>(
        &'a self,
        group: &'a GroupName,
        member: &'a Mailbox,
    ) -> BoxFuture<'a, Result<(), LayerError>> {
        Box::pin(async move {
            self.0.hub.leave(group, member);
            Ok(())
        })
    }

    fn group_add_channel<'a>(
        &'a self,
        group: &'a GroupName,
        channel: &'a ChannelName,
    ) -> BoxFuture<'a, Result<(), LayerError>> {
        Box::pin(async move {
            if self.0.hub.join_named(group, channel).is_some() {
                return Ok(());
            }
            match channel.is_receivable() {
                true => self.0.named.add(group, channel, Instant::now()),
                false => self.0.hub.stats().count_dropped(DropCause::ChannelGone, 1),
            }
            Ok(())
        })
    }

    fn group_discard_channel<'a>(
        &'a self,
        group: &'a GroupName,
        channel: &'a ChannelName,
    ) -> BoxFuture<'a, Result<(), LayerError>> {
        Box::pin(async move {
            if self.0.hub.leave_named(group, channel).is_none() {
                self.0.named.remove(group, channel);
            }
            Ok(())
        })
    }

    fn group_send<'a>(
        &'a self,
        group: &'a GroupName,
        event: Event,
    ) -> BoxFuture<'a, Result<Delivered, LayerError>> {
        Box::pin(async move { self.0.hub.stats().count_group_send(Ok(self.0.group_send(group, &event))) })
    }

    fn has_members<'a>(&'a self, group: &'a GroupName) -> BoxFuture<'a, Result<Option<bool>, LayerError>> {
        Box::pin(async move {
            let live = |channel: &ChannelName| self.0.channels.has_listener(channel);
            let named = self.0.named.members(group, Instant::now(), self.0.group_expiry, live);
            Ok(Some(self.0.hub.has_group(group.as_str()) || !named.is_empty()))
        })
    }

    fn flush(&self) -> BoxFuture<'_, Result<(), LayerError>> {
        Box::pin(async move {
            self.0.hub.clear();
            self.0.channels.clear();
            self.0.named.clear();
            Ok(())
        })
    }

    fn stats(&self) -> LayerStatsSnapshot {
        let mut snapshot = self.0.hub.snapshot();
        snapshot.channels = self.0.channels.len();
        snapshot
    }

    fn describe(&self) -> String {
        "memory".to_owned()
    }
}

impl fmt::Debug for MemoryChannelLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryChannelLayer").field("hub", &self.0.hub).finish_non_exhaustive()
    }
}
