//! Which channel layer a site's rooms are on.

use std::sync::Arc;

use solent::layers::redis::{Host, RedisChannelLayer, RedisPubSubChannelLayer, RedisSettings};
use solent::layers::{ChannelLayer, ChannelLayers, MemoryChannelLayer};

use super::redis_server::RedisServer;

#[derive(Debug, Clone, Copy)]
pub enum Kind {
    Memory,
    Redis,
    RedisPubSub,
}

/// A kind of layer, with a Redis of its own where it needs one.
pub struct Rooms {
    kind: Kind,
    redis: Option<RedisServer>,
}

impl Rooms {
    pub fn of(kind: Kind) -> Self {
        let redis = (!matches!(kind, Kind::Memory)).then(RedisServer::start);
        Self { kind, redis }
    }

    /// The layers of one run of the site.
    pub fn layers(&self) -> ChannelLayers {
        let mut settings = RedisSettings::default();
        if let Some(redis) = &self.redis {
            settings.hosts = vec![Host::parse(&redis.url()).expect("a host")];
        }
        let layer: Arc<dyn ChannelLayer> = match self.kind {
            Kind::Memory => Arc::new(MemoryChannelLayer::new()),
            Kind::Redis => Arc::new(RedisChannelLayer::new(settings).expect("settings")),
            Kind::RedisPubSub => Arc::new(RedisPubSubChannelLayer::new(settings).expect("settings")),
        };
        let mut layers = ChannelLayers::new();
        layers.insert("default", layer);
        layers
    }
}
