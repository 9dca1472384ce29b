//! Attacks by clients that speak WebSocket, and too much or too little of it.

use std::net::SocketAddr;

use tokio::io::AsyncWriteExt;

use crate::raw::{Raw, close, frame};

async fn open(address: SocketAddr) -> Raw {
    Raw::websocket(address, "/ws/").await
}

/// Writes `bytes` over and over, `times` times, until the server has had enough.
async fn flood(raw: &mut Raw, bytes: &[u8], times: usize) {
    for _ in 0..times {
        if raw.stream.write_all(bytes).await.is_err() {
            return;
        }
    }
}

/// A million frames that carry nothing; the socket lives.
pub async fn pongs(address: SocketAddr) {
    let mut raw = open(address).await;
    flood(&mut raw, &frame(0x8a, b"").repeat(1000), 1000).await;
    raw.send_text("done").await;
    assert_eq!(raw.text().await, "done");
}

/// 37 MB of pings, the answers to which are not read.
pub async fn pings(address: SocketAddr) {
    let mut raw = open(address).await;
    let pings = frame(0x89, &[b'x'; 125]).repeat(1000);
    let flooding = flood(&mut raw, &pings, 300);
    // The server may stop reading as long as nothing leaves.
    let _ = tokio::time::timeout(std::time::Duration::from_secs(3), flooding).await;
}

/// A message of one-byte fragments that never ends; the limit is 100,000 bytes.
pub async fn fragments(address: SocketAddr) {
    let mut raw = open(address).await;
    raw.send(frame(0x02, b"x")).await;
    flood(&mut raw, &frame(0x00, b"x").repeat(1000), 101).await;
    assert_eq!(raw.frame().await.close_code(), 1009);
}

/// A frame that claims an exabyte.
pub async fn huge_length(address: SocketAddr) {
    let mut raw = open(address).await;
    let mut header = vec![0x82, 0xff];
    header.extend((1_u64 << 60).to_be_bytes());
    header.extend([1, 2, 3, 4]);
    raw.send(header).await;
    assert_eq!(raw.frame().await.close_code(), 1009);
    assert!(raw.ended().await);
}

/// Reads pings and answers none.
pub async fn no_pong(address: SocketAddr) {
    let mut raw = open(address).await;
    loop {
        let frame = raw.frame().await;
        if frame.opcode() == 8 {
            assert_eq!(frame.close_code(), 4408);
            return;
        }
        assert_eq!(frame.opcode(), 9);
    }
}

pub async fn no_close_code(address: SocketAddr) {
    let mut raw = open(address).await;
    raw.send(frame(0x88, b"")).await;
    let answer = raw.frame().await;
    assert_eq!((answer.opcode(), answer.payload.len()), (8, 0));
    assert!(raw.ended().await);
}

pub async fn data_after_close(address: SocketAddr) {
    let mut raw = open(address).await;
    raw.send([close(1000, ""), frame(0x81, b"too late")].concat()).await;
    assert_eq!(raw.frame().await.close_code(), 1000);
    assert!(raw.ended().await);
}

/// The server lets a connection be in fifty groups, of which the consumer has joined one.
pub async fn groups_without_end(address: SocketAddr) {
    let mut raw = open(address).await;
    for number in 0..49 {
        raw.send_text(&format!("join group_{number}")).await;
    }
    raw.send_text("still fine").await;
    assert_eq!(raw.text().await, "still fine");
    raw.send_text("join one_more").await;
    assert_eq!(raw.frame().await.json()["code"], "too_many_groups");
    raw.send_text("join group_1").await;
    raw.send_text("a known one is no new one").await;
    assert_eq!(raw.text().await, "a known one is no new one");
}

/// Reads nothing, for as long as it lives.
pub async fn deaf_reader(address: SocketAddr) {
    let _raw = open(address).await;
    std::future::pending::<()>().await;
}
