//! Attacks in HTTP/1.1: heads and bodies that take their time, connections in numbers.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::raw::Raw;

const PACE: Duration = Duration::from_millis(20);

/// Sends a byte at a time until the server ends the connection; what it said before.
async fn drip(address: SocketAddr, head: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let (mut reader, mut writer) = stream.split();
    writer.write_all(head.as_bytes()).await.unwrap();
    let dripping = async {
        let mut pace = tokio::time::interval(PACE);
        while writer.write_all(b"x").await.is_ok() {
            pace.tick().await;
        }
        // A write that fails may come before the answer was read.
        std::future::pending::<()>().await;
    };
    let mut said = Vec::new();
    let reading = async {
        // A reset is as good an end as any.
        let _ = reader.read_to_end(&mut said).await;
    };
    tokio::select! { () = dripping => {}, () = reading => {} }
    String::from_utf8_lossy(&said).into_owned()
}

pub async fn dripping_head(address: SocketAddr) {
    drip(address, "GET / HTTP/1.1\r\nHost: a\r\n").await;
}

pub async fn dripping_body(address: SocketAddr) {
    let said = drip(address, "POST /upload/ HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n").await;
    assert!(said.starts_with("HTTP/1.1 408 "), "{said}");
}

pub async fn half_open_handshakes(address: SocketAddr) {
    some_half_open_handshakes(address, 5000).await;
}

pub async fn some_half_open_handshakes(address: SocketAddr, count: usize) {
    let mut streams = Vec::with_capacity(count);
    for _ in 0..count {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET /ws/ HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n").await.unwrap();
        streams.push(stream);
    }
    for stream in &mut streams {
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).await;
    }
}

/// The server admits ten connections from one address.
pub async fn flood_from_one_address(address: SocketAddr) {
    let mut open = Vec::new();
    let mut refused = 0;
    for _ in 0..500 {
        let mut raw = Raw::connect(address).await;
        raw.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        match raw.head().await.status {
            429 => refused += 1,
            _ => open.push(raw),
        }
    }
    assert_eq!((open.len(), refused), (10, 490));
}
