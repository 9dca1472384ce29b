//! The consumers under test: a room whose members hear each other, handled or forwarded.

use std::net::SocketAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::json;
use solent::consumer::{Context, WebsocketConsumer, blocking, consumer};
use solent::layers::{
    ChannelLayers, Delivery, Event, GroupName, LayerGap, LayerHandle, Mailbox, MailboxOptions,
    MemoryChannelLayer, Overflow,
};
use solent::routing::{ProtocolTypeRouter, UrlRouter, re_path};
use solent::server::{AccessLog, Running, Server};
use solent::testing::WebsocketCommunicator;
use solent::websocket::{CloseFrame, Message};
use solent::{Limits, Result};

#[derive(Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum RoomEvent {
    #[serde(rename = "chat.message")]
    Message { message: String },
}

/// A member whose `event` runs.
pub struct Handled {
    group: GroupName,
}

impl WebsocketConsumer for Handled {
    type Event = RoomEvent;

    async fn connect(ctx: &mut Context) -> Result<Self> {
        let room: i64 = ctx.url_route().get("room")?;
        let group = GroupName::new(format!("room_{room}"))?;
        ctx.group_add(&group).await?;
        ctx.accept().await?;
        Ok(Self { group })
    }

    async fn receive(&mut self, ctx: &mut Context, message: Message) -> Result<()> {
        match message.as_text()? {
            "leave" => ctx.group_discard(&self.group).await?,
            "name" => {
                let name = ctx.channel_name().await?;
                ctx.send(name.as_str()).await?;
            }
            text => {
                let event = RoomEvent::Message { message: text.to_owned() };
                ctx.group_send(&self.group, &event).await?;
            }
        }
        Ok(())
    }

    async fn event(&mut self, ctx: &mut Context, event: Event<RoomEvent>) -> Result<()> {
        ctx.send_event(&event).await
    }

    async fn layer_gap(&mut self, ctx: &mut Context, gap: LayerGap) -> Result<()> {
        let groups: Vec<_> = gap.groups.iter().map(GroupName::as_str).collect();
        ctx.send_json(&json!({"type": "layer.gap", "groups": groups})).await
    }

    async fn disconnect(&mut self, ctx: &mut Context, close: CloseFrame) {
        // Leaving is told to those who stay: the group itself was left already.
        let event = RoomEvent::Message { message: format!("left with {}", close.code) };
        ctx.group_send(&self.group, &event).await.unwrap();
    }
}

/// A member to whom events are forwarded.
pub struct Forwarded {
    group: GroupName,
}

impl WebsocketConsumer for Forwarded {
    type Event = RoomEvent;

    async fn connect(ctx: &mut Context) -> Result<Self> {
        let room: i64 = ctx.url_route().get("room")?;
        let group = GroupName::new(format!("room_{room}"))?;
        ctx.group_forward(&group).await?;
        ctx.accept().await?;
        Ok(Self { group })
    }

    async fn receive(&mut self, ctx: &mut Context, message: Message) -> Result<()> {
        let event = RoomEvent::Message { message: message.as_text()?.to_owned() };
        ctx.group_send(&self.group, &event).await?;
        Ok(())
    }
}

/// A blocking member.
pub struct BlockingMember {
    group: GroupName,
}

impl blocking::WebsocketConsumer for BlockingMember {
    type Event = RoomEvent;

    fn connect(ctx: &mut blocking::Context) -> Result<Self> {
        let room: i64 = ctx.url_route().get("room")?;
        let group = GroupName::new(format!("room_{room}"))?;
        ctx.group_add(&group)?;
        ctx.accept()?;
        Ok(Self { group })
    }

    fn receive(&mut self, ctx: &mut blocking::Context, message: Message) -> Result<()> {
        let event = RoomEvent::Message { message: message.as_text()?.to_owned() };
        ctx.group_send(&self.group, &event)?;
        Ok(())
    }

    fn event(&mut self, ctx: &mut blocking::Context, event: Event<RoomEvent>) -> Result<()> {
        ctx.send_event(&event)
    }
}

/// In the group of its class.
pub struct ClassGroups;

