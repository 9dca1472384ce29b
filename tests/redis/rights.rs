//! ACL users: the rights that docs/channel-layers.md names suffice, and no pattern of channels does in place of all.

use std::time::{Duration, Instant};

use serde_json::json;
use solent::layers::redis::{Host, RedisChannelLayer, RedisPubSubChannelLayer, RedisSettings};
use solent::layers::{ChannelLayer, LayerError, MailboxOptions};

use crate::layer_suite::{channel, event, group, next, within};
use crate::redis_server::RedisServer;
use crate::waiting::eventually;

/// The guide's command whose user has a right.
fn documented(right: &str) -> Vec<&'static str> {
    let guide = include_str!("../../docs/channel-layers.md");
    let commands = guide.lines().filter(|line| line.starts_with("ACL SETUSER chat "));
    let found = commands.map(|line| line.split(' ').collect::<Vec<_>>()).find(|line| line.contains(&right));
    found.expect("the guide has it")
}

/// The settings of the user that a command makes.
fn user(server: &RedisServer, command: &[&str]) -> RedisSettings {
    server.run::<()>(command);
    let url = format!("redis://chat:secret@127.0.0.1:{}", server.port());
    RedisSettings::of(Host::parse(&url).expect("a host"))
}

async fn joined_and_heard(layer: &dyn ChannelLayer) {
    within(layer.start()).await.expect("connected");
    let mut mailbox = layer.new_channel("specific", MailboxOptions::default()).await.expect("a mailbox");
    layer.group_add(&group("room"), &mailbox).await.expect("joined");
    layer.group_send(&group("room"), event(&json!({"n": 1}))).await.expect("sent");
    assert_eq!(next(&mut mailbox).await, event(&json!({"n": 1})));
    layer.send(mailbox.name(), event(&json!({"n": 2}))).await.expect("sent");
    assert_eq!(next(&mut mailbox).await, event(&json!({"n": 2})));
    let mut listener = layer.listen(&channel("work"), MailboxOptions::default()).await.expect("a listener");
    layer.send(&channel("work"), event(&json!({"n": 3}))).await.expect("sent");
    assert_eq!(next(&mut listener).await, event(&json!({"n": 3})));
    layer.group_discard(&group("room"), &mailbox).await.expect("left");
    drop(listener);
    let start = Instant::now();
    within(layer.settle()).await;
    assert!(
        start.elapsed() < Duration::from_secs(3),
        "it waited for a blocked reader: {:?}",
        start.elapsed()
    );
    layer.flush().await.expect("flushed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_documented_rights_suffice_for_pubsub() {
    let server = RedisServer::start();
    let settings = user(&server, &documented("+publish"));
    joined_and_heard(&RedisPubSubChannelLayer::new(settings).expect("settings")).await;
    eventually("the groups' subscription is given up", || {
        server.subscriptions().0.iter().all(|name| !name.contains("room"))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_documented_rights_suffice_for_core() {
    let server = RedisServer::start();
    let settings = user(&server, &documented("+eval"));
    joined_and_heard(&RedisChannelLayer::new(settings).expect("settings")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn patterns_of_channels_do_not_do_in_place_of_all() {
    let server = RedisServer::start();
    let mut rights = documented("+publish");
    rights.retain(|right| *right != "allchannels");
    rights.extend(["&asgi*", "&specific.*"]);
    let layer = RedisPubSubChannelLayer::new(user(&server, &rights)).expect("settings");
    let refused = within(layer.start()).await;
    assert!(
        matches!(&refused, Err(LayerError::Unavailable { reason, .. }) if reason.to_lowercase().contains("perm")),
        "{refused:?}"
    );
}
