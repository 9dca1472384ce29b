//! The ten-line program: every message comes back.
//!
//! Run with `cargo run --example echo`, then open a socket to `ws://127.0.0.1:8000/ws/echo/`.

use solent::Result;
use solent::consumer::{Context, WebsocketConsumer, consumer};
use solent::layers::Value;
use solent::routing::{ProtocolTypeRouter, UrlRouter, path};
use solent::server::Server;
use solent::websocket::Message;

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

#[tokio::main]
async fn main() -> Result<()> {
    let sockets = UrlRouter::new([path("ws/echo/", consumer::<Echo>())])?;
    Server::new(ProtocolTypeRouter::new().websocket(sockets)).bind("127.0.0.1:8000").serve().await?;
    Ok(())
}
