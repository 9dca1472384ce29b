//! [`ChannelLayer`]: what every layer can do.

use std::fmt;

use futures_util::future::BoxFuture;

use super::{
    ChannelName, Delivered, Event, GroupName, LayerError, LayerStatsSnapshot, Mailbox, MailboxOptions,
};

/// A way for consumers to talk to each other, in one process or many. Channels: `BaseChannelLayer`.
///
/// Delivery is at most once, in order per sender and group; a group send never waits for a slow member. The trait is
/// dyn-compatible; a server holds its layers as `Arc<dyn ChannelLayer>`. Most programs use a
/// [`LayerHandle`](super::LayerHandle), which takes any serialisable message.
///
/// ```
/// use serde_json::json;
/// use solent::layers::hub::{Delivery, MailboxOptions};
/// use solent::layers::{ChannelLayer, Event, GroupName, MemoryChannelLayer};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (layer, room) = (MemoryChannelLayer::new(), GroupName::new("room")?);
/// let mut member = layer.new_channel("specific", MailboxOptions::default()).await?;
/// layer.group_add(&room, &member).await?;
/// assert_eq!(layer.has_members(&room).await?, Some(true));
/// layer.group_send(&room, Event::new(&json!({ "type": "news" }))?).await?;
/// assert!(matches!(member.recv().await, Delivery::Event(_)));
/// # Ok(())
/// # }
/// ```
pub trait ChannelLayer: Send + Sync + fmt::Debug + 'static {
    /// Sends to one channel. A specific channel that does not exist any more is counted, not an error.
    ///
    /// # Errors
    /// [`LayerError::ChannelFull`] where the wire can know it; [`LayerError::Unavailable`] while the broker is away.
    fn send<'a>(&'a self, channel: &'a ChannelName, event: Event) -> BoxFuture<'a, Result<(), LayerError>>;

    /// Receives one message from a plain channel. Receivers of one channel compete, where the wire lets them.
    ///
    /// # Errors
    /// [`LayerError::NotReceivable`] for a specific channel: its mailbox receives.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    fn receive<'a>(&'a self, channel: &'a ChannelName) -> BoxFuture<'a, Result<Event, LayerError>>;

    /// A standing receiver of a plain channel, as workers have it. What it has not taken when it is dropped goes back
    /// to the channel, where the wire has a place for it.
    ///
    /// # Errors
    /// As [`receive`](Self::receive).
    fn listen<'a>(
        &'a self,
        channel: &'a ChannelName,
        options: MailboxOptions,
    ) -> BoxFuture<'a, Result<Mailbox, LayerError>>;

    /// A mailbox with a name of its own, which starts with `prefix` (`specific` by custom). Channels: `new_channel`.
    ///
    /// # Errors
    /// [`LayerError::Name`] when `prefix` cannot begin a channel's name.
    fn new_channel<'a>(
        &'a self,
        prefix: &'a str,
        options: MailboxOptions,
    ) -> BoxFuture<'a, Result<Mailbox, LayerError>>;

    /// Makes a mailbox a *handled* member: the group's events go into the mailbox. Done when it is in effect.
    /// Channels: `group_add`.
    ///
    /// # Errors
    /// [`LayerError::ForeignMailbox`] when another layer made it; [`LayerError::Unavailable`] while the broker is away.
    fn group_add<'a>(
        &'a self,
        group: &'a GroupName,
        member: &'a Mailbox,
    ) -> BoxFuture<'a, Result<(), LayerError>>;

    /// Makes a mailbox a *forwarded* member: the group's events go straight to the mailbox's sink. After an outage they
    /// wait until the mailbox's owner has taken the [`Gap`](super::Delivery::Gap) and asks for the next delivery.
    ///
    /// # Errors
    /// As [`group_add`](Self::group_add).
    fn group_forward<'a>(
        &'a self,
        group: &'a GroupName,
        member: &'a Mailbox,
    ) -> BoxFuture<'a, Result<(), LayerError>>;

    /// Ends a membership. One that is not there is fine. Channels: `group_discard`.
    ///
    /// # Errors
    /// As [`group_add`](Self::group_add).
    fn group_discard<'a>(
        &'a self,
        group: &'a GroupName,
        member: &'a Mailbox,
    ) -> BoxFuture<'a, Result<(), LayerError>>;

    /// Makes a channel a member by its name, as a plain channel of workers. Such a membership ends by
    /// [`group_discard_channel`](Self::group_discard_channel) or by the layer's group expiry.
    ///
    /// # Errors
    /// As [`group_add`](Self::group_add).
    fn group_add_channel<'a>(
        &'a self,
        group: &'a GroupName,
        channel: &'a ChannelName,
    ) -> BoxFuture<'a, Result<(), LayerError>>;

    /// Ends a membership by name. One that is not there is fine.
    ///
    /// # Errors
    /// As [`group_add`](Self::group_add).
    fn group_discard_channel<'a>(
        &'a self,
        group: &'a GroupName,
        channel: &'a ChannelName,
    ) -> BoxFuture<'a, Result<(), LayerError>>;

    /// Sends to all members of a group. Members without room are skipped and counted; an empty group is fine. What is
    /// returned counts the members that are known when the call ends: over a broker, none, since delivery follows.
    /// Channels: `group_send`.
    ///
    /// # Errors
    /// [`LayerError::Unavailable`] while the broker is away.
    fn group_send<'a>(
        &'a self,
        group: &'a GroupName,
        event: Event,
    ) -> BoxFuture<'a, Result<Delivered, LayerError>>;

    /// Whether anybody is known to be in a group, here or in another process; `None` where the layer cannot tell. It is of
    /// the moment, and for people to look at: an answer may be old before it is read.
    ///
    /// # Errors
    /// [`LayerError::Unavailable`] while the broker is away.
    fn has_members<'a>(&'a self, _group: &'a GroupName) -> BoxFuture<'a, Result<Option<bool>, LayerError>> {
        Box::pin(async { Ok(None) })
    }

    /// Forgets all messages and all memberships, those of other processes included where the wire holds them.
    ///
    /// # Errors
    /// [`LayerError::Unavailable`] while the broker is away.
    fn flush(&self) -> BoxFuture<'_, Result<(), LayerError>>;

    /// Connects; called when the server starts. Layers without a broker have nothing to do.
    ///
    /// # Errors
    /// [`LayerError::Unavailable`] when the broker cannot be reached.
    fn start(&self) -> BoxFuture<'_, Result<(), LayerError>> {
        Box::pin(std::future::ready(Ok(())))
    }

    /// Waits until nothing is on its way to this process that nobody here wants any more, such as a message that a
    /// receiver who has gone was waiting for. Called when a server or a worker has ended; the layer can still be used.
    fn settle(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }

    /// Whether the layer can deliver now. A server that is not ready says so to its load balancer.
    fn is_ready(&self) -> bool {
        true
    }

    /// The layer's counters.
    fn stats(&self) -> LayerStatsSnapshot;

    /// The layer in words, without secrets: `memory`, `redis-pubsub at 127.0.0.1:6379`.
    fn describe(&self) -> String;
}
