//! What compression costs a server at most: for many clients, and for those that want the most of it.

use std::time::Duration;

use solent::layers::GroupName;

use crate::attacks::compression::{GREEDY, MESSAGE, TALKERS};
use crate::clients::Attack;
use crate::site::{Neighbour, Peak, Site, heard};
use crate::waiting::{eventually_async, standstill};

/// How long the clients may take to come and to speak, unoptimised.
const PATIENCE: Duration = Duration::from_secs(60);

/// A pair of a compressor and an inflater takes 350 KiB. If each socket had its own, it would be 170 MiB.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn compressors_are_pooled_so_that_who_has_spoken_costs_no_more_than_who_has_not() {
    let site = Site::with(|_| {}).await;
    let sockets = site.running.env().sockets.clone();
    let mut neighbour = Neighbour::new(&site).await;
    let _talkers = Attack::start("compressed talkers", site.address());
    eventually_async("all are there", PATIENCE, async || sockets.len() == TALKERS + 1).await;
    let (peak, before) = (Peak::begin(), heard());
    site.tell_all("speak").await;
    // The second message of each comes when the answer to the first has been heard.
    eventually_async("all have spoken", PATIENCE, async || heard() == before + 2 * TALKERS).await;
    let grown = peak.grown();
    assert!(grown < 16 << 10, "{grown} KiB for {TALKERS} clients");
    neighbour.hears_news().await;
    neighbour.notices_nothing().await;
}

/// Incoming message, outbox with the frame that goes over its bound, mailbox with its event, windows, and what a socket
/// takes anyway: the sum in docs/limits.md.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_connection_holds_more_than_the_sum_of_its_bounds() {
    let (outbox, mailbox, event) = (64 << 10, 128 << 10, 16 << 10);
    let site = Site::with(|limits| {
        limits.message_bytes = MESSAGE;
        limits.outbox_bytes = outbox;
        limits.mailbox_bytes = mailbox;
        // Nobody is dropped for reading nothing before it was measured.
        limits.outbox_stall = Duration::from_secs(3600);
        limits.ping_interval = None;
        limits.close_time = Duration::from_millis(200);
        limits.drain_time = Duration::from_millis(200);
    })
    .await;
    let sockets = site.running.env().sockets.clone();
    let mut neighbour = Neighbour::new(&site).await;
    let peak = Peak::begin();
    let _greedy = Attack::start("greedy clients", site.address());
    eventually_async("all are there", PATIENCE, async || sockets.len() == GREEDY + 1).await;
    standstill(heard).await;
    let group = GroupName::new("greedy").unwrap();
    for number in 0..200 {
        site.tell(&group, &format!("{number} {}", "x".repeat(event - 100))).await;
    }
    standstill(heard).await;
    let (grown, bound) =
        (peak.grown(), MESSAGE + outbox + MESSAGE + mailbox + event + (48 << 10) + (32 << 10));
    assert!(grown < GREEDY * bound / 1024, "{grown} KiB, and {} KiB for each are the bound", bound / 1024);
    assert_eq!(sockets.len(), GREEDY + 1, "all of them are still there");
    neighbour.notices_nothing().await;
}
