//! Heads and bodies that drip, handshakes that stay half open, floods from one address.

use std::time::{Duration, Instant};

use crate::clients::Attack;
use crate::raw::Raw;
use crate::site::{Neighbour, Peak, Site};

#[tokio::test]
async fn a_head_that_drips_is_cut_off_at_the_header_time() {
    let site = Site::with(|limits| limits.header_time = Duration::from_millis(300)).await;
    let mut neighbour = Neighbour::new(&site).await;
    let attack = Attack::start("a dripping head", site.address());
    neighbour.notices_nothing().await;
    attack.ended().await;
}

#[tokio::test]
async fn a_body_that_drips_is_answered_408_although_no_pause_is_long() {
    let site = Site::with(|limits| limits.body_read_time = Duration::from_millis(300)).await;
    let mut neighbour = Neighbour::new(&site).await;
    let attack = Attack::start("a dripping body", site.address());
    neighbour.notices_nothing().await;
    attack.ended().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_thousand_half_open_handshakes_are_dropped_in_time_and_leave_no_memory() {
    let site = Site::with(|limits| limits.header_time = Duration::from_secs(1)).await;
    let mut neighbour = Neighbour::new(&site).await;
    let peak = Peak::begin();
    let attack = Attack::start("half-open handshakes", site.address());
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(900) {
        neighbour.notices_nothing().await;
    }
    attack.ended().await;
    let most = peak.grown();
    // hyper reads heads into a buffer of 8 KiB.
    assert!(most < 5000 * 24, "{most} KiB for 5,000 half-open handshakes");
    neighbour.notices_nothing().await;
}

#[tokio::test]
async fn an_address_gets_its_share_and_no_more() {
    let site = Site::with(|limits| limits.connections_per_address = Some(10)).await;
    let peak = Peak::begin();
    Attack::start("a flood from one address", site.address()).ended().await;
    assert!(peak.grown() < 8 << 10);
    // Its connections are gone with it, and so is their count.
    let deadline = Instant::now() + crate::raw::PATIENCE;
    loop {
        let mut raw = Raw::connect(site.address()).await;
        raw.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
        if raw.head().await.status != 429 {
            return;
        }
        assert!(Instant::now() < deadline, "the share never came back");
    }
}
