//! How connections end: `disconnect` exactly once, on every path, with the right code.

use std::time::Duration;

use serde_json::json;
use solent::Limits;
use solent::layers::GroupName;

use crate::raw::{Raw, close, frame};
use crate::site::{CONNECTS, Site};

const ONCE: usize = 2;

/// The notes of a connection that has ended: one disconnect, then the drop.
async fn ending(site: &Site) -> String {
    let mut notes = site.notes.wait(ONCE).await;
    assert_eq!(notes.pop().as_deref(), Some("drop"));
    assert_eq!(notes.len(), 1, "disconnect runs exactly once: {notes:?}");
    notes.remove(0)
}

#[tokio::test]
async fn a_peers_close_is_answered_with_its_code_and_told() {
    for path in ["/ws/echo/", "/ws/blocking/"] {
        let site = Site::start().await;
        let mut raw = Raw::websocket(site.address(), path).await;
        raw.send(close(3001, "bye")).await;
        let answer = raw.frame().await;
        assert_eq!((answer.close_code(), answer.payload.len()), (3001, 2));
        assert!(raw.ended().await);
        drop(raw);
        assert_eq!(ending(&site).await, "disconnect 3001 bye");
    }
}

#[tokio::test]
async fn k15_a_close_without_a_code_is_1005() {
    let site = Site::start().await;
    let mut raw = Raw::websocket(site.address(), "/ws/echo/").await;
    raw.send(frame(0x88, b"")).await;
    assert_eq!(raw.frame().await.payload, b"");
    drop(raw);
    assert_eq!(ending(&site).await, "disconnect 1005");
}

#[tokio::test]
async fn k15_a_lost_connection_is_1006() {
    for path in ["/ws/echo/", "/ws/blocking/"] {
        let site = Site::start().await;
        drop(Raw::websocket(site.address(), path).await);
        assert_eq!(ending(&site).await, "disconnect 1006");
    }
}

#[tokio::test]
async fn c6_close_after_accept_sends_code_and_reason() {
    for path in ["/ws/echo/", "/ws/blocking/"] {
        let site = Site::start().await;
        let mut raw = Raw::websocket(site.address(), path).await;
        raw.send_text("close").await;
        let closed = raw.frame().await;
        assert_eq!((closed.close_code(), &closed.payload[2..]), (4000, &b"as you wish"[..]));
        raw.send(close(4000, "")).await;
        assert!(raw.ended().await);
        drop(raw);
        assert_eq!(ending(&site).await, "disconnect 4000 as you wish");
    }
}

#[tokio::test]
async fn a_peer_that_never_answers_a_close_is_dropped_in_time() {
    let site = Site::with(|limits| limits.close_time = Duration::from_millis(100)).await;
    let mut raw = Raw::websocket(site.address(), "/ws/echo/").await;
    raw.send_text("close").await;
    assert_eq!(raw.frame().await.close_code(), 4000);
    assert_eq!(ending(&site).await, "disconnect 4000 as you wish");
}

#[tokio::test]
async fn k13_an_error_or_a_panic_closes_with_1011_and_only_this_connection() {
    for path in ["/ws/echo/", "/ws/blocking/"] {
        for command in ["fail", "panic"] {
            let site = Site::start().await;
            let mut other = Raw::websocket(site.address(), path).await;
            let mut raw = Raw::websocket(site.address(), path).await;
            raw.send_text(command).await;
            assert_eq!(raw.frame().await.close_code(), 1011, "{path} {command}");
            drop(raw);
            assert_eq!(ending(&site).await, "disconnect 1011");
            other.send_text("still here").await;
            assert_eq!(other.text().await, "still here");
        }
    }
}

#[tokio::test]
async fn an_error_or_a_panic_after_accept_in_connect_closes_with_1011() {
    for base in CONNECTS {
        for what in ["accept-fail", "accept-panic"] {
            let site = Site::start().await;
            let mut raw = Raw::websocket(site.address(), &format!("{base}/{what}/")).await;
            assert_eq!(raw.frame().await.close_code(), 1011, "{base} {what}");
        }
    }
}

#[tokio::test]
async fn closing_in_connect_after_accept_sends_the_frame() {
    for base in CONNECTS {
        let site = Site::start().await;
        let mut raw = Raw::websocket(site.address(), &format!("{base}/accept-close/")).await;
        assert_eq!(raw.frame().await.close_code(), 4000);
        drop(raw);
        assert_eq!(site.notes.wait(1).await, ["disconnect 4000 at once"], "{base}");
    }
}

#[tokio::test]
async fn a_protocol_error_is_told_with_its_code() {
    let site = Site::start().await;
    let mut raw = Raw::websocket(site.address(), "/ws/echo/").await;
    raw.send([0x81, 0x00]).await;
    assert_eq!(raw.frame().await.close_code(), 1002);
    drop(raw);
    assert!(ending(&site).await.starts_with("disconnect 1002"));
}

