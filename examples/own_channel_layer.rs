//! A channel layer of one's own: mailboxes and groups by Solent's `Hub`, the wire by you. Here the wire is a pair of
//! tokio channels between two layers, as if they were two processes.
//!
//! Run with `cargo run --example own_channel_layer`.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use solent::layers::hub::{Hub, Membership};
use solent::layers::{ChannelLayer, ChannelName, Delivered, Event, GroupName, LayerError};
use solent::layers::{LayerStatsSnapshot, Mailbox, MailboxOptions};
use tokio::sync::broadcast;

type Parcel = (String, Event);
type Answer<'a, T = ()> = BoxFuture<'a, Result<T, LayerError>>;

#[derive(Debug)]
pub(crate) struct WireLayer {
    hub: Arc<Hub>,
    wire: broadcast::Sender<Parcel>,
}

impl WireLayer {
    /// A layer on a wire: what comes over it is delivered to this process's mailboxes and groups.
    pub(crate) fn new(wire: &broadcast::Sender<Parcel>) -> Self {
        let (hub, mut parcels) = (Hub::new(), wire.subscribe());
        let local = Arc::clone(&hub);
        tokio::spawn(async move {
            while let Ok((to, event)) = parcels.recv().await {
                if !local.deliver(&to, &event) {
                    local.deliver_group(&to, &event);
                }
            }
        });
        Self { hub, wire: wire.clone() }
    }

    fn publish(&self, to: &str, event: Event) -> Result<(), LayerError> {
        let away =
            |_| LayerError::Unavailable { host: "wire".to_owned(), reason: "nobody listens".to_owned() };
        self.wire.send((to.to_owned(), event)).map(drop).map_err(away)
    }
}

#[rustfmt::skip]
impl ChannelLayer for WireLayer {
    fn send<'a>(&'a self, channel: &'a ChannelName, event: Event) -> Answer<'a> {
        Box::pin(async move { self.publish(channel.as_str(), event) })
    }
    fn group_send<'a>(&'a self, group: &'a GroupName, event: Event) -> Answer<'a, Delivered> {
        // Over a wire nobody knows how many it will reach.
        Box::pin(async move { self.publish(group.as_str(), event).map(|()| Delivered::default()) })
    }
    fn new_channel<'a>(&'a self, prefix: &'a str, options: MailboxOptions) -> Answer<'a, Mailbox> {
        Box::pin(async move {
            let name = ChannelName::new(format!("{prefix}.wire!{}", rand::random::<u64>()))?;
            let taken = LayerError::ChannelFull { channel: name.clone() };
            self.hub.open(name, options).ok_or(taken)
        })
    }
    fn group_add<'a>(&'a self, group: &'a GroupName, member: &'a Mailbox) -> Answer<'a> {
        Box::pin(async move { self.hub.join(group, member, Membership::Handled).map(drop) })
    }
    fn group_forward<'a>(&'a self, group: &'a GroupName, member: &'a Mailbox) -> Answer<'a> {
        Box::pin(async move { self.hub.join(group, member, Membership::Forwarded).map(drop) })
    }
    fn group_discard<'a>(&'a self, group: &'a GroupName, member: &'a Mailbox) -> Answer<'a> {
        Box::pin(async move { self.hub.leave(group, member); Ok(()) })
    }
    // This wire has no place for messages without a mailbox: no plain channels, no members by name.
    fn receive<'a>(&'a self, channel: &'a ChannelName) -> Answer<'a, Event> {
        Box::pin(async move { Err(LayerError::NotReceivable { channel: channel.clone() }) })
    }
    fn listen<'a>(&'a self, channel: &'a ChannelName, _: MailboxOptions) -> Answer<'a, Mailbox> {
        Box::pin(async move { Err(LayerError::NotReceivable { channel: channel.clone() }) })
    }
    fn group_add_channel<'a>(&'a self, _: &'a GroupName, channel: &'a ChannelName) -> Answer<'a> {
        Box::pin(async move { Err(LayerError::NotReceivable { channel: channel.clone() }) })
    }
    fn group_discard_channel<'a>(&'a self, _: &'a GroupName, _: &'a ChannelName) -> Answer<'a> {
        Box::pin(async move { Ok(()) })
    }
    fn flush(&self) -> Answer<'_> {
        Box::pin(async move { self.hub.clear(); Ok(()) })
    }
    fn stats(&self) -> LayerStatsSnapshot { self.hub.snapshot() }
    fn describe(&self) -> String { "wire".to_owned() }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let wire = broadcast::Sender::new(64);
    let (here, there, room) = (WireLayer::new(&wire), WireLayer::new(&wire), GroupName::new("room")?);
    let mut member = there.new_channel("specific", MailboxOptions::default()).await?;
    there.group_add(&room, &member).await?;
    here.group_send(&room, Event::new(&serde_json::json!({ "type": "hello" }))?).await?;
    println!("{:?}", member.recv().await);
    Ok(())
}
