//! HTTP/2's own attacks end their connection, or stand still with little memory.

use crate::clients::Attack;
use crate::site::{Neighbour, Peak, Site};

/// Runs an attack beside a neighbour; how many KiB the server has grown by.
async fn grown_by(attack: &str) -> usize {
    let site = Site::with(|_| {}).await;
    let mut neighbour = Neighbour::new(&site).await;
    let peak = Peak::begin();
    let attack = Attack::start(attack, site.address());
    neighbour.notices_nothing().await;
    attack.ended().await;
    let grown = peak.grown();
    neighbour.notices_nothing().await;
    grown
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rapid_reset_ends_the_connection() {
    let grown = grown_by("rapid reset").await;
    assert!(grown < 16 << 10, "{grown} KiB");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_continuation_flood_ends_the_connection() {
    let grown = grown_by("continuations").await;
    assert!(grown < 16 << 10, "{grown} KiB");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_settings_flood_fills_no_memory() {
    let grown = grown_by("settings").await;
    assert!(grown < 16 << 10, "{grown} KiB");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_window_that_goes_to_and_fro_fills_no_memory() {
    let grown = grown_by("windows").await;
    assert!(grown < 16 << 10, "{grown} KiB");
}
