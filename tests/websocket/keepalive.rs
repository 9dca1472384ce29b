//! Pings, silence, and slow readers.

use std::time::Duration;

use serde_json::json;
use solent::layers::GroupName;

use crate::raw::{Raw, frame};
use crate::site::{MANY, Site};
use crate::waiting::Pace;

const SHORT: Option<Duration> = Some(Duration::from_millis(50));

#[tokio::test]
async fn j8_a_silent_client_is_pinged_and_dropped_with_4408_when_nothing_comes() {
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
async fn what_is_sent_does_not_count_as_life() {
    let site = Site::with(|limits| (limits.ping_interval, limits.ping_timeout) = (SHORT, SHORT)).await;
    let mut raw = Raw::websocket(site.address(), "/ws/echo/").await;
    raw.send_text("join").await;
    let (layer, echoes) = (site.layer(), GroupName::new("echoes").unwrap());
    let sending = async {
        let mut pace = Pace::every(Duration::from_millis(5));
        loop {
            layer.group_send(&echoes, &json!({"type": "tick"})).await.unwrap();
            pace.next().await;
        }
    };
    tokio::select! {
        code = raw.close_code() => assert_eq!(code, 4408),
        () = sending => {}
    }
}

#[tokio::test]
async fn while_a_handler_runs_the_clock_stands_still_and_what_comes_waits() {
    let site = Site::with(|limits| (limits.ping_interval, limits.ping_timeout) = (SHORT, SHORT)).await;
    let mut busy = Raw::websocket(site.address(), "/ws/echo/").await;
    busy.send_text("wait").await;
    busy.send_text("behind it").await;
    site.notes.wait(1).await;
    // For a client that says nothing, the time passes meanwhile.
    let mut silent = Raw::websocket(site.address(), "/ws/echo/").await;
    assert_eq!(silent.close_code().await, 4408);
    site.notes.go_on.notify_one();
    assert_eq!(busy.text().await, "waited");
    assert_eq!(busy.text().await, "behind it");
}

#[tokio::test]
async fn an_idle_socket_is_closed_only_when_asked_for() {
    let site = Site::with(|limits| limits.idle_timeout = SHORT).await;
    let mut raw = Raw::websocket(site.address(), "/ws/echo/").await;
    assert_eq!(raw.frame().await.close_code(), 1000);
}

#[tokio::test]
async fn j6_a_socket_that_is_too_old_is_told_to_reconnect() {
    let site = Site::with(|limits| limits.max_age = SHORT).await;
    let mut raw = Raw::websocket(site.address(), "/ws/echo/").await;
    assert_eq!(raw.frame().await.close_code(), 1012);
}

#[tokio::test]
async fn a_consumer_that_sends_to_a_slow_reader_waits_and_loses_nothing() {
    let site = Site::start().await;
    let mut raw = Raw::websocket(site.address(), "/ws/echo/").await;
    raw.send_text("many").await;
    let sent = crate::waiting::standstill(|| site.notes.all().len()).await;
    assert!(sent < MANY, "it never waited");
    for number in 0..MANY {
        assert_eq!(raw.text().await.trim_end(), number.to_string());
    }
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
        notes = ended => assert_eq!(notes[0], "disconnect 1013 no progress in sending"),
        () = writing => assert_eq!(site.notes.wait(2).await[0], "disconnect 1013 no progress in sending"),
    }
}
