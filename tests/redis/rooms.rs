//! Large rooms over two processes' layers, and churn: none lost, none twice, nothing left.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use solent::layers::redis::{RedisChannelLayer, RedisPubSubChannelLayer};
use solent::layers::{ChannelLayer, Delivery, Mailbox, MailboxOptions};

use crate::layer_suite::{event, group};
use crate::redis_server::RedisServer;
use crate::rigs::settings;
use crate::waiting::eventually;

async fn started(kind: &str, server: &RedisServer) -> Arc<dyn ChannelLayer> {
    let settings = settings(std::slice::from_ref(server));
    let layer: Arc<dyn ChannelLayer> = match kind {
        "core" => Arc::new(RedisChannelLayer::new(settings).expect("settings")),
        _ => Arc::new(RedisPubSubChannelLayer::new(settings).expect("settings")),
    };
    layer.start().await.expect("connected");
    layer
}

/// Takes all messages of a mailbox, and checks each sender's order on the way.
async fn listen(mut mailbox: Mailbox, senders: usize, each: i64) -> Mailbox {
    let mut next = vec![0; senders];
    while next.iter().any(|number| *number < each) {
        let found = tokio::time::timeout(Duration::from_secs(60), mailbox.recv()).await;
        let Ok(Delivery::Event(found)) = found else { panic!("found {found:?} after {next:?}") };
        let field =
            |name| found.value().get(name).and_then(|value| value.decode::<i64>().ok()).expect("a number");
        let sender = usize::try_from(field("sender")).expect("small");
        assert_eq!(field("n"), next[sender], "sender {sender}: lost, twice or out of order");
        next[sender] += 1;
    }
    mailbox
}

/// Two layers with `members` mailboxes each in one room; two paced senders on each side.
async fn one_room(kind: &str, members: usize, each: i64) {
    let server = RedisServer::start();
    let layers = [started(kind, &server).await, started(kind, &server).await];
    let room = group("room");
    let mut listeners = Vec::new();
    for layer in &layers {
        for _ in 0..members {
            let options = MailboxOptions { events: 2_000, bytes: 8 << 20, ..MailboxOptions::default() };
            let mailbox = layer.new_channel("specific", options).await.expect("a mailbox");
            layer.group_add(&room, &mailbox).await.expect("joined");
            listeners.push(tokio::spawn(listen(mailbox, 4, each)));
        }
    }
    let senders = (0..4).map(|sender| {
        let (layer, room) = (layers[sender % 2].clone(), room.clone());
        tokio::spawn(async move {
            let mut pace = tokio::time::interval(Duration::from_millis(4));
            for number in 0..each {
                pace.tick().await;
                let message = json!({"type": "chat.message", "sender": sender, "n": number});
                layer.group_send(&room, event(&message)).await.expect("sent");
            }
        })
    });
    for sender in senders.collect::<Vec<_>>() {
        sender.await.expect("no panic");
    }
    let mut mailboxes = Vec::new();
    for listener in listeners {
        mailboxes.push(listener.await.expect("every message, once and in order"));
    }
    assert!(mailboxes.iter().all(Mailbox::is_empty), "something came twice");
    assert!(layers.iter().all(|layer| layer.stats().dropped_total() == 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_messages_reach_a_thousand_members_of_two_processes_over_pubsub() {
    one_room("pubsub", 500, 250).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_reach_all_members_of_two_processes_over_core() {
    one_room("core", 50, 100).await;
}

mod slow {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_thousand_messages_reach_a_thousand_members_of_two_processes_over_core() {
        one_room("core", 500, 250).await;
    }

    async fn churn(kind: &str) {
        let server = RedisServer::start();
        let layer = started(kind, &server).await;
        let end = Instant::now() + Duration::from_secs(60);
        let tasks: Vec<_> = (0..16)
            .map(|task| {
                let layer = layer.clone();
                tokio::spawn(async move {
                    let mut round = 0;
                    while Instant::now() < end {
                        round += 1;
                        let mut mailbox = layer
                            .new_channel("specific", MailboxOptions::default())
                            .await
                            .expect("a mailbox");
                        let room = group(&format!("room_{}", (round + task) % 7));
                        layer.group_add(&room, &mailbox).await.expect("joined");
                        layer.group_send(&room, event(&json!({"n": round}))).await.expect("sent");
                        while mailbox.try_recv().is_some() {}
                        if round % 2 == 0 {
                            layer.group_discard(&room, &mailbox).await.expect("left");
                        }
                    }
                    round
                })
            })
            .collect();
        let mut rounds = 0;
        for task in tasks {
            rounds += task.await.expect("no panic");
        }
        assert!(rounds > 1_000, "only {rounds} rounds");
        let stats = layer.stats();
        assert_eq!((stats.mailboxes, stats.groups, stats.memberships, stats.channels), (0, 0, 0, 0));
        eventually("no keys and no subscriptions are left", || {
            server.keys().is_empty() && server.subscriptions().0.is_empty()
        })
        .await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_minute_of_churn_leaves_nothing_behind_over_pubsub() {
        churn("pubsub").await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_minute_of_churn_leaves_nothing_behind_over_core() {
        churn("core").await;
    }
}
