//! A route's `overflow`: what becomes of events for a client that reads too slowly.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::net::TcpSocket;

use super::binary::{Folder, Site};
use super::raw::{Raw, handshake};

const SITE: &str = r#"
debug = true
allowed_hosts = ["127.0.0.1"]
allowed_origins = ["*"]

[server]
bind = ["127.0.0.1:0"]

[limits]
drain_time = "100ms"
outbox_bytes = "64KiB"
# What is judged here is the policy alone, on however busy a machine.
outbox_stall = "1h"
close_time = "1h"
ping_interval = "off"

[channel_layers.default]
backend = "memory"

[[websocket]]
path = "ws/speak/"
consumer = "relay"
group = "news"

[[websocket]]
path = "ws/newest/"
consumer = "listen"
group = "news"

[[websocket]]
path = "ws/oldest/"
consumer = "listen"
group = "news"
overflow = "drop_oldest"

[[websocket]]
path = "ws/close/"
consumer = "listen"
group = "news"
overflow = "close"
"#;

/// More than the kernel holds for a connection, of which little is the client's.
const MESSAGES: usize = 1000;
const LENGTH: usize = 16 << 10;

/// A socket whose client's side holds little of what it does not read.
async fn slow(address: SocketAddr, path: &str) -> Raw {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(8 << 10).unwrap();
    let mut raw = Raw::over(socket.connect(address).await.unwrap());
    raw.send(handshake(path, "")).await;
    assert_eq!(raw.head().await.status, 101);
    raw
}

/// Sends numbered messages, each once the one before has come back.
async fn speak(speaker: &mut Raw, numbers: std::ops::Range<usize>) {
    let filling = "x".repeat(LENGTH);
    for number in numbers {
        speaker.send_text(&serde_json::json!([number, filling]).to_string()).await;
        assert_eq!(number_in(&speaker.frame().await.json()), number);
    }
}

fn number_in(message: &serde_json::Value) -> usize {
    message["message"][0].as_u64().and_then(|number| usize::try_from(number).ok()).expect("a number")
}

/// The number of the next message; `Err` with the close code.
async fn next(client: &mut Raw) -> Result<usize, u16> {
    let frame = client.frame().await;
    if frame.opcode() == 8 { Err(frame.close_code()) } else { Ok(number_in(&frame.json())) }
}

/// A site, a client of the route that did not read while 1,000 messages came, and who sent them.
async fn behind(path: &str) -> (Folder, Site, Raw, Raw) {
    let folder = Folder::with(SITE);
    let site = folder.start();
    let client = slow(site.address, path).await;
    let mut speaker = Raw::websocket(site.address, "/ws/speak/").await;
    speak(&mut speaker, 0..MESSAGES).await;
    (folder, site, client, speaker)
}

#[tokio::test]
async fn drop_newest_keeps_what_came_first_and_goes_on_with_what_comes_when_there_is_room() {
    let (_folder, _site, mut client, mut speaker) = behind("/ws/newest/").await;
    let heard = Arc::new(AtomicBool::new(false));
    let until = Arc::clone(&heard);
    let speaking = tokio::spawn(async move {
        let mut number = MESSAGES;
        while !until.load(Ordering::SeqCst) {
            speak(&mut speaker, number..number + 1).await;
            number += 1;
        }
    });
    let mut early = Vec::new();
    loop {
        match next(&mut client).await.expect("it stays open") {
            number if number < MESSAGES => early.push(number),
            _ => break,
        }
    }
    heard.store(true, Ordering::SeqCst);
    speaking.await.unwrap();
    assert!(early.is_sorted() && early.starts_with(&[0, 1, 2]), "{early:?}");
    // The kernel took some more of the first ones while it filled; the last ones found no room.
    assert!(early.iter().all(|number| *number < MESSAGES - 3), "{early:?}");
}

#[tokio::test]
async fn drop_oldest_keeps_what_came_last() {
    let (_folder, _site, mut client, _speaker) = behind("/ws/oldest/").await;
    let (mut expected, mut since_the_gap) = (0, None);
    while expected < MESSAGES {
        let number = next(&mut client).await.expect("it stays open");
        assert!(number >= expected, "{number} came behind {}", expected - 1);
        since_the_gap = if number > expected { Some(1) } else { since_the_gap.map(|count| count + 1) };
        expected = number + 1;
    }
    // The outbox holds three of them, and they are the last three.
    assert!(since_the_gap.is_some_and(|count| count >= 3), "{since_the_gap:?}");
}

#[tokio::test]
async fn close_closes_with_1013() {
    let (_folder, _site, mut client, _speaker) = behind("/ws/close/").await;
    let mut kept = 0;
    let code = loop {
        match next(&mut client).await {
            Ok(number) => assert_eq!(number, kept),
            Err(code) => break code,
        }
        kept += 1;
    };
    assert_eq!(code, 1013);
    assert!(kept < MESSAGES, "nothing was too much");
}
