//! Delivery at scale: nothing lost, nothing reordered, and what is dropped is counted.

use serde_json::json;
use solent::layers::{GroupName, Overflow};

use crate::logs::Log;
use crate::raw::Raw;
use crate::room::{Site, message};

/// 100 group sends to 1,000 sockets, each send once all have the one before.
async fn paced(path: &str) {
    const SOCKETS: usize = 1000;
    const MESSAGES: usize = 100;
    // On a busy machine this may take longer than the silence after which a client is pinged.
    let site = Site::with(|limits| limits.ping_interval = None, Overflow::DropNewest).await;
    let mut members = Vec::with_capacity(SOCKETS);
    for _ in 0..SOCKETS {
        members.push(Raw::websocket(site.address(), path).await);
    }
    let group = GroupName::new("room_1").unwrap();
    for number in 0..MESSAGES {
        let delivered = site.layer.group_send(&group, &message(&number.to_string())).await.unwrap();
        assert_eq!((delivered.reached, delivered.dropped), (SOCKETS, 0));
        for member in &mut members {
            assert_eq!(member.frame().await.json()["message"], number.to_string());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_paced_sends_reach_a_thousand_forwarded_members_in_order() {
    paced("/ws/forwarded/1/").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_paced_sends_reach_a_thousand_handled_members_in_order() {
    paced("/ws/handled/1/").await;
}

#[tokio::test]
async fn without_pacing_sent_is_received_plus_counted_drops_and_the_sender_never_waits() {
    for path in ["/ws/handled/1/", "/ws/forwarded/1/"] {
        let site = Site::start().await;
        let mut raw = Raw::websocket(site.address(), path).await;
        let group = GroupName::new("room_1").unwrap();
        let padding = "x".repeat(4000);
        let (mut reached, mut dropped) = (0, 0);
        for number in 0..2000 {
            let event = json!({"type": "chat.message", "message": format!("{number} {padding}")});
            // Never pending: nothing else runs on this thread until all are sent.
            let sending = site.layer.group_send(&group, &event);
            let delivered =
                futures_util::FutureExt::now_or_never(sending).expect("a send waits for nobody").unwrap();
            reached += delivered.reached;
            dropped += delivered.dropped;
        }
        assert_eq!(reached + dropped, 2000);
        assert!(dropped > 0, "{path}: the bounds were never reached");
        let mut last = -1;
        for _ in 0..reached {
            let json = raw.frame().await.json();
            let number: i64 = json["message"].as_str().unwrap().split(' ').next().unwrap().parse().unwrap();
            assert!(number > last, "reordered");
            last = number;
        }
        let stats = site.layer.layer().stats();
        assert_eq!(stats.dropped_total(), dropped as u64, "{path}");
    }
}

#[tokio::test]
async fn what_is_dropped_is_logged_now_and_then_and_not_each_time() {
    let padding = "x".repeat(40_000);
    for (overflow, path, words) in [
        (Overflow::DropNewest, "/ws/handled/1/", "channel layer dropped events cause=\"mailbox_full\""),
        (Overflow::DropNewest, "/ws/forwarded/1/", "channel layer dropped events cause=\"outbox_full\""),
        (Overflow::DropOldest, "/ws/forwarded/1/", "frames were dropped"),
    ] {
        let (log, _guard) = Log::keep();
        let site = Site::with(|_| {}, overflow).await;
        let _slow = Raw::websocket(site.address(), path).await;
        let start = std::time::Instant::now();
        for _ in 0..500 {
            let group = GroupName::new("room_1").unwrap();
            site.layer.group_send(&group, &message(&padding)).await.unwrap();
        }
        let dropped =
            site.layer.layer().stats().dropped_total() + site.running.env().sockets.dropped_frames();
        assert!(dropped > 1, "{path}: {dropped}");
        // Once, and once more for every ten seconds that a busy machine may need.
        let (logged, most) = (log.count(words), 1 + start.elapsed().as_secs() / 10);
        assert!((1..=most).contains(&(logged as u64)), "{path}: {dropped} were dropped, {logged} lines");
    }
}

#[tokio::test]
async fn a_member_that_closes_on_overflow_is_closed_with_1013() {
    for path in ["/ws/handled/1/", "/ws/forwarded/1/"] {
        let site = Site::with(|limits| limits.mailbox_events = 10, Overflow::Close).await;
        let mut raw = Raw::websocket(site.address(), path).await;
        let group = GroupName::new("room_1").unwrap();
        let padding = "x".repeat(40_000);
        for _ in 0..100 {
            site.layer.group_send(&group, &message(&padding)).await.unwrap();
        }
        loop {
            let frame = raw.frame().await;
            if frame.opcode() == 8 {
                assert_eq!(frame.close_code(), 1013, "{path}");
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_slow_member_costs_the_others_nothing() {
    let site = Site::start().await;
    let _slow = Raw::websocket(site.address(), "/ws/forwarded/1/").await;
    let mut quick = Raw::websocket(site.address(), "/ws/forwarded/1/").await;
    let group = GroupName::new("room_1").unwrap();
    let padding = "x".repeat(100_000);
    for number in 0..100 {
        site.layer.group_send(&group, &message(&format!("{number} {padding}"))).await.unwrap();
        let heard = quick.frame().await.json()["message"].as_str().unwrap().to_owned();
        assert!(heard.starts_with(&format!("{number} ")));
    }
}

#[tokio::test]
async fn frames_that_give_way_to_newer_ones_are_counted() {
    let site = Site::with(|_| {}, Overflow::DropOldest).await;
    let mut raw = Raw::websocket(site.address(), "/ws/forwarded/1/").await;
    let group = GroupName::new("room_1").unwrap();
    let padding = "x".repeat(40_000);
    let mut queued = 0;
    for number in 0..500 {
        let event = message(&format!("{number} {padding}"));
        queued += site.layer.group_send(&group, &event).await.unwrap().reached as u64;
    }
    let dropped = site.running.env().sockets.dropped_frames();
    assert!(dropped > 0, "the bounds were never reached");
    assert_eq!(queued, 500);
    let mut last = String::new();
    for _ in 0..queued - dropped {
        last = raw.frame().await.json()["message"].as_str().unwrap().to_owned();
    }
    assert!(last.starts_with("499 "), "the newest is never the one that is dropped");
}
