//! A server with a proxy, and servers behind it whose every byte the test writes.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use solent::Limits;
use solent::http::proxy::Proxy;
use solent::routing::{ProtocolTypeRouter, UrlRouter, include, path};
use solent::server::{AccessLog, Running, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::raw::PATIENCE;
use crate::waiting::until;

/// What all connections of a server behind have received, one entry per request.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    pub fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    pub fn add(&self, entry: impl Into<String>) {
        self.0.lock().unwrap().push(entry.into());
    }

    pub async fn wait(&self, count: usize) -> Vec<String> {
        until(|| self.all().len() >= count).await;
        self.all()
    }
}

/// One connection as the server behind sees it.
pub struct Peer {
    pub stream: TcpStream,
    unread: Vec<u8>,
    log: Log,
}

impl Peer {
    /// The next request, raw, as far as its own framing goes; `None` at the end of the stream.
    pub async fn request(&mut self) -> Option<String> {
        let end = loop {
            if let Some(at) = self.unread.windows(4).position(|window| window == b"\r\n\r\n") {
                break at + 4;
            }
            if !self.more().await {
                if !self.unread.is_empty() {
                    self.log.add(format!("BROKEN {}", String::from_utf8_lossy(&self.unread)));
                }
                return None;
            }
        };
        let head = String::from_utf8_lossy(&self.unread[..end]).to_ascii_lowercase();
        let coded = head.contains("\r\ntransfer-encoding: chunked\r\n");
        let length =
            head.split("\r\ncontent-length: ").nth(1).map(|rest| rest.lines().next().unwrap_or_default());
        assert!(!coded || length.is_none(), "both framings: {head}");
        let whole = if coded {
            self.chunked(end).await
        } else {
            self.at_least(end + length.map_or(0, |length| length.parse::<usize>().unwrap())).await
        };
        let Some(whole) = whole else {
            self.log.add(format!("BROKEN {}", String::from_utf8_lossy(&self.unread)));
            return None;
        };
        let rest = self.unread.split_off(whole);
        let request = String::from_utf8_lossy(&std::mem::replace(&mut self.unread, rest)).into_owned();
        self.log.add(request.clone());
        Some(request)
    }

    async fn chunked(&mut self, start: usize) -> Option<usize> {
        let mut at = start;
        loop {
            let line = loop {
                match self.unread[at..].windows(2).position(|window| window == b"\r\n") {
                    Some(end) => break at + end,
                    None if self.more().await => {}
                    None => return None,
                }
            };
            let size = std::str::from_utf8(&self.unread[at..line]).unwrap().to_owned();
            let size = usize::from_str_radix(&size, 16).unwrap_or_else(|_| panic!("chunk size {size:?}"));
            if size == 0 {
                // Trailers, up to the empty line.
                loop {
                    match self.unread[line..].windows(4).position(|window| window == b"\r\n\r\n") {
                        Some(end) => return Some(line + end + 4),
                        None if self.more().await => {}
                        None => return None,
                    }
                }
            }
            at = self.at_least(line + 2 + size + 2).await?;
        }
    }

    async fn at_least(&mut self, length: usize) -> Option<usize> {
        while self.unread.len() < length {
            if !self.more().await {
                return None;
            }
        }
        Some(length)
    }

    async fn more(&mut self) -> bool {
        let mut buffer = [0; 16 << 10];
        let read = self.stream.read(&mut buffer).await.unwrap_or(0);
        self.unread.extend_from_slice(&buffer[..read]);
        read > 0
    }

    /// Reads the head of a request alone, and tells it.
    pub async fn head(&mut self) -> String {
        while !self.unread.windows(4).any(|window| window == b"\r\n\r\n") {
            assert!(self.more().await, "a head comes");
        }
        String::from_utf8_lossy(&self.unread).into_owned()
    }

    /// The stream with what was read of it already.
    pub fn into_stream(self) -> TcpStream {
        self.stream
    }

    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        // A proxy that has had enough closes.
        let _ = self.stream.write_all(bytes.as_ref()).await;
    }

    pub fn note(&self, entry: impl Into<String>) {
        self.log.add(entry);
    }

    /// Waits until the proxy has closed the connection.
    pub async fn closed(&mut self) {
        timeout(PATIENCE, async { while self.more().await {} }).await.expect("the proxy closes");
    }
}

