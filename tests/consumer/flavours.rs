//! The flavours, async and blocking, under the same checks: text, JSON, and what each does with the other's messages.

use std::net::SocketAddr;

use serde::Deserialize;
use serde_json::json;
use solent::consumer::{
    Context, Json, JsonWebsocketConsumer, Text, TextWebsocketConsumer, blocking, consumer,
};
use solent::layers::{Event, GroupName, LayerGap};
use solent::routing::{ProtocolTypeRouter, UrlRouter, path};
use solent::server::{AccessLog, Server};
use solent::testing::RecordingChannelLayer;
use solent::websocket::CloseFrame;
use solent::{ClientError, Result};

use crate::raw::{Raw, close, frame};
use crate::room::{RoomEvent, Served, message};

const TEXT: [&str; 2] = ["/text/", "/blocking/text/"];
const JSON: [&str; 2] = ["/json/", "/blocking/json/"];
const CUSTOM: [&str; 2] = ["/lines/", "/blocking/lines/"];

#[derive(Deserialize)]
pub struct Incoming {
    message: String,
}

struct Shout;

impl TextWebsocketConsumer for Shout {
    type Event = RoomEvent;

    const GROUPS: &'static [&'static str] = &["flavours"];

    async fn connect(ctx: &mut Context) -> Result<Self> {
        ctx.accept().await?;
        Ok(Self)
    }

    async fn receive_text(&mut self, ctx: &mut Context, text: &str) -> Result<()> {
        ctx.send(text.to_uppercase()).await
    }

    async fn event(&mut self, ctx: &mut Context, event: Event<RoomEvent>) -> Result<()> {
        ctx.send_event(&event).await
    }

    async fn layer_gap(&mut self, ctx: &mut Context, _: LayerGap) -> Result<()> {
        ctx.send("gap").await
    }

    async fn disconnect(&mut self, ctx: &mut Context, close: CloseFrame) {
        ctx.group_send(&ends(), &ended(&close)).await.unwrap();
    }
}

impl blocking::TextWebsocketConsumer for Shout {
    type Event = RoomEvent;

    const GROUPS: &'static [&'static str] = &["flavours"];

    fn connect(ctx: &mut blocking::Context) -> Result<Self> {
        ctx.accept()?;
        Ok(Self)
    }

    fn receive_text(&mut self, ctx: &mut blocking::Context, text: &str) -> Result<()> {
        ctx.send(text.to_uppercase())
    }

    fn event(&mut self, ctx: &mut blocking::Context, event: Event<RoomEvent>) -> Result<()> {
        ctx.send_event(&event)
    }

    fn layer_gap(&mut self, ctx: &mut blocking::Context, _: LayerGap) -> Result<()> {
        ctx.send("gap")
    }

    fn disconnect(&mut self, ctx: &mut blocking::Context, close: CloseFrame) {
        ctx.group_send(&ends(), &ended(&close)).unwrap();
    }
}

struct Typed;

impl JsonWebsocketConsumer for Typed {
    type Content = Incoming;
    type Event = RoomEvent;

    const GROUPS: &'static [&'static str] = &["flavours"];

    async fn connect(ctx: &mut Context) -> Result<Self> {
        ctx.accept().await?;
        Ok(Self)
    }

    async fn receive_json(&mut self, ctx: &mut Context, content: Incoming) -> Result<()> {
        ctx.send_json(&json!({"heard": content.message})).await
    }

    async fn event(&mut self, ctx: &mut Context, event: Event<RoomEvent>) -> Result<()> {
        ctx.send_event(&event).await
    }

    async fn layer_gap(&mut self, ctx: &mut Context, _: LayerGap) -> Result<()> {
        ctx.send("gap").await
    }

    async fn disconnect(&mut self, ctx: &mut Context, close: CloseFrame) {
        ctx.group_send(&ends(), &ended(&close)).await.unwrap();
    }
}

impl blocking::JsonWebsocketConsumer for Typed {
    type Content = Incoming;
    type Event = RoomEvent;

    const GROUPS: &'static [&'static str] = &["flavours"];

    fn connect(ctx: &mut blocking::Context) -> Result<Self> {
        ctx.accept()?;
        Ok(Self)
    }

    fn receive_json(&mut self, ctx: &mut blocking::Context, content: Incoming) -> Result<()> {
        ctx.send_json(&json!({"heard": content.message}))
    }

    fn event(&mut self, ctx: &mut blocking::Context, event: Event<RoomEvent>) -> Result<()> {
        ctx.send_event(&event)
    }

    fn layer_gap(&mut self, ctx: &mut blocking::Context, _: LayerGap) -> Result<()> {
        ctx.send("gap")
    }

    fn disconnect(&mut self, ctx: &mut blocking::Context, close: CloseFrame) {
        ctx.group_send(&ends(), &ended(&close)).unwrap();
    }
}

/// Decodes by a rule of its own: `message=…`.
struct Lines;

fn by_line(text: &str) -> Result<Incoming, ClientError> {
    let message = text.strip_prefix("message=").ok_or_else(|| ClientError::new("no_line", "no line"))?;
    Ok(Incoming { message: message.to_owned() })
}

impl JsonWebsocketConsumer for Lines {
    type Content = Incoming;
    type Event = RoomEvent;

    async fn connect(ctx: &mut Context) -> Result<Self> {
        ctx.accept().await?;
        Ok(Self)
    }

