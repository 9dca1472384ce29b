//! `RawClient`: bytes on a connection, as they are written and read.

use std::time::Duration;

use ::http::StatusCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long any single answer may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(10);

/// The key of RFC 6455 section 1.3.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// One raw connection to a [`LiveServer`](super::LiveServer).
///
/// # Cancel safety
/// What a dropped future has read stays for the next; of what it was sending any part may have gone.
#[derive(Debug)]
pub struct RawClient {
    pub(super) stream: TcpStream,
    pub(super) unread: Vec<u8>,
}

/// The head of an answer.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RawHead {
    /// The status.
    pub status: StatusCode,
    /// The head as it came, with its last empty line.
    pub text: String,
}

impl RawHead {
    /// A field's value; the first when it is repeated.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers().find_map(|(found, value)| found.eq_ignore_ascii_case(name).then_some(value))
    }

    /// All fields, in their order.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        let lines = self.text.lines().skip(1);
        lines.filter_map(|line| line.split_once(':').map(|(name, value)| (name, value.trim())))
    }
}

impl RawClient {
    pub(super) fn over(stream: TcpStream) -> Self {
        // A failure costs speed alone.
        let _ = stream.set_nodelay(true);
        Self { stream, unread: Vec::new() }
    }

    /// Writes bytes.
    ///
    /// # Panics
    /// When the server has closed.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        if let Err(error) = self.stream.write_all(bytes.as_ref()).await {
            panic!("the server takes no more bytes: {error}");
        }
    }

    /// Writes a WebSocket handshake; `headers` are further lines, each with its line end.
    ///
    /// # Panics
    /// As [`send`](Self::send).
    pub async fn handshake(&mut self, path: &str, headers: &str) {
        let lines = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n";
        let host = if headers.to_ascii_lowercase().contains("host:") { "" } else { "Host: localhost\r\n" };
        let request =
            format!("GET {path} HTTP/1.1\r\n{host}{lines}Sec-WebSocket-Key: {KEY}\r\n{headers}\r\n");
        self.send(request).await;
    }

    /// Ends this client's direction; the server's stays open.
    ///
    /// # Panics
    /// When the connection is gone.
    pub async fn half_close(&mut self) {
        if let Err(error) = self.stream.shutdown().await {
            panic!("the connection is gone: {error}");
        }
    }

    /// Reads more bytes; `false` at the end of the stream.
    async fn more(&mut self) -> bool {
        let mut buffer = [0; 16 << 10];
        let Ok(read) = timeout(PATIENCE, self.stream.read(&mut buffer)).await else {
            panic!("the server said nothing for {PATIENCE:?}; unread: {:?}", self.shown())
        };
        // A reset is an end, too.
        let read = read.unwrap_or(0);
        self.unread.extend_from_slice(&buffer[..read]);
        read > 0
    }

    fn shown(&self) -> String {
        String::from_utf8_lossy(&self.unread).into_owned()
    }

    /// Exactly `length` bytes.
    ///
    /// # Panics
    /// When the stream ends before, or nothing comes for 10 s.
    pub async fn read(&mut self, length: usize) -> Vec<u8> {
        while self.unread.len() < length {
            assert!(self.more().await, "the stream ended after {} of {length} bytes", self.unread.len());
        }
        let rest = self.unread.split_off(length);
        std::mem::replace(&mut self.unread, rest)
    }

    /// Everything up to the end of the stream.
    ///
    /// # Panics
    /// When nothing comes for 10 s.
    pub async fn read_to_end(&mut self) -> Vec<u8> {
        while self.more().await {}
        std::mem::take(&mut self.unread)
    }

    /// The next answer's head.
    ///
    /// # Panics
    /// When the stream ends before, nothing comes for 10 s, or it is no head.
    pub async fn read_head(&mut self) -> RawHead {
        loop {
            if let Some(end) = self.unread.windows(4).position(|window| window == b"\r\n\r\n") {
                let text = String::from_utf8_lossy(&self.read(end + 4).await).into_owned();
                let status = text.split(' ').nth(1).and_then(|status| status.parse().ok());
                let Some(status) = status else { panic!("this is no answer's head: {text:?}") };
                return RawHead { status, text };
            }
            assert!(self.more().await, "the stream ended in a head: {:?}", self.shown());
        }
    }

    /// The body behind a head: by its length, in chunks, or up to the end of the stream.
    ///
    /// # Panics
    /// When it breaks off, nothing comes for 10 s, or it is not text.
    pub async fn read_body(&mut self, head: &RawHead) -> String {
        let body = if head.header("transfer-encoding").is_some() {
            self.read_chunks().await
        } else if let Some(length) = head.header("content-length").and_then(|length| length.parse().ok()) {
            self.read(length).await
        } else if matches!(head.status.as_u16(), 100..=199 | 204 | 304) {
            Vec::new()
        } else {
            self.read_to_end().await
        };
        match String::from_utf8(body) {
            Ok(text) => text,
            Err(error) => panic!("the body is not text: {error}"),
        }
    }

    async fn read_chunks(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            let line = self.read_line().await;
            let Ok(size) = usize::from_str_radix(line.trim(), 16) else {
                panic!("no chunk's size: {line:?}")
            };
            body.extend(self.read(size).await);
            self.read_line().await;
            if size == 0 {
                return body;
            }
        }
    }

    async fn read_line(&mut self) -> String {
        loop {
            if let Some(end) = self.unread.windows(2).position(|window| window == b"\r\n") {
                let line = self.read(end + 2).await;
                return String::from_utf8_lossy(&line[..end]).into_owned();
            }
            assert!(self.more().await, "the stream ended in a line: {:?}", self.shown());
        }
    }
}
