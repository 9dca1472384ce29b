//! A client that writes and reads raw bytes, with WebSocket frames built by hand.
#![allow(dead_code, reason = "each test binary uses its own part")]

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long any single expectation may take on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// The key of RFC 6455 section 1.3, with its answer.
pub const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
/// The answer to [`KEY`].
pub const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// One raw connection.
pub struct Raw {
    pub stream: TcpStream,
    unread: Vec<u8>,
}

/// A frame that the server sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    pub first: u8,
    pub payload: Vec<u8>,
}

impl Frame {
    pub fn opcode(&self) -> u8 {
        self.first & 0x0f
    }

    pub fn text(&self) -> &str {
        assert_eq!(self.first, 0x81, "expected a text frame, got {self:?}");
        std::str::from_utf8(&self.payload).expect("text is UTF-8")
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(self.text()).expect("the text is JSON")
    }

    pub fn close_code(&self) -> u16 {
        assert_eq!(self.first, 0x88, "expected a close frame, got {self:?}");
        u16::from_be_bytes([self.payload[0], self.payload[1]])
    }
}

/// The head of a response.
#[derive(Debug, Clone)]
pub struct Head {
    pub status: u16,
    pub text: String,
}

impl Head {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.text.lines().skip(1).find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

impl Raw {
    pub async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("the server listens");
        Self::over(stream)
    }

    /// A client on a stream that is connected already.
    pub fn over(stream: TcpStream) -> Self {
        stream.set_nodelay(true).expect("TCP");
        Self { stream, unread: Vec::new() }
    }

    /// An open WebSocket at `path`, with further header lines such as `Cookie: a=b\r\n`.
    pub async fn websocket_with(address: SocketAddr, path: &str, headers: &str) -> Self {
        let mut raw = Self::connect(address).await;
        raw.send(handshake(path, headers)).await;
        let head = raw.head().await;
        assert_eq!(head.status, 101, "{}", head.text);
        raw
    }

    pub async fn websocket(address: SocketAddr, path: &str) -> Self {
        Self::websocket_with(address, path, "").await
    }

    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.expect("the server reads");
    }

    pub async fn send_text(&mut self, text: &str) {
        self.send(frame(0x81, text.as_bytes())).await;
    }

    /// Reads more bytes. `false` at the end of the stream.
    async fn more(&mut self) -> bool {
        let mut buffer = [0; 16 << 10];
        let read =
            timeout(PATIENCE, self.stream.read(&mut buffer)).await.expect("the server answers in time");
        let read = read.unwrap_or(0);
        self.unread.extend_from_slice(&buffer[..read]);
        read > 0
    }

    /// The next response's head.
    pub async fn head(&mut self) -> Head {
        loop {
            if let Some(end) = self.unread.windows(4).position(|window| window == b"\r\n\r\n") {
                let rest = self.unread.split_off(end + 4);
                let text =
                    String::from_utf8(std::mem::replace(&mut self.unread, rest)).expect("a head is ASCII");
                let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
                return Head { status, text };
            }
            assert!(
                self.more().await,
                "the stream ended in a head: {:?}",
                String::from_utf8_lossy(&self.unread)
            );
        }
    }

    /// Exactly `length` bytes.
    pub async fn bytes(&mut self, length: usize) -> Vec<u8> {
        while self.unread.len() < length {
            assert!(self.more().await, "the stream ended after {} of {length} bytes", self.unread.len());
        }
        let rest = self.unread.split_off(length);
        std::mem::replace(&mut self.unread, rest)
    }

    /// The next response with its body, which must have a Content-Length.
    pub async fn response(&mut self) -> (Head, String) {
        let head = self.head().await;
        let length = head.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        let body = self.bytes(length).await;
        (head, String::from_utf8(body).expect("a text body"))
    }

    /// The next answer with its body, framed in any way that HTTP/1.1 knows; `method` is the request's.
    pub async fn answer(&mut self, method: &str) -> (Head, String) {
        let head = self.head().await;
        let coded = head.header("transfer-encoding").is_some();
        assert!(!coded || head.header("content-length").is_none(), "two framings: {}", head.text);
        let body = if method == "HEAD" || matches!(head.status, 100..=199 | 204 | 304) {
            Vec::new()
        } else if coded {
            self.chunks().await
        } else if let Some(length) = head.header("content-length") {
            self.bytes(length.parse().expect("a length")).await
        } else {
            self.rest().await
        };
        (head, String::from_utf8(body).expect("a text body"))
    }

    /// A chunked body.
    async fn chunks(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            let size = usize::from_str_radix(self.line().await.trim(), 16).expect("a chunk's size");
            body.extend(self.bytes(size).await);
            assert_eq!(self.line().await, "", "a chunk ends with a line's end");
            if size == 0 {
                return body;
            }
        }
    }

    /// The next line, without its end.
    pub async fn line(&mut self) -> String {
        loop {
            if let Some(end) = self.unread.windows(2).position(|window| window == b"\r\n") {
                let line = self.bytes(end + 2).await;
                return String::from_utf8_lossy(&line[..end]).into_owned();
            }
            assert!(self.more().await, "the stream ended in a line");
        }
    }

    /// Everything up to the end of the stream.
    pub async fn rest(&mut self) -> Vec<u8> {
        while self.more().await {}
        std::mem::take(&mut self.unread)
    }

    /// Ends this client's direction; the server's stays open.
    pub async fn half_close(&mut self) {
        self.stream.shutdown().await.expect("the stream is open");
    }

    /// The next frame.
    pub async fn frame(&mut self) -> Frame {
        let head = self.bytes(2).await;
        assert_eq!(head[1] & 0x80, 0, "a server's frame is not masked");
        let length = match head[1] & 0x7f {
            126 => u64::from(u16::from_be_bytes(self.bytes(2).await.try_into().unwrap())),
            127 => u64::from_be_bytes(self.bytes(8).await.try_into().unwrap()),
            length => u64::from(length),
        };
        let payload = self.bytes(usize::try_from(length).unwrap()).await;
        Frame { first: head[0], payload }
    }

    /// The code of the close frame, whatever comes before it.
    pub async fn close_code(&mut self) -> u16 {
        loop {
            let frame = self.frame().await;
            if frame.opcode() == 8 {
                return frame.close_code();
            }
        }
    }

    /// The next text frame's text.
    pub async fn text(&mut self) -> String {
        self.frame().await.text().to_owned()
    }

    /// Whether the server has ended the stream with nothing more to read.
    pub async fn ended(&mut self) -> bool {
        self.unread.is_empty() && !self.more().await
    }
}

/// A handshake's bytes.
pub fn handshake(path: &str, headers: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n{headers}\r\n"
    )
}

/// A client's frame: `first` is the first byte, the payload gets a fixed mask.
pub fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
    let mut bytes = vec![first];
    match payload.len() {
        length @ 0..=125 => bytes.push(0x80 | length as u8),
        length @ 126..=0xffff => {
            bytes.push(0x80 | 126);
            bytes.extend((length as u16).to_be_bytes());
        }
        length => {
            bytes.push(0x80 | 127);
            bytes.extend((length as u64).to_be_bytes());
        }
    }
    bytes.extend(MASK);
    bytes.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

/// A client's close frame.
pub fn close(code: u16, reason: &str) -> Vec<u8> {
    frame(0x88, &[&code.to_be_bytes()[..], reason.as_bytes()].concat())
}