/// A server behind.
pub struct Behind {
    pub address: SocketAddr,
    pub log: Log,
    pub connections: Arc<std::sync::atomic::AtomicUsize>,
}

pub const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

impl Behind {
    /// A server that does with each connection what the test says.
    pub async fn with<F, Fut>(serve: F) -> Self
    where
        F: Fn(Peer) -> Fut + Send + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (log, connections) = (Log::default(), Arc::<std::sync::atomic::AtomicUsize>::default());
        let behind = Self { address, log: log.clone(), connections: Arc::clone(&connections) };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                connections.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                stream.set_nodelay(true).unwrap();
                tokio::spawn(serve(Peer { stream, unread: Vec::new(), log: log.clone() }));
            }
        });
        behind
    }

    /// An honest server.
    pub async fn honest() -> Self {
        Self::answering(OK).await
    }

    /// A server that gives every request the same bytes and goes on.
    pub async fn answering(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes: Arc<[u8]> = bytes.into().into();
        Self::with(move |mut peer| {
            let bytes = Arc::clone(&bytes);
            async move {
                while peer.request().await.is_some() {
                    peer.send(&bytes).await;
                }
            }
        })
        .await
    }

    /// A server that gives a request these bytes and closes.
    pub async fn ending(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes: Arc<[u8]> = bytes.into().into();
        Self::with(move |mut peer| {
            let bytes = Arc::clone(&bytes);
            async move {
                if peer.request().await.is_some() {
                    peer.send(&bytes).await;
                }
            }
        })
        .await
    }

    pub fn opened(&self) -> usize {
        self.connections.load(std::sync::atomic::Ordering::Relaxed)
    }

    pub fn proxy(&self) -> Proxy {
        Proxy::new(format!("http://{}", self.address).parse().unwrap())
    }
}

/// A server with `proxy` for everything.
pub async fn serve(proxy: Proxy) -> Running {
    serve_with(proxy, |server| server).await
}

pub async fn serve_with(proxy: Proxy, build: impl FnOnce(Server) -> Server) -> Running {
    let sockets = UrlRouter::new([path("ws/<path:rest>", proxy.websocket()), path("ws/", proxy.websocket())]);
    let app = ProtocolTypeRouter::new().http(proxy).websocket(sockets.unwrap());
    let server = Server::new(app).bind("127.0.0.1:0").access_log(AccessLog::off());
    build(server).start().await.unwrap()
}

/// The same below a prefix, behind a view router.
pub async fn serve_below(prefix: &str, proxy: Proxy) -> Running {
    let views = solent::routing::ViewRouter::new([include(prefix, proxy)]).unwrap();
    let server = Server::new(ProtocolTypeRouter::new().http(views)).bind("127.0.0.1:0");
    server.access_log(AccessLog::off()).limits(Limits::default()).start().await.unwrap()
}

/// A request as the server behind got it: its line, its fields sorted, an empty line, the raw body. The fields that
/// tell of the way are checked against what they must be for a client at 127.0.0.1, and left out.
pub fn plain(request: &str) -> String {
    let (head, body) = request.split_once("\r\n\r\n").unwrap_or((request, ""));
    let mut lines = head.split("\r\n");
    let first = lines.next().unwrap_or_default();
    let mut fields: Vec<&str> = lines.collect();
    fields.sort_unstable();
    let host = fields.iter().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default().to_owned();
    let told = [
        "x-forwarded-for: 127.0.0.1".to_owned(),
        "x-forwarded-proto: http".to_owned(),
        format!("x-forwarded-host: {host}"),
        format!("forwarded: for=127.0.0.1;host=\"{host}\";proto=http"),
    ];
    for line in &told {
        assert_eq!(fields.iter().filter(|found| *found == line).count(), 1, "{line} in {request}");
    }
    let ids: Vec<_> = fields.iter().filter_map(|line| line.strip_prefix("x-request-id: ")).collect();
    assert!(matches!(ids[..], [id] if id.len() == 32), "one request id, made here: {request}");
    fields.retain(|line| !told.contains(&(*line).to_owned()) && !line.starts_with("x-request-id: "));
    fields.retain(|line| !line.starts_with("via: 1.") && *line != "via: 2 solent");
    format!("{first}\n{}\n\n{body}", fields.join("\n"))
}
