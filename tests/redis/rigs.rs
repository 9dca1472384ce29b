//! Layers over Redis servers of their own.

use solent::layers::ChannelLayer;
use solent::layers::redis::{Host, RedisChannelLayer, RedisPubSubChannelLayer, RedisSettings};

use crate::layer_suite::Rig;
use crate::redis_server::RedisServer;

pub(crate) fn settings(servers: &[RedisServer]) -> RedisSettings {
    let mut settings = RedisSettings::default();
    settings.hosts = servers.iter().map(|server| Host::parse(&server.url()).expect("a host")).collect();
    settings
}

pub(crate) fn servers(count: usize) -> Vec<RedisServer> {
    (0..count).map(|_| RedisServer::start()).collect()
}

async fn started(layer: impl ChannelLayer, servers: Vec<RedisServer>) -> Rig {
    layer.start().await.expect("connected");
    Rig { guard: Box::new(servers), ..Rig::of(layer) }
}

pub(crate) async fn pubsub() -> Rig {
    let servers = servers(1);
    started(RedisPubSubChannelLayer::new(settings(&servers)).expect("settings"), servers).await
}

pub(crate) async fn pubsub_on_three_hosts() -> Rig {
    let servers = servers(3);
    let mut settings = settings(&servers);
    settings.symmetric_encryption_keys = vec!["new".to_owned(), "old".to_owned()];
    started(RedisPubSubChannelLayer::new(settings).expect("settings"), servers).await
}

pub(crate) async fn core() -> Rig {
    let servers = servers(1);
    started(RedisChannelLayer::new(settings(&servers)).expect("settings"), servers).await
}

pub(crate) async fn core_on_three_hosts() -> Rig {
    let servers = servers(3);
    let mut settings = settings(&servers);
    settings.symmetric_encryption_keys = vec!["new".to_owned(), "old".to_owned()];
    started(RedisChannelLayer::new(settings).expect("settings"), servers).await
}