impl WebsocketConsumer for ClassGroups {
    type Event = RoomEvent;

    const GROUPS: &'static [&'static str] = &["everyone"];

    async fn connect(ctx: &mut Context) -> Result<Self> {
        ctx.accept().await?;
        Ok(Self)
    }

    async fn event(&mut self, ctx: &mut Context, event: Event<RoomEvent>) -> Result<()> {
        ctx.send_event(&event).await
    }
}

pub struct Site {
    pub running: Running,
    pub layer: LayerHandle,
    app: ProtocolTypeRouter,
}

impl Site {
    pub async fn start() -> Self {
        Self::with(|_| {}, Overflow::DropNewest).await
    }

    pub async fn with(change: impl FnOnce(&mut Limits), overflow: Overflow) -> Self {
        let sockets = UrlRouter::new([
            re_path(r"^ws/handled/(?P<room>\d+)/$", consumer::<Handled>().overflow(overflow)),
            re_path(r"^ws/forwarded/(?P<room>\d+)/$", consumer::<Forwarded>().overflow(overflow)),
            re_path(r"^ws/blocking/(?P<room>\d+)/$", blocking::consumer::<BlockingMember>()),
            re_path(r"^ws/class/$", consumer::<ClassGroups>()),
        ]);
        let layer = Arc::new(MemoryChannelLayer::new());
        let mut layers = solent::layers::ChannelLayers::default();
        layers.insert("default", layer.clone());
        let mut limits = Limits::default();
        change(&mut limits);
        let app = ProtocolTypeRouter::new().websocket(sockets.unwrap());
        let server = Server::new(app.clone()).bind("127.0.0.1:0").limits(limits).channel_layers(layers);
        let running = server.access_log(AccessLog::off()).start().await.unwrap();
        Self { running, layer: LayerHandle::new(layer), app }
    }

    pub fn address(&self) -> SocketAddr {
        self.running.addresses()[0]
    }

    /// An open socket in process, where what crosses the wire is not what is tested.
    pub async fn client(&self, path: &str) -> WebsocketCommunicator {
        let env = self.running.env().clone();
        let mut client = WebsocketCommunicator::new(self.app.clone(), path).env(env);
        client.connect().await.unwrap();
        client
    }
}

pub fn message(text: &str) -> RoomEvent {
    RoomEvent::Message { message: text.to_owned() }
}

/// A server for one test's own routes.
pub struct Served {
    pub running: Running,
    pub layer: LayerHandle,
}

impl Served {
    pub async fn start(sockets: UrlRouter, change: impl FnOnce(&mut Limits)) -> Self {
        Self::app(ProtocolTypeRouter::new().websocket(sockets), change).await
    }

    pub async fn app(app: ProtocolTypeRouter, change: impl FnOnce(&mut Limits)) -> Self {
        let layer = Arc::new(MemoryChannelLayer::new());
        let mut limits = Limits::default();
        change(&mut limits);
        let server = Server::new(app).bind("127.0.0.1:0").limits(limits);
        let mut layers = ChannelLayers::default();
        layers.insert("default", layer.clone());
        let server = server.channel_layers(layers);
        let running = server.access_log(AccessLog::off()).start().await.unwrap();
        Self { running, layer: LayerHandle::new(layer) }
    }

    pub fn address(&self) -> SocketAddr {
        self.running.addresses()[0]
    }

    /// A member of a group that is no connection.
    pub async fn member(&self, group: &str) -> Member {
        let layer = self.layer.layer();
        let mailbox = layer.new_channel("test", MailboxOptions::default()).await.unwrap();
        layer.group_add(&GroupName::new(group).unwrap(), &mailbox).await.unwrap();
        Member(mailbox)
    }
}

/// Hears what a group hears.
pub struct Member(Mailbox);

impl Member {
    pub async fn next(&mut self) -> serde_json::Value {
        let delivery = tokio::time::timeout(crate::raw::PATIENCE, self.0.recv()).await;
        match delivery.expect("an event in time") {
            Delivery::Event(event) => serde_json::to_value(event.value()).unwrap(),
            other => panic!("expected an event, got {other:?}"),
        }
    }
}