    fn decode_json(text: &str) -> Result<Incoming, ClientError> {
        by_line(text)
    }

    async fn receive_json(&mut self, ctx: &mut Context, content: Incoming) -> Result<()> {
        ctx.send(content.message).await
    }
}

impl blocking::JsonWebsocketConsumer for Lines {
    type Content = Incoming;
    type Event = RoomEvent;

    fn connect(ctx: &mut blocking::Context) -> Result<Self> {
        ctx.accept()?;
        Ok(Self)
    }

    fn decode_json(text: &str) -> Result<Incoming, ClientError> {
        by_line(text)
    }

    fn receive_json(&mut self, ctx: &mut blocking::Context, content: Incoming) -> Result<()> {
        ctx.send(content.message)
    }
}

/// Who is told how a consumer ended.
fn ends() -> GroupName {
    GroupName::new("ends").unwrap()
}

fn ended(close: &CloseFrame) -> RoomEvent {
    message(&format!("ended {}", close.code))
}

fn sockets() -> UrlRouter {
    let sockets = UrlRouter::new([
        path("text/", consumer::<Text<Shout>>()),
        path("json/", consumer::<Json<Typed>>()),
        path("lines/", consumer::<Json<Lines>>()),
        path("blocking/text/", blocking::consumer::<blocking::Text<Shout>>()),
        path("blocking/json/", blocking::consumer::<blocking::Json<Typed>>()),
        path("blocking/lines/", blocking::consumer::<blocking::Json<Lines>>()),
    ]);
    sockets.unwrap()
}

async fn site() -> Served {
    Served::start(sockets(), |_| {}).await
}

async fn open(address: SocketAddr, path: &str) -> Raw {
    Raw::websocket(address, path).await
}

#[tokio::test]
async fn the_text_flavour_receives_text_and_answers() {
    let site = site().await;
    for path in TEXT {
        let mut raw = open(site.address(), path).await;
        raw.send_text("grüße").await;
        assert_eq!(raw.text().await, "GRÜSSE", "{path}");
    }
}

#[tokio::test]
async fn a_binary_message_is_a_clients_error_in_the_text_and_json_flavours() {
    let site = site().await;
    for path in TEXT.into_iter().chain(JSON) {
        let mut raw = open(site.address(), path).await;
        raw.send(frame(0x82, b"bytes")).await;
        assert_eq!(raw.frame().await.json()["code"], "wrong_kind", "{path}");
    }
}

#[tokio::test]
async fn every_flavour_has_the_groups_events_and_end_of_any_consumer() {
    let site = site().await;
    for path in TEXT.into_iter().chain(JSON) {
        let mut raw = open(site.address(), path).await;
        let sent = site.layer.group_send(&GroupName::new("flavours").unwrap(), &message("event")).await;
        assert_eq!(sent.unwrap().reached, 1, "{path}");
        assert_eq!(raw.frame().await.json()["message"], "event");
        let mut ends = site.member("ends").await;
        raw.send(close(3000, "")).await;
        raw.frame().await;
        assert_eq!(ends.next().await["message"], "ended 3000", "{path}");
    }
}

#[tokio::test]
async fn every_flavour_is_told_of_a_gap() {
    let layer = RecordingChannelLayer::new();
    let server = Server::new(ProtocolTypeRouter::new().websocket(sockets())).channel_layer(layer.clone());
    let running = server.bind("127.0.0.1:0").access_log(AccessLog::off()).start().await.unwrap();
    for path in TEXT.into_iter().chain(JSON) {
        let mut raw = open(running.addresses()[0], path).await;
        layer.gap(&[GroupName::new("flavours").unwrap()]);
        assert_eq!(raw.text().await, "gap", "{path}");
    }
}

#[tokio::test]
async fn c9_json_is_decoded_before_and_encoded_after() {
    let site = site().await;
    for path in JSON {
        let mut raw = open(site.address(), path).await;
        raw.send_text(r#"{"message": "hello"}"#).await;
        assert_eq!(raw.frame().await.json(), json!({"heard": "hello"}), "{path}");
    }
}

/// Differs: Channels kills the connection with 1011; here the client is told of its mistake and goes on.
#[tokio::test]
async fn c10_what_is_not_json_is_the_clients_error_and_the_socket_lives_on() {
    let site = site().await;
    for path in JSON {
        let mut raw = open(site.address(), path).await;
        for bad in ["", "{", r#"{"message": 3}"#, r#"{"text": "x"}"#] {
            raw.send_text(bad).await;
            let report = raw.frame().await.json();
            assert_eq!((&report["type"], &report["code"]), (&json!("error"), &json!("malformed")), "{bad}");
        }
        raw.send_text(r#"{"message": "still here"}"#).await;
        assert_eq!(raw.frame().await.json()["heard"], "still here", "{path}");
    }
}

/// Differs in half: decoding can be replaced as in Channels, encoding is the value's own `Serialize`.
#[tokio::test]
async fn c11_decoding_can_be_replaced() {
    let site = site().await;
    for path in CUSTOM {
        let mut raw = open(site.address(), path).await;
        raw.send_text("message=by my rule").await;
        assert_eq!(raw.text().await, "by my rule", "{path}");
        raw.send_text(r#"{"message": "json"}"#).await;
        assert_eq!(raw.frame().await.json()["code"], "no_line");
    }
}
