//! [`RedisPubSubChannelLayer`]: groups as Redis pub/sub channels.

mod lines;
mod local;
mod names;
mod receivers;
mod subscriber;
mod subscriptions;

use std::fmt;
use std::sync::{Arc, OnceLock};

use futures_util::future::BoxFuture;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use super::settings::RedisSettings;
use super::wire::{Health, Pipe, PipeSettings};
use crate::layers::hub::{Delivered, Mailbox, MailboxOptions, Membership};
use crate::layers::{
    ChannelLayer, ChannelName, DropCause, Event, EventError, GroupName, LayerError, LayerStatsSnapshot,
};
use local::Local;
use names::Subscription;
use receivers::Receivers;
use subscriber::Subscriber;
use subscriptions::{Confirmed, Subscriptions};

/// The channel layer on the wire of `channels_redis.pubsub`; the recommended one. Channels: `RedisPubSubChannelLayer`.
///
/// A group is one Redis channel, to which a process subscribes while it has a member; a group send is one `PUBLISH`,
/// whatever the group's size. Delivery is at most once: what is sent while a process is away from Redis is lost for
/// it, and its members are told by a [`LayerGap`](crate::layers::LayerGap). A plain channel is a broadcast here: every
/// listener gets every message. Cheap to clone.
///
/// The layer connects by [`start`](ChannelLayer::start), or else when it is first used, inside a tokio runtime.
#[derive(Clone)]
pub struct RedisPubSubChannelLayer(Arc<Inner>);

struct Inner {
    settings: RedisSettings,
    local: Arc<Local>,
    receivers: Receivers,
    links: OnceLock<Vec<Link>>,
}

/// What is held of one host.
struct Link {
    health: Arc<Health>,
    pipe: Pipe,
    subscriptions: Subscriptions,
}

/// The connections of one host whose health counts.
const PIPE: usize = 0;
const SUBSCRIBER: usize = 1;
/// Subscriptions that may be asked for at once; more askers wait.
const REQUESTS: usize = 1024;

impl RedisPubSubChannelLayer {
    /// A layer that is not connected yet. `capacity`, `expiry` and the other settings of the core layer have no meaning
    /// on this wire.
    ///
    /// # Errors
    /// [`LayerError::Setting`] for a setting that cannot be.
    pub fn new(settings: RedisSettings) -> Result<Self, LayerError> {
        settings.check()?;
        let local = Local::new(&settings.prefix, settings.codec(None)?, settings.hosts.len());
        Ok(Self(Arc::new(Inner { settings, local, receivers: Receivers::default(), links: OnceLock::new() })))
    }
}

impl Inner {
    /// The hosts' connections, which are being made from the first call on.
    fn links(&self) -> Result<&[Link], LayerError> {
        if let Some(links) = self.links.get() {
            return Ok(links);
        }
        if Handle::try_current().is_err() {
            return Err(LayerError::Unavailable {
                host: self.settings.hosts[0].to_string(),
                reason: "the layer was not started, and there is no tokio runtime here to start it in"
                    .to_owned(),
            });
        }
        Ok(self.links.get_or_init(|| (0..self.settings.hosts.len()).map(|index| self.link(index)).collect()))
    }

    fn link(&self, index: usize) -> Link {
        let host = self.settings.hosts[index].clone();
        let health = Arc::new(Health::new(host.to_string(), &[PIPE, SUBSCRIBER]));
        let (requests, queue) = mpsc::channel(REQUESTS);
        let confirmed = Arc::new(Confirmed::default());
        let (connect_time, response_time) = (self.settings.connect_time, self.settings.response_time);
        let subscriber = Subscriber {
            host: host.clone(),
            index,
            local: self.local.clone(),
            health: health.clone(),
            part: SUBSCRIBER,
            connect_time,
            response_time,
            confirmed: confirmed.clone(),
            requests: queue,
        };
        tokio::spawn(subscriber.run());
        let pipe = Pipe::start(PipeSettings {
            host,
            health: health.clone(),
            part: PIPE,
            connect_time,
            response_time,
            restore: None,
        });
        let subscriptions = Subscriptions { confirmed, requests, health: health.clone(), part: SUBSCRIBER };
        Link { health, pipe, subscriptions }
    }

    /// The host that a Redis channel belongs to.
    fn link_of(&self, channel: &str) -> Result<&Link, LayerError> {
        Ok(&self.links()?[self.local.ring.index(channel)])
    }

    async fn ensure(&self, channel: String) -> Result<(), LayerError> {
        let link = self.link_of(&channel)?;
        link.subscriptions.ensure(Subscription::Channel(channel)).await
    }

