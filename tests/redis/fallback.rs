//! `local_fallback`: half a room is better than none.

use std::time::Duration;

use serde_json::json;
use solent::layers::{Delivery, DropCause, LayerError};

use crate::layer_suite::{event, group, next, within};
use crate::redis_server::RedisServer;
use crate::waiting::eventually;
use crate::weather::{layer, member, numbered, settings};

/// Two processes' layers; Redis goes away and comes back.
async fn members_of_one_process_reach_each_other_without_redis(kind: &str) {
    let mut server = RedisServer::start();
    let start = async || {
        let mut settings = settings(&server.url());
        settings.local_fallback = true;
        let layer = layer(kind, settings);
        layer.start().await.expect("connected");
        layer
    };
    let (here, there) = (start().await, start().await);
    let room = group("room");
    let (mut first, mut second) = (member(&here, &room).await, member(&here, &room).await);
    let mut elsewhere = member(&there, &room).await;
    here.group_send(&room, numbered(0)).await.expect("sent");
    for mailbox in [&mut first, &mut second, &mut elsewhere] {
        assert_eq!(next(mailbox).await, numbered(0));
    }
    server.kill();
    eventually("the loss is noticed", || !here.is_ready() && !there.is_ready()).await;
    // A send that is on its way when the connection breaks fails: nobody knows whether it was heard.
    within(async { while here.group_send(&group("probe"), numbered(0)).await.is_err() {} }).await;
    // Joining and sending work, within the process; the layer does not call itself ready.
    let mut late = member(&here, &room).await;
    let delivered = here.group_send(&room, numbered(1)).await.expect("delivered here");
    assert_eq!((delivered.reached, delivered.dropped), (3, 0));
    here.send(late.name(), numbered(2)).await.expect("delivered here");
    let unknown = here.send(elsewhere.name(), numbered(3)).await;
    assert!(matches!(unknown, Err(LayerError::Unavailable { .. })), "{unknown:?}");
    for mailbox in [&mut first, &mut second, &mut late] {
        assert_eq!(next(mailbox).await, numbered(1));
    }
    assert_eq!(next(&mut late).await, numbered(2));
    assert!(here.stats().dropped(DropCause::Disconnected) >= 2, "what others did not hear is counted");
    server.restart();
    eventually("both are ready again", || here.is_ready() && there.is_ready()).await;
    // The other process's members hear again, and so does who joined meanwhile; nobody hears anything twice.
    let marker = event(&json!({"type": "marker"}));
    there.group_send(&room, marker.clone()).await.expect("sent");
    for mailbox in [&mut first, &mut second, &mut late, &mut elsewhere] {
        let mut gaps = 0;
        loop {
            match within(mailbox.recv()).await {
                Delivery::Gap(_) => gaps += 1,
                Delivery::Event(found) => break assert_eq!(found, marker),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(gaps, 1, "each is told once that the room was not whole");
        assert_eq!(mailbox.try_recv(), None);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_local_fallback_members_of_one_process_reach_each_other_without_redis_over_pubsub() {
    members_of_one_process_reach_each_other_without_redis("pubsub").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_local_fallback_members_of_one_process_reach_each_other_without_redis_over_core() {
    members_of_one_process_reach_each_other_without_redis("core").await;
}

/// Many join while the layer restores what it had: none of them falls between the old and the new.
async fn who_joins_at_the_moment_of_return_is_heard(kind: &str) {
    const OLD: usize = 2_000;
    let mut server = RedisServer::start();
    let mut settings = settings(&server.url());
    settings.local_fallback = true;
    let here = layer(kind, settings.clone());
    here.start().await.expect("connected");
    let mut old = Vec::new();
    for number in 0..OLD {
        old.push(member(&here, &group(&format!("old_{number}"))).await);
    }
    server.kill();
    eventually("the loss is noticed", || !here.is_ready()).await;
    within(async { while here.group_send(&group("probe"), numbered(0)).await.is_err() {} }).await;
    server.restart();
    let mut late = Vec::new();
    while !here.is_ready() {
        let room = group(&format!("late_{}", late.len()));
        late.push((member(&here, &room).await, room));
        tokio::task::yield_now().await;
    }
    // Ready means that all that was there before is there again, at this moment.
    let restored = match kind {
        "core" => server.keys(),
        _ => server.subscriptions().0,
    };
    let restored = restored.iter().filter(|name| name.contains("old_")).count();
    assert_eq!(restored, OLD, "ready was reported too early");
    let there = layer(kind, settings);
    there.start().await.expect("connected");
    for (mailbox, room) in &mut late {
        let marker = event(&json!({"type": "marker", "room": room.as_str()}));
        // The layer is ready when those are restored that were there before; who comes meanwhile follows at once.
        within(async {
            loop {
                there.group_send(room, marker.clone()).await.expect("sent");
                let soon = Duration::from_millis(100);
                if let Ok(Delivery::Event(found)) = tokio::time::timeout(soon, mailbox.recv()).await {
                    break assert_eq!(found, marker);
                }
            }
        })
        .await;
    }
    assert!(late.len() > 10, "only {} joined meanwhile", late.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_joins_at_the_moment_of_return_is_heard_over_pubsub() {
    who_joins_at_the_moment_of_return_is_heard("pubsub").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_joins_at_the_moment_of_return_is_heard_over_core() {
    who_joins_at_the_moment_of_return_is_heard("core").await;
}
