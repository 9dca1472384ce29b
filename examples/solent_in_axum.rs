//! Solent inside an axum program: axum's own routes first, everything else, sockets included, by Solent.
//!
//! Run with `cargo run --example solent_in_axum`, then look at `http://127.0.0.1:8000/health` and open a socket to
//! `ws://127.0.0.1:8000/ws/echo/`. Ctrl-C ends it: first axum, then Solent's sockets.

use axum::Router;
use axum::routing::get;
use solent::Result;
use solent::consumer::{Context, WebsocketConsumer, consumer};
use solent::layers::{MemoryChannelLayer, Value};
use solent::routing::{ProtocolTypeRouter, UrlRouter, ViewRouter, path};
use solent::server::{AccessLog, Embedded, Server};
use solent::websocket::Message;
use tokio_util::sync::CancellationToken;

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

async fn page(_: solent::http::Request) -> &'static str {
    "a page of Solent's"
}

/// The part that Solent serves, started without listeners of its own.
pub(crate) async fn solent() -> Result<Embedded> {
    let app = ProtocolTypeRouter::new()
        .http(ViewRouter::new([path("page/", page)])?)
        .websocket(UrlRouter::new([path("ws/echo/", consumer::<Echo>())])?);
    let server = Server::new(app).channel_layer(MemoryChannelLayer::new());
    Ok(server.access_log(AccessLog::off()).embed().await?)
}

/// The whole program: Solent takes what axum has no route for.
pub(crate) fn router(solent: Embedded) -> Router {
    Router::new().route("/health", get(async || "fine")).fallback_service(solent)
}

/// The other way: Solent behind one route, which upgrades, and axum's own 404 for the rest.
pub(crate) fn one_route(solent: Embedded) -> Router {
    Router::new().route("/health", get(async || "fine")).route_service("/ws/echo/", solent)
}

/// Serves until the host's token is cancelled; then both parts are drained.
pub(crate) async fn serve(
    listener: tokio::net::TcpListener,
    router: Router,
    solent: Embedded,
    stop: CancellationToken,
) -> Result<()> {
    let stopping = stop.clone();
    let axum =
        axum::serve(listener, router).with_graceful_shutdown(async move { stopping.cancelled().await });
    let drained = async {
        stop.cancelled().await;
        solent.shutdown().await
    };
    let (served, drained) = tokio::join!(axum.into_future(), drained);
    served?;
    Ok(drained?)
}

#[tokio::main]
async fn main() -> Result<()> {
    let stop = CancellationToken::new();
    let (solent, guard) = (solent().await?, stop.clone().drop_guard());
    tokio::spawn(async move {
        let _guard = guard;
        let _ = tokio::signal::ctrl_c().await;
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8000").await?;
    let one_route_only = std::env::args().any(|argument| argument == "--one-route");
    let program = if one_route_only { one_route(solent.clone()) } else { router(solent.clone()) };
    serve(listener, program, solent, stop).await
}
