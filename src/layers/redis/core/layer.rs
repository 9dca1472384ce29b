//! The layer's operations, by Channels' names.

use futures_util::future::BoxFuture;

use super::{RedisChannelLayer, keeper};
use crate::layers::hub::{Delivered, Mailbox, MailboxOptions, Membership};
use crate::layers::{ChannelLayer, ChannelName, Event, GroupName, LayerError, LayerStatsSnapshot};

impl ChannelLayer for RedisChannelLayer {
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
        Box::pin(async move { self.0.new_channel(prefix, options) })
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
        Box::pin(self.0.leave(group, member))
    }

    fn group_add_channel<'a>(
        &'a self,
        group: &'a GroupName,
        channel: &'a ChannelName,
    ) -> BoxFuture<'a, Result<(), LayerError>> {
        Box::pin(async move {
            self.0.local.hub.join_named(group, channel);
            let life = self.0.settings.group_expiry;
            self.0.run(group, keeper::add(&self.0.local, group, &[channel.as_str()], life).to_vec()).await
        })
    }

    fn group_discard_channel<'a>(
        &'a self,
        group: &'a GroupName,
        channel: &'a ChannelName,
    ) -> BoxFuture<'a, Result<(), LayerError>> {
        Box::pin(async move {
            self.0.local.hub.leave_named(group, channel);
            self.0.run(group, vec![keeper::remove(&self.0.local, group, &[channel.as_str()])]).await
        })
    }

    fn group_send<'a>(
        &'a self,
        group: &'a GroupName,
        event: Event,
    ) -> BoxFuture<'a, Result<Delivered, LayerError>> {
        Box::pin(async move {
            let sent = self.0.group_send(group, &event).await;
            self.0.local.hub.stats().count_group_send(sent)
        })
    }

    fn has_members<'a>(&'a self, group: &'a GroupName) -> BoxFuture<'a, Result<Option<bool>, LayerError>> {
        Box::pin(async move { Ok(Some(!self.0.members(group).await?.is_empty())) })
    }

    fn flush(&self) -> BoxFuture<'_, Result<(), LayerError>> {
        Box::pin(self.0.flush())
    }

    fn start(&self) -> BoxFuture<'_, Result<(), LayerError>> {
        Box::pin(self.0.start())
    }

    fn settle(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.0.settle())
    }

    fn is_ready(&self) -> bool {
        self.0.links.get().is_some_and(|links| links.iter().all(|link| link.health.is_ready()))
    }

    fn stats(&self) -> LayerStatsSnapshot {
        let mut snapshot = self.0.local.hub.snapshot();
        snapshot.channels = self.0.plain.len();
        let links = self.0.links.get().map(|links| &links[..]).unwrap_or_default();
        snapshot.reconnects = links.iter().map(|link| link.health.reconnects()).sum();
        snapshot
    }

    fn describe(&self) -> String {
        self.0.describe()
    }
}
