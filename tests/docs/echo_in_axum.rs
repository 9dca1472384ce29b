//! The README's program inside axum, as one who follows its text has it: what does not compile here would not there.
#![allow(dead_code, reason = "it listens on a fixed port; the example `solent_in_axum` is the one that runs")]

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
    let solent = Server::new(app).embed().await?;
    let router =
        axum::Router::new().route("/hello/", axum::routing::get(async || "hello")).fallback_service(solent);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8000").await?;
    Ok(axum::serve(listener, router).await?)
}
