//! Connections that the host program accepts: a listener of its own, single streams of any kind, and its own stop.
//!
//! Run with `cargo run --example own_listener`, then `curl http://127.0.0.1:8000/` and
//! `curl --unix-socket /tmp/solent-example.sock http://localhost/`. Ctrl-C ends it.

use solent::Result;
use solent::routing::{ProtocolTypeRouter, ViewRouter, path};
use solent::server::{AccessLog, Embedded, Server};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio_util::sync::CancellationToken;

async fn page(_: solent::http::Request) -> &'static str {
    "hello"
}

fn server() -> Result<Server> {
    let app = ProtocolTypeRouter::new().http(ViewRouter::new([path("", page)])?);
    Ok(Server::new(app).access_log(AccessLog::off()))
}

/// Serves on a listener that the host has made, until the host's token is cancelled, and drains.
pub(crate) async fn serve_listener(listener: TcpListener, stop: CancellationToken) -> Result<()> {
    Ok(server()?.listen(listener).shutdown_signal(stop.cancelled_owned()).serve().await?)
}

/// A server for streams that the host accepts, whatever they are made of.
pub(crate) async fn for_streams() -> Result<Embedded> {
    Ok(server()?.embed().await?)
}

/// Hands one accepted stream over.
pub(crate) fn hand_over(server: &Embedded, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
    let server = server.clone();
    tokio::spawn(async move { server.serve_stream(stream, None, false).await });
}

#[tokio::main]
async fn main() -> Result<()> {
    let stop = CancellationToken::new();
    let listener = TcpListener::bind("127.0.0.1:8000").await?;
    let serving = tokio::spawn(serve_listener(listener, stop.clone()));
    let streams = for_streams().await?;
    let unix = UnixListener::bind("/tmp/solent-example.sock")?;
    loop {
        tokio::select! {
            accepted = unix.accept() => hand_over(&streams, accepted?.0),
            _ = tokio::signal::ctrl_c() => break,
        }
    }
    stop.cancel();
    streams.shutdown().await?;
    std::fs::remove_file("/tmp/solent-example.sock")?;
    serving.await?
}
