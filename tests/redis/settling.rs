//! The end of a process that reads plain channels over the core layer: nothing is popped for it any more.

use serde_json::json;
use solent::layers::redis::{Host, RedisChannelLayer, RedisSettings};
use solent::layers::{ChannelLayer, MailboxOptions};

use crate::layer_suite::{channel, event, next, within};
use crate::redis_server::RedisServer;
use crate::waiting::eventually;

async fn layer(server: &RedisServer) -> RedisChannelLayer {
    let settings = RedisSettings::of(Host::parse(&server.url()).expect("a host"));
    let layer = RedisChannelLayer::new(settings).expect("settings");
    layer.start().await.expect("connected");
    layer
}

/// Whether Redis makes someone wait for a channel's next message.
fn someone_waits(server: &RedisServer) -> bool {
    server.run::<String>(&["CLIENT", "LIST"]).contains(" flags=b ")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_waits_for_nobody_is_called_back() {
    let server = RedisServer::start();
    let layer = layer(&server).await;
    let listener = layer.listen(&channel("work"), MailboxOptions::default()).await.expect("a listener");
    eventually("the reader waits in Redis", || someone_waits(&server)).await;
    drop(listener);
    within(layer.settle()).await;
    assert!(!someone_waits(&server), "what comes now would be popped into nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_receiver_did_not_live_to_take_is_in_redis_afterwards() {
    let server = RedisServer::start();
    let layer = layer(&server).await;
    let work = channel("work");
    let mut receiving = Box::pin(layer.receive(&work));
    assert!(futures_util::poll!(receiving.as_mut()).is_pending());
    eventually("the reader waits in Redis", || someone_waits(&server)).await;
    layer.send(&work, event(&json!({"n": 1}))).await.expect("sent");
    eventually("it was popped for the receiver", || server.keys().is_empty()).await;
    drop(receiving);
    within(layer.settle()).await;
    assert_eq!(server.run::<i64>(&["ZCARD", "asgiwork"]), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settling_calls_nobody_back_who_still_listens() {
    let server = RedisServer::start();
    let layer = layer(&server).await;
    let work = channel("work");
    let mut listener = layer.listen(&work, MailboxOptions::default()).await.expect("a listener");
    eventually("the reader waits in Redis", || someone_waits(&server)).await;
    within(layer.settle()).await;
    assert!(someone_waits(&server), "it listens on");
    layer.send(&work, event(&json!({"n": 1}))).await.expect("sent");
    assert_eq!(next(&mut listener).await, event(&json!({"n": 1})));
}
