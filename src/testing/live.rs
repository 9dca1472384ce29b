//! `LiveServer`: a whole server on a free port, for what only real sockets show.

use std::net::SocketAddr;
use std::panic::Location;
use std::sync::Arc;

use ::http::{HeaderMap, HeaderName, HeaderValue};
use tokio::net::TcpStream;

use super::raw::{RawClient, RawHead};
use super::websocket::WebsocketCommunicator;
use crate::Environment;
use crate::routing::ProtocolTypeRouter;
use crate::server::{AccessLog, Running, Server};
use crate::websocket::{Acceptance, Denial};

/// A server on a free port of 127.0.0.1. Dropping it stops accepting; [`shutdown`](Self::shutdown) drains.
///
/// Channels' name: `ChannelsLiveServerTestCase`. It needs no process of its own, so a database in memory is fine.
///
/// # Examples
/// ```
/// use solent::routing::{ProtocolTypeRouter, ViewRouter, path};
/// use solent::testing::LiveServer;
///
/// async fn hello(_: solent::http::Request) -> &'static str {
///     "Hello"
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let app = ProtocolTypeRouter::new().http(ViewRouter::new([path("hello/", hello)])?);
/// let server = LiveServer::start(app).await;
/// let mut client = server.raw().await;
/// client.send("GET /hello/ HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
/// let head = client.read_head().await;
/// assert_eq!(head.status.as_u16(), 200);
/// assert_eq!(client.read_body(&head).await, "Hello");
/// server.shutdown().await;
/// # Ok(())
/// # }
/// ```
///
/// A real client is given the addresses; a raw one says what it likes, and stops where it likes:
///
/// ```
/// # use solent::routing::ProtocolTypeRouter;
/// # use solent::testing::LiveServer;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let server = LiveServer::start(ProtocolTypeRouter::new()).await;
/// assert!(server.url("/a/").starts_with("http://127.0.0.1:"));
/// assert!(server.ws_url("/ws/").starts_with("ws://127.0.0.1:"));
/// let mut client = server.raw().await;
/// client.handshake("/ws/", "Origin: http://elsewhere.example\r\n").await;
/// assert_eq!(client.read_head().await.status.as_u16(), 404);
///
/// let mut client = server.raw().await;
/// client.send("GET / HTTP/1.1\r\nHost: localhost\r\n").await;
/// client.half_close().await;
/// assert!(client.read_to_end().await.is_empty(), "half a head is no request");
/// server.shutdown().await;
/// # }
/// ```
#[derive(Debug)]
#[must_use]
pub struct LiveServer {
    running: Running,
    address: SocketAddr,
}

impl LiveServer {
    /// Serves `app` with the default settings, no channel layer, and no access log.
    ///
    /// # Panics
    /// When the server does not start.
    ///
    /// # Cancel safety
    /// Dropping the future closes the listener.
    pub async fn start(app: ProtocolTypeRouter) -> Self {
        Self::serve(Server::new(app).access_log(AccessLog::off())).await
    }

    /// Serves with the settings of `server`, on a free port in place of its default address.
    ///
    /// # Panics
    /// When the server does not start.
    ///
    /// # Cancel safety
    /// Dropping the future closes the listener.
    pub async fn serve(server: Server) -> Self {
        let running = match server.bind("127.0.0.1:0").start().await {
            Ok(running) => running,
            Err(error) => panic!("the server did not start: {}", crate::Error::from(error).chain()),
        };
        let Some(&address) = running.addresses().last() else {
            panic!("the server listens on no TCP address")
        };
        Self { running, address }
    }

    /// The address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of a path. Channels: `live_server_url`.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The URL of a socket's path. Channels: `live_server_ws_url`.
    pub fn ws_url(&self, path: &str) -> String {
        format!("ws://{}{path}", self.address)
    }

    /// What all connections share; communicators take it by `env`.
    pub fn env(&self) -> &Arc<Environment> {
        self.running.env()
    }

    /// A connection on which nothing was said yet.
    ///
    /// # Panics
    /// When the server does not accept it.
    pub fn raw(&self) -> impl Future<Output = RawClient> + Send + use<> {
        connect(self.address)
    }

    /// A socket over TCP, after a real handshake with these further headers.
    ///
    /// # Errors
    /// The answer to a refused handshake; its rule is only in the server's log.
    ///
    /// # Panics
    /// When no answer comes.
    #[track_caller]
    pub fn websocket(
        &self,
        path: &str,
        headers: &[(&str, &str)],
    ) -> impl Future<Output = Result<(WebsocketCommunicator, Acceptance), Denial>> + Send + use<> {
        let at = Location::caller();
        let mut text = String::new();
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        let (address, path) = (self.address, path.to_owned());
        async move {
            let mut client = connect(address).await;
            client.handshake(&path, &text).await;
            let head = client.read_head().await;
            if head.status != ::http::StatusCode::SWITCHING_PROTOCOLS {
                let text = client.read_body(&head).await;
                let mut denial = Denial::new(head.status, "answer", text);
                denial.headers = header_map(&head);
                return Err(denial);
            }
            let subprotocol = head.header("sec-websocket-protocol").map(str::to_owned);
            let acceptance = Acceptance { subprotocol, headers: header_map(&head) };
            Ok((WebsocketCommunicator::over(client, &path, at), acceptance))
        }
    }

    /// Drains the server and waits for its end.
    ///
    /// # Panics
    /// When a shutdown hook fails.
    ///
    /// # Cancel safety
    /// Dropping the future stops waiting; what was told to end goes on ending.
    pub async fn shutdown(self) {
        if let Err(error) = self.running.shutdown().await {
            panic!("the server did not end well: {error}");
        }
    }
}

async fn connect(address: SocketAddr) -> RawClient {
    match TcpStream::connect(address).await {
        Ok(stream) => RawClient::over(stream),
        Err(error) => panic!("{address} does not accept connections: {error}"),
    }
}

fn header_map(head: &RawHead) -> HeaderMap {
    let pairs = head.headers().filter_map(|(name, value)| {
        Some((HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?))
    });
    pairs.collect()
}
