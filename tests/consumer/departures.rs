//! Clients of the HTTP consumer that leave before their answer: noticed without a byte being written.

use std::time::Duration;

use crate::http::{Rig, chunk};

const SOON: Duration = Duration::from_millis(20);
const LONG: Duration = Duration::from_secs(30);

#[tokio::test]
async fn d5_a_long_poll_whose_client_left_ends_with_the_next_keep_alive() {
    let rig = Rig::with(SOON, LONG, |_| {}).await;
    let raw = rig.get("/poll/").await;
    rig.listening(1).await;
    drop(raw);
    rig.noted(&["disconnect"]).await;
    rig.listening(0).await;
}

#[tokio::test]
async fn d5_a_plain_stream_whose_client_left_ends_too() {
    let rig = Rig::with(SOON, LONG, |_| {}).await;
    let mut raw = rig.get("/stream/").await;
    assert_eq!(raw.head().await.status, 200);
    assert_eq!(chunk(&mut raw).await.as_deref(), Some("begun"));
    drop(raw);
    rig.noted(&["disconnect"]).await;
}

#[tokio::test]
async fn d5_a_handle_that_has_sent_nothing_is_dropped() {
    let rig = Rig::with(SOON, LONG, |_| {}).await;
    let raw = rig.get("/stuck/").await;
    rig.listening(1).await;
    drop(raw);
    rig.noted(&["dropped"]).await;
}

#[tokio::test]
async fn a_connection_that_broke_is_noticed_at_once() {
    let rig = Rig::with(LONG, LONG, |_| {}).await;
    let raw = rig.get("/poll/").await;
    rig.listening(1).await;
    raw.stream.set_zero_linger().unwrap();
    drop(raw);
    rig.noted(&["disconnect"]).await;
}

#[tokio::test]
async fn a_half_closed_client_gets_its_answer() {
    let rig = Rig::with(LONG, LONG, |_| {}).await;
    let mut raw = rig.get("/poll/").await;
    rig.listening(1).await;
    raw.half_close().await;
    rig.tell("answer").await;
    assert_eq!(raw.response().await.1, "the answer");
}

#[tokio::test]
async fn a_half_closed_reader_of_events_goes_on_reading() {
    let rig = Rig::with(SOON, LONG, |_| {}).await;
    let mut raw = rig.get("/events/").await;
    raw.half_close().await;
    raw.head().await;
    for _ in 0..5 {
        assert_eq!(chunk(&mut raw).await.as_deref(), Some(":\n\n"));
    }
}

#[tokio::test]
async fn what_was_sent_behind_a_long_poll_is_served_after_it() {
    let rig = Rig::with(LONG, LONG, |_| {}).await;
    let mut raw = rig.get("/poll/").await;
    rig.listening(1).await;
    let body = "x".repeat(3000);
    raw.send(format!("POST /length/ HTTP/1.1\r\nHost: a\r\nContent-Length: 3000\r\n\r\n{body}")).await;
    rig.tell("answer").await;
    assert_eq!(raw.response().await.1, "the answer");
    assert_eq!(raw.response().await.1, "3000 bytes");
}
