//! The ten-line program of the README, with its test: every message comes back.
//!
//! Run with `cargo run --example echo`, then open a socket to `ws://127.0.0.1:8000/ws/echo/`.

use solent::consumer::{Context, WebsocketConsumer, consumer};
use solent::routing::{ProtocolTypeRouter, UrlRouter, path};
use solent::{Result, layers::Value, server::Server, websocket::Message};

struct Echo;

impl WebsocketConsumer for Echo {
    type Event = Value;
    async fn connect(ctx: &mut Context) -> Result<Self> {
        ctx.accept().await.map(|()| Self)
    }
    async fn receive(&mut self, ctx: &mut Context, message: Message) -> Result<()> {
        ctx.send(message).await
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let sockets = UrlRouter::new([path("ws/echo/", consumer::<Echo>())])?;
    let app = ProtocolTypeRouter::new().websocket(sockets);
    Ok(Server::new(app).bind("127.0.0.1:8000").serve().await?)
}

#[tokio::test]
async fn what_is_said_comes_back() {
    let mut client = solent::testing::WebsocketCommunicator::new(consumer::<Echo>(), "/ws/echo/");
    client.connect().await.unwrap();
    client.send_text("hello").await;
    assert_eq!(client.receive_text().await, "hello");
}