    /// The command that publishes to a channel. In a cluster a group lives on one node alone, or every message to every
    /// group would go through all of them.
    fn publishing(&self, channel: &str) -> &'static str {
        let in_cluster = self.settings.hosts[self.local.ring.index(channel)].is_cluster();
        if in_cluster && self.local.names.group_of(channel).is_some() { "SPUBLISH" } else { "PUBLISH" }
    }

    /// Publishes, and says how many connections it was for.
    async fn publish(&self, channel: &str, event: &Event) -> Result<i64, LayerError> {
        let Some(map) = event.value().as_map() else {
            return Err(EventError::NotAMap { found: event.value().kind() }.into());
        };
        let payload = self.local.codec.encode(map).map_err(|error| EventError::Encode(error.to_string()))?;
        let mut command = redis::cmd(self.publishing(channel));
        command.arg(channel).arg(payload);
        let published = self.link_of(channel)?.pipe.one(command).await;
        if published.is_err() {
            self.local.hub.stats().count_dropped(DropCause::Disconnected, 1);
        }
        match published? {
            redis::Value::Int(receivers) => Ok(receivers),
            _ => Ok(0),
        }
    }

    /// Whether what goes to this Redis channel has to stay in this process.
    fn is_local(&self, channel: &str) -> Result<bool, LayerError> {
        let local = self.settings.local_fallback && self.link_of(channel)?.health.is_lost(PIPE);
        if local {
            // Members elsewhere do not hear it.
            self.local.hub.stats().count_dropped(DropCause::Disconnected, 1);
        }
        Ok(local)
    }

    async fn send(&self, channel: &ChannelName, event: &Event) -> Result<(), LayerError> {
        if self.is_local(channel.as_str())? && self.local.deliver_here(channel, event) {
            return Ok(());
        }
        if self.publish(channel.as_str(), event).await? == 0 {
            self.local.hub.stats().count_dropped(DropCause::ChannelGone, 1);
        }
        Ok(())
    }

    async fn listen(&self, channel: &ChannelName, options: MailboxOptions) -> Result<Mailbox, LayerError> {
        if channel.is_specific() || self.local.names.is_own(channel.as_str()) {
            return Err(LayerError::NotReceivable { channel: channel.clone() });
        }
        let mailbox = self.local.listen(channel, options);
        self.ensure(channel.as_str().to_owned()).await?;
        Ok(mailbox)
    }

    async fn receive(&self, channel: &ChannelName) -> Result<Event, LayerError> {
        let mailbox = match self.receivers.get(channel) {
            Some(mailbox) => mailbox,
            None => self.receivers.keep(channel, self.listen(channel, MailboxOptions::default()).await?),
        };
        Ok(receivers::receive(mailbox).await)
    }

    /// A mailbox can be opened while Redis is away: it hears what comes when it is back.
    async fn new_channel(&self, kind: &str, options: MailboxOptions) -> Result<Mailbox, LayerError> {
        let name = self.local.names.fresh(kind)?;
        let pattern = self.local.add_pattern(kind);
        for link in self.links()? {
            if let Err(error) = link.subscriptions.ensure(pattern.clone()).await {
                tracing::debug!(%error, "a mailbox was opened while Redis is away");
            }
        }
        let taken = || LayerError::ChannelFull { channel: name.clone() };
        self.local.hub.open(name.clone(), options).ok_or_else(taken)
    }

    async fn join(&self, group: &GroupName, member: &Mailbox, how: Membership) -> Result<(), LayerError> {
        let was_member = self.local.hub.is_member(group, member);
        self.local.hub.join(group, member, how)?;
        let channel = self.local.names.group(group);
        let subscribed = self.ensure(channel.clone()).await;
        if subscribed.is_err()
            && self.settings.local_fallback
            && self.link_of(&channel)?.health.is_lost(SUBSCRIBER)
        {
            // Subscribed to with everything else when Redis is back.
            return Ok(());
        }
        if subscribed.is_err() && !was_member {
            self.local.hub.leave(group, member);
        }
        subscribed
    }

    async fn start(&self) -> Result<(), LayerError> {
        let links = self.links()?;
        for link in links {
            match link.health.check_all().await {
                Err(error) if !self.settings.start_without_layer => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}

impl ChannelLayer for RedisPubSubChannelLayer {
    fn send<'a>(&'a self, channel: &'a ChannelName, event: Event) -> BoxFuture<'a, Result<(), LayerError>> {
        Box::pin(async move { self.0.local.hub.stats().count_send(self.0.send(channel, &event).await) })
    }

    fn receive<'a>(&'a self, channel: &'a ChannelName) -> BoxFuture<'a, Result<Event, LayerError>> {
        Box::pin(self.0.receive(channel))
    }

    fn listen<'a>(
        &'a self,
        channel: &'a ChannelName,
        options: MailboxOptions,
    ) -> BoxFuture<'a, Result<Mailbox, LayerError>> {
        Box::pin(self.0.listen(channel, options))
    }

    fn new_channel<'a>(
        &'a self,
        prefix: &'a str,
        options: MailboxOptions,
    ) -> BoxFuture<'a, Result<Mailbox, LayerError>> {
        Box::pin(self.0.new_channel(prefix, options))
    }

    fn group_add<'a>(
        &'a self,
        group: &'a GroupName,
        member: &'a Mailbox,
    ) -> BoxFuture<'a, Result<(), LayerError>> {
        Box::pin(self.0.join(group, member, Membership::Handled))
    }

    fn group_forward<'a>(
        &'a self,
        group: &'a GroupName,
        member: &'a Mailbox,
    ) -> BoxFuture<'a, Result<(), LayerError>> {
        Box::pin(self.0.join(group, member, Membership::Forwarded))
    }

    fn group_discard<'a>(
        &'a self,
        group: &'a GroupName,
        member: &'a Mailbox,
    ) -> BoxFuture<'a, Result<(), LayerError>> {
        Box::pin(async move {
            self.0.local.hub.leave(group, member);
            Ok(())
        })
    }

    /// In this process: the channel's listeners here become members, those of other processes do not.
    fn group_add_channel<'a>(
        &'a self,
        group: &'a GroupName,
        channel: &'a ChannelName,
    ) -> BoxFuture<'a, Result<(), LayerError>> {
        Box::pin(async move {
            if self.0.local.hub.join_named(group, channel).is_none() {
                self.0.local.add_member(group, channel);
            }
            self.0.ensure(self.0.local.names.group(group)).await
        })
    }

    fn group_discard_channel<'a>(
        &'a self,
        group: &'a GroupName,
        channel: &'a ChannelName,
    ) -> BoxFuture<'a, Result<(), LayerError>> {
        Box::pin(async move {
            if self.0.local.hub.leave_named(group, channel).is_none() {
                self.0.local.remove_member(group, channel);
            }
            Ok(())
        })
    }

    fn group_send<'a>(
        &'a self,
        group: &'a GroupName,
        event: Event,
    ) -> BoxFuture<'a, Result<Delivered, LayerError>> {
        Box::pin(async move {
            let channel = self.0.local.names.group(group);
            let sent = match self.0.is_local(&channel)? {
                true => Ok(self.0.local.deliver_group(group.as_str(), &event)),
                false => self.0.publish(&channel, &event).await.map(|_| Delivered::default()),
            };
            self.0.local.hub.stats().count_group_send(sent)
        })
    }

    /// Processes with members are subscribed. In a cluster a node knows its own subscribers alone.
    fn has_members<'a>(&'a self, group: &'a GroupName) -> BoxFuture<'a, Result<Option<bool>, LayerError>> {
        Box::pin(async move {
            let channel = self.0.local.names.group(group);
            if self.0.settings.hosts[self.0.local.ring.index(&channel)].is_cluster() {
                return Ok(None);
            }
            let mut command = redis::cmd("PUBSUB");
            command.arg("NUMSUB").arg(&channel);
            let subscribers = self.0.link_of(&channel)?.pipe.one(command).await?;
            let counted = redis::from_redis_value::<(String, u64)>(subscribers).ok();
            Ok(counted.map(|(_, count)| count > 0))
        })
    }

    /// Of this process: the wire holds nothing that could be forgotten for others.
    fn flush(&self) -> BoxFuture<'_, Result<(), LayerError>> {
        Box::pin(async move {
            self.0.local.clear();
            self.0.receivers.clear();
            Ok(())
        })
    }

    fn start(&self) -> BoxFuture<'_, Result<(), LayerError>> {
        Box::pin(self.0.start())
    }

    fn is_ready(&self) -> bool {
        self.0.links.get().is_some_and(|links| links.iter().all(|link| link.health.is_ready()))
    }

    fn stats(&self) -> LayerStatsSnapshot {
        let mut snapshot = self.0.local.hub.snapshot();
        snapshot.channels = self.0.local.listened();
        let links = self.0.links.get().map(|links| &links[..]).unwrap_or_default();
        snapshot.reconnects = links.iter().map(|link| link.health.reconnects()).sum();
        snapshot
    }

    fn describe(&self) -> String {
        let hosts: Vec<_> = self.0.settings.hosts.iter().map(ToString::to_string).collect();
        format!("redis-pubsub at {}", hosts.join(", "))
    }
}

impl fmt::Debug for RedisPubSubChannelLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RedisPubSubChannelLayer").field(&self.describe()).finish()
    }
}
