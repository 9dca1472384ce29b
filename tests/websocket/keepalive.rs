//! Pings, silence, and slow readers.

use std::time::Duration;

use crate::raw::{Raw, frame};
use crate::site::Site;

const SHORT: Option<Duration> = Some(Duration::from_millis(50));

#[tokio::test]
async fn a_silent_client_is_pinged_and_dropped_with_4408_when_nothing_comes() {
    let site = Site::with(|limits| {
        limits.ping_interval = SHORT;
        limits.ping_timeout = SHORT;
    })
    .await;
    let mut raw = Raw::websocket(site.address(), "/ws/echo/").await;
    assert_eq!(raw.frame().await.first, 0x89);
    let closed = raw.frame().await;
    assert_eq!(closed.close_code(), 4408);
    assert_eq!(&closed.payload[2..], b"no pong within 0.05s");
}

#[tokio::test]
async fn any_received_bytes_count_as_life() {
    let site = Site::with(|limits| {
        limits.ping_interval = SHORT;
        limits.ping_timeout = Some(Duration::from_secs(60));
    })
    .await;
    let mut raw = Raw::websocket(site.address(), "/ws/echo/").await;
    for _ in 0..3 {
        assert_eq!(raw.frame().await.first, 0x89);
        raw.send(frame(0x8a, b"")).await;
    }
}

#[tokio::test]
async fn an_idle_socket_is_closed_only_when_asked_for() {
    let site = Site::with(|limits| limits.idle_timeout = SHORT).await;
    let mut raw = Raw::websocket(site.address(), "/ws/echo/").await;
    assert_eq!(raw.frame().await.close_code(), 1000);
}

#[tokio::test]
async fn a_socket_that_is_too_old_is_told_to_reconnect() {
    let site = Site::with(|limits| limits.max_age = SHORT).await;
    let mut raw = Raw::websocket(site.address(), "/ws/echo/").await;
    assert_eq!(raw.frame().await.close_code(), 1012);
}

#[tokio::test]
async fn a_client_that_reads_nothing_is_dropped_after_the_stall_time() {
    let site = Site::with(|limits| {
        limits.outbox_stall = Duration::from_millis(200);
        limits.close_time = Duration::from_millis(200);
    })
    .await;
    let mut raw = Raw::websocket(site.address(), "/ws/echo/").await;
    let message = frame(0x82, &vec![0; 1 << 20]);
    // Nothing is read here: the kernel's buffers fill, then the outbox, then nothing moves any more.
    let writing = async {
        loop {
            use tokio::io::AsyncWriteExt;
            if raw.stream.write_all(&message).await.is_err() {
                return;
            }
        }
    };
    let ended = async { site.notes.wait(2).await };
    tokio::select! {
        notes = ended => assert!(notes[0].starts_with("disconnect 10"), "{notes:?}"),
        () = writing => assert!(site.notes.wait(2).await[0].starts_with("disconnect 10")),
    }
}
