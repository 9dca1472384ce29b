//! Clients that speak WebSocket, and too much or too little of it.

use std::time::Duration;

use tokio::time::timeout;

use crate::clients::Attack;
use crate::raw::PATIENCE;
use crate::site::{Neighbour, Peak, Site};
use crate::waiting::eventually;

/// Runs an attack beside a neighbour; how many KiB the server has grown by at most.
async fn grown_by(site: &Site, attack: &str) -> usize {
    let mut neighbour = Neighbour::new(site).await;
    let peak = Peak::begin();
    let attack = Attack::start(attack, site.address());
    neighbour.notices_nothing().await;
    attack.ended().await;
    let grown = peak.grown();
    neighbour.notices_nothing().await;
    grown
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_million_tiny_frames_cost_time_but_no_memory() {
    let grown = grown_by(&Site::with(|_| {}).await, "pongs").await;
    assert!(grown < 8 << 10, "{grown} KiB");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ping_flood_by_a_client_that_reads_nothing_fills_no_memory() {
    let grown = grown_by(&Site::with(|_| {}).await, "pings").await;
    assert!(grown < 16 << 10, "{grown} KiB for 37 MB of pings");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_of_one_byte_fragments_ends_at_the_limit() {
    let site = Site::with(|limits| limits.message_bytes = 100_000).await;
    let grown = grown_by(&site, "fragments").await;
    assert!(grown < 8 << 10, "{grown} KiB");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_huge_length_is_refused_before_its_bytes_come() {
    let grown = grown_by(&Site::with(|_| {}).await, "a huge length").await;
    assert!(grown < 4 << 10, "{grown} KiB");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_never_answers_pings_is_closed_with_4408() {
    let site = Site::with(|limits| {
        limits.ping_interval = Some(Duration::from_millis(200));
        limits.ping_timeout = Some(Duration::from_millis(300));
    })
    .await;
    let attack = Attack::start("no pong", site.address());
    attack.ended().await;
}

#[tokio::test]
async fn a_close_without_a_code_is_answered_alike() {
    Attack::start("no close code", Site::with(|_| {}).await.address()).ended().await;
}

#[tokio::test]
async fn data_after_close_is_not_heard() {
    let site = Site::with(|_| {}).await;
    Attack::start("data after close", site.address()).ended().await;
}

#[tokio::test]
async fn one_client_can_join_only_so_many_groups() {
    let site = Site::with(|limits| limits.groups_per_connection = 50).await;
    Attack::start("groups without end", site.address()).ended().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_never_reads_costs_its_outbox_and_is_dropped() {
    let site = Site::with(|limits| {
        limits.outbox_stall = Duration::from_millis(500);
        limits.close_time = Duration::from_millis(200);
    })
    .await;
    let sockets = site.running.env().sockets.clone();
    let _deaf = Attack::start("a deaf reader", site.address());
    eventually("the deaf reader is there", || !sockets.is_empty()).await;
    let peak = Peak::begin();
    let text = "x".repeat(10_000);
    let mut hearing = site.websocket().await;
    let flood = async {
        // The kernel takes a few megabytes, the outbox 256 KiB, and then nothing moves.
        while sockets.len() > 1 {
            site.tell_all(&text).await;
            // The neighbour is in the same group, and hears every one of them.
            hearing.frame().await;
        }
    };
    timeout(PATIENCE, flood).await.expect("the deaf reader is dropped in time");
    let grown = peak.grown();
    assert!(grown < 16 << 10, "{grown} KiB");
}
