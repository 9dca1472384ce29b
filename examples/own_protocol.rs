//! A protocol of one's own beside HTTP and WebSocket: lines of text over TCP, routed by the same router.
//!
//! Run with `cargo run --example own_protocol`, then `nc 127.0.0.1 8001`.

use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use solent::routing::{ProtocolTypeRouter, Routes};
use solent::websocket::{Acceptance, Accepted, Connection, Refusal, Socket, Stream, Transport};
use solent::{Error, Protocol, Result, Scope};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tower::Service;

/// The transport: how a connection of this protocol is answered. Nothing is said before the first line.
struct Lines(Box<dyn FnOnce() -> Socket + Send>);

impl Transport for Lines {
    fn accept(self: Box<Self>, _: Acceptance) -> Result<Accepted, Error> {
        Ok(Accepted::new((self.0)()))
    }
}

/// A connection of the protocol `lines` over any stream.
pub(crate) fn connection(stream: impl Stream + 'static) -> Connection {
    let open = move || Socket::Stream { stream: Box::pin(stream), read_ahead: Default::default() };
    Connection::new(Scope::new(Protocol::new("lines"), "/"), Lines(Box::new(open)))
}

/// The application: answers each line in capitals, and ends at `bye`.
#[derive(Debug, Clone)]
struct Shout;

impl Routes for Shout {}

impl Service<Connection> for Shout {
    type Response = ();
    type Error = Refusal;
    type Future = BoxFuture<'static, Result<(), Refusal>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Refusal>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, connection: Connection) -> Self::Future {
        Box::pin(async move {
            let (_, transport) = connection.into_parts();
            let Ok(accepted) = transport.accept(Acceptance::default()) else {
                return Err(Refusal::unavailable("gone"));
            };
            if let Socket::Stream { stream, .. } = accepted.socket {
                tokio::spawn(shout(stream));
            }
            Ok(())
        })
    }
}

async fn shout(stream: std::pin::Pin<Box<dyn Stream>>) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    while stream.read_line(&mut line).await? > 0 && line.trim_end() != "bye" {
        stream.write_all(line.to_uppercase().as_bytes()).await?;
        line.clear();
    }
    stream.shutdown().await
}

/// The router knows the protocol by its name; `http` and `websocket` could stand beside it.
pub(crate) fn app() -> ProtocolTypeRouter {
    ProtocolTypeRouter::new().protocol("lines", Shout)
}

#[tokio::main]
async fn main() -> Result<()> {
    let app = app();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8001").await?;
    loop {
        let (stream, _) = listener.accept().await?;
        if let Err(refusal) = app.call(connection(stream)).await {
            eprintln!("refused: {refusal}");
        }
    }
}
