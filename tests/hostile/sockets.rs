//! Clients that speak the protocol, and too much of it.

use crate::raw::{Raw, close, frame};
use crate::site::{Neighbour, Site, memory};
use tokio::io::AsyncWriteExt;

/// Writes `bytes` over and over, `times` times, until the server has had enough.
async fn flood(raw: &mut Raw, bytes: &[u8], times: usize) {
    for _ in 0..times {
        if raw.stream.write_all(bytes).await.is_err() {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_million_tiny_frames_cost_time_but_no_memory() {
    let site = Site::with(|_| {}).await;
    let mut neighbour = Neighbour::new(&site).await;
    let mut raw = site.websocket().await;
    let before = memory();
    let pongs = frame(0x8a, b"").repeat(1000);
    tokio::join!(flood(&mut raw, &pongs, 1000), neighbour.notices_nothing());
    raw.send_text("done").await;
    assert_eq!(raw.text().await, "done");
    let grown = memory().saturating_sub(before);
    assert!(grown < 8 << 10, "{grown} KiB");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ping_flood_by_a_client_that_reads_nothing_fills_no_memory() {
    let site = Site::with(|_| {}).await;
    let mut neighbour = Neighbour::new(&site).await;
    let mut raw = site.websocket().await;
    let before = memory();
    let pings = frame(0x89, &[b'x'; 125]).repeat(1000);
    tokio::join!(flood(&mut raw, &pings, 300), neighbour.notices_nothing());
    let grown = memory().saturating_sub(before);
    assert!(grown < 16 << 10, "{grown} KiB for 37 MB of pings");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_of_one_byte_fragments_ends_at_the_limit() {
    let site = Site::with(|limits| limits.message_bytes = 100_000).await;
    let mut neighbour = Neighbour::new(&site).await;
    let mut raw = site.websocket().await;
    raw.send(frame(0x02, b"x")).await;
    let fragments = frame(0x00, b"x").repeat(1000);
    tokio::join!(flood(&mut raw, &fragments, 101), neighbour.notices_nothing());
    assert_eq!(raw.frame().await.close_code(), 1009);
}

#[tokio::test]
async fn data_after_close_is_not_heard() {
    let site = Site::with(|_| {}).await;
    let mut raw = site.websocket().await;
    raw.send([close(1000, ""), frame(0x81, b"too late")].concat()).await;
    assert_eq!(raw.frame().await.close_code(), 1000);
    assert!(raw.ended().await);
}

#[tokio::test]
async fn one_client_can_join_only_so_many_groups() {
    let site = Site::with(|limits| limits.groups_per_connection = 50).await;
    let mut raw = site.websocket().await;
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