#[tokio::test]
async fn whatever_ends_a_socket_is_told_once() {
    const SOON: Option<Duration> = Some(Duration::from_millis(50));
    type Change = fn(&mut Limits);
    let (too_large, failing) = (frame(0x82, &[0; 101]), frame(0x81, b"fail"));
    let ends: [(u16, Change, &[u8]); 7] = [
        (1000, |limits| limits.idle_timeout = SOON, b""),
        (1012, |limits| limits.max_age = SOON, b""),
        (4408, |limits| (limits.ping_interval, limits.ping_timeout) = (SOON, SOON), b""),
        (1009, |limits| limits.message_bytes = 100, &too_large),
        (1002, |_| {}, &[0x81, 0x00]),
        (1007, |_| {}, &[0x81, 0x81, 0, 0, 0, 0, 0xff]),
        (1011, |_| {}, &failing),
    ];
    for path in ["/ws/echo/", "/ws/blocking/"] {
        for (code, change, sent) in ends {
            let site = Site::with(change).await;
            let mut raw = Raw::websocket(site.address(), path).await;
            raw.send(sent).await;
            assert_eq!(raw.close_code().await, code, "{path}");
            drop(raw);
            let told = ending(&site).await;
            assert!(told.starts_with(&format!("disconnect {code}")), "{path} {code}: {told}");
        }
        let site = Site::start().await;
        let mut raw = Raw::websocket(site.address(), path).await;
        let notes = site.notes.clone();
        let draining = tokio::spawn(site.running.shutdown());
        assert_eq!(raw.close_code().await, 1012);
        drop(raw);
        draining.await.unwrap().unwrap();
        assert_eq!(notes.all(), ["disconnect 1012 restarting", "drop"], "{path}");
    }
}

#[tokio::test]
async fn an_overflow_is_told_once_too() {
    let site = Site::with(|limits| limits.mailbox_events = 2).await;
    let mut raw = Raw::websocket(site.address(), "/ws/quick/").await;
    raw.send_text("join").await;
    assert_eq!(raw.text().await, "joined");
    let (layer, echoes) = (site.layer(), GroupName::new("echoes").unwrap());
    for _ in 0..5 {
        layer.group_send(&echoes, &json!({"type": "tick"})).await.unwrap();
    }
    assert_eq!(raw.close_code().await, 1013);
    drop(raw);
    assert_eq!(ending(&site).await, "disconnect 1013 too far behind");
}

#[tokio::test]
async fn k19_a_drain_closes_sockets_with_1012_and_refuses_new_ones() {
    let site = Site::start().await;
    let mut raw = Raw::websocket(site.address(), "/ws/echo/").await;
    let notes = site.notes.clone();
    let draining = tokio::spawn(site.running.shutdown());
    assert_eq!(raw.frame().await.close_code(), 1012);
    raw.send(close(1012, "")).await;
    assert!(raw.ended().await);
    drop(raw);
    draining.await.unwrap().unwrap();
    assert_eq!(notes.all()[0], "disconnect 1012 restarting");
}

#[tokio::test]
async fn while_a_drain_waits_new_upgrades_get_503_with_retry_after() {
    let site = Site::with(|limits| limits.drain_delay = Duration::from_secs(60)).await;
    let address = site.address();
    let draining = tokio::spawn(site.running.shutdown());
    // The phase is set before the first await of the drain; the answer tells when that was.
    let (head, _) = loop {
        let mut raw = Raw::connect(address).await;
        raw.send(crate::raw::handshake("/ws/echo/", "")).await;
        let head = raw.head().await;
        if head.status != 101 {
            break (head, ());
        }
    };
    assert_eq!((head.status, head.header("retry-after")), (503, Some("1")));
    draining.abort();
}

#[tokio::test]
async fn the_hard_stop_ends_a_hanging_handler_and_still_calls_disconnect() {
    let site = Site::with(|limits| {
        limits.drain_time = Duration::from_millis(50);
        limits.close_time = Duration::from_millis(50);
    })
    .await;
    let mut raw = Raw::websocket(site.address(), "/ws/echo/").await;
    raw.send_text("hang").await;
    let notes = site.notes.clone();
    // A drain that begins before the handler hangs would close the socket as any other.
    notes.wait(1).await;
    site.running.shutdown().await.unwrap();
    assert_eq!(notes.wait(3).await, ["hanging", "disconnect 1006 stopped", "drop"]);
}

#[tokio::test]
async fn one_visit_logs_its_lines_in_order() {
    let site = Site::start().await;
    let mut raw = Raw::connect(site.address()).await;
    let client = raw.stream.local_addr().unwrap();
    raw.send(crate::raw::handshake("/ws/echo/", "")).await;
    raw.head().await;
    raw.send(close(1000, "")).await;
    raw.frame().await;
    drop(raw);
    crate::waiting::until(|| site.lines.text().contains("DISCONNECT")).await;
    let address = site.address();
    assert_eq!(
        site.lines.text(),
        format!(
            "Starting Solent 0.1.0 server at http://{address}/\nQuit the server with CONTROL-C.\n\
             WebSocket HANDSHAKING /ws/echo/ [{client}]\nWebSocket CONNECT /ws/echo/ [{client}]\n\
             WebSocket DISCONNECT /ws/echo/ [{client}]\n"
        )
    );
}

#[tokio::test]
async fn a_refused_handshake_logs_reject() {
    let site = Site::start().await;
    let mut raw = Raw::connect(site.address()).await;
    raw.send(crate::raw::handshake("/ws/connect/deny/", "")).await;
    raw.head().await;
    crate::waiting::until(|| site.lines.text().contains("WebSocket REJECT /ws/connect/deny/ [")).await;
    crate::waiting::until(|| site.lines.text().contains("WebSocket DISCONNECT /ws/connect/deny/ [")).await;
    assert!(!site.lines.text().contains(" CONNECT "));
}
