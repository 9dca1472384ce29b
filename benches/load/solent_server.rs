//! The server under load: the whole stack, as a site would run it.

use chrono::{SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use solent::Result;
use solent::consumer::{Context, WebsocketConsumer, consumer};
use solent::layers::{Event, GroupName, MemoryChannelLayer, Value};
use solent::routing::{ProtocolTypeRouter, UrlRouter, re_path};
use solent::server::{AccessLog, Server};
use solent::websocket::Message;

#[derive(Deserialize)]
struct Incoming {
    message: String,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "type")]
enum ChatEvent {
    #[serde(rename = "chat.message")]
    Message { message: String, user: String, time: String },
}

impl ChatEvent {
    /// What a member's message becomes: parsed, and stamped with user and time.
    fn stamp(ctx: &Context, message: &Message) -> Result<Self> {
        let Incoming { message } = message.json()?;
        Ok(Self::Message { message, user: ctx.user().username().to_owned(), time: now() })
    }
}

/// The time in a form whose length never varies: clients count bytes.
fn now() -> String {
    Utc::now().to_rfc3339_opts(SecondsFormat::Micros, true)
}

fn room(ctx: &Context) -> Result<GroupName> {
    let course_id: i64 = ctx.url_route().get("course_id")?;
    Ok(GroupName::new(format!("chat_{course_id}"))?)
}

struct Forwarded(GroupName);

impl WebsocketConsumer for Forwarded {
    type Event = Value;

    async fn connect(ctx: &mut Context) -> Result<Self> {
        let group = room(ctx)?;
        ctx.group_forward(&group).await?;
        ctx.accept().await?;
        Ok(Self(group))
    }

    async fn receive(&mut self, ctx: &mut Context, message: Message) -> Result<()> {
        let event = ChatEvent::stamp(ctx, &message)?;
        ctx.group_send(&self.0, &event).await?;
        Ok(())
    }
}

struct Handled(GroupName);

impl WebsocketConsumer for Handled {
    type Event = ChatEvent;

    async fn connect(ctx: &mut Context) -> Result<Self> {
        let group = room(ctx)?;
        ctx.group_add(&group).await?;
        ctx.accept().await?;
        Ok(Self(group))
    }

    async fn receive(&mut self, ctx: &mut Context, message: Message) -> Result<()> {
        let event = ChatEvent::stamp(ctx, &message)?;
        ctx.group_send(&self.0, &event).await?;
        Ok(())
    }

    async fn event(&mut self, ctx: &mut Context, event: Event<ChatEvent>) -> Result<()> {
        ctx.send_event(&event).await
    }
}

struct Echo;

impl WebsocketConsumer for Echo {
    type Event = Value;

    async fn connect(ctx: &mut Context) -> Result<Self> {
        ctx.accept().await?;
        Ok(Self)
    }

    async fn receive(&mut self, ctx: &mut Context, message: Message) -> Result<()> {
        ctx.send(message).await
    }
}

/// Serves one kind of consumer on one thread.
pub fn serve(kind: &str) {
    let pattern = r"^ws/room/(?P<course_id>\d+)/$";
    let route = match kind {
        "forwarded" => re_path(pattern, consumer::<Forwarded>()),
        "handled" => re_path(pattern, consumer::<Handled>()),
        "echo" => re_path(pattern, consumer::<Echo>()),
        other => panic!("no such server: {other}"),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let app = ProtocolTypeRouter::new().websocket(UrlRouter::new([route]).expect("a route"));
        let server = Server::new(app).channel_layer(MemoryChannelLayer::new()).bind("127.0.0.1:0");
        let running = server.access_log(AccessLog::off()).start().await.expect("a start");
        println!("{}", running.addresses()[0]);
        std::future::pending::<()>().await;
    });
}
