//! Channels' rows F11 to F13, on the Redis layers: each holds, or differs on purpose and says how.

use std::time::Duration;

use bytes::Bytes;
use serde_json::json;
use solent::layers::redis::format::{FormatError, MessageSerializer};
use solent::layers::redis::{RedisChannelLayer, RedisPubSubChannelLayer, RedisSettings};
use solent::layers::{ChannelLayer, ChannelName, Event, LayerHandle, Map, Value};

use crate::redis_server::RedisServer;
use crate::rigs::settings;

#[test]
fn f11_settings_have_channels_redis_names_and_defaults() {
    let settings = RedisSettings::default();
    assert_eq!(settings.prefix, "asgi");
    assert_eq!(settings.serializer_format, "msgpack");
    assert_eq!(
        (settings.expiry, settings.group_expiry),
        (Duration::from_secs(60), Duration::from_secs(86_400))
    );
    assert_eq!(settings.capacity.of("anything"), 100);
    assert_eq!(settings.random_prefix_length, 12);
    assert!(settings.symmetric_encryption_keys.is_empty());
    RedisChannelLayer::new(settings.clone()).expect("core");
    RedisPubSubChannelLayer::new(settings).expect("pub/sub");
}

/// Differs: there are no pools to close; the layer's connections end with it.
#[tokio::test]
async fn f12_tasks_share_a_layer_and_its_connections_end_with_it() {
    let server = RedisServer::start();
    let layer = RedisChannelLayer::new(settings(std::slice::from_ref(&server))).expect("settings");
    layer.start().await.expect("connected");
    let layer = LayerHandle::of(layer);
    let channel = ChannelName::new("shared").expect("a name");
    let receiving: Vec<_> = (0..3)
        .map(|_| {
            let (layer, channel) = (layer.clone(), channel.clone());
            tokio::spawn(async move { layer.receive::<serde_json::Value>(&channel).await.map(drop) })
        })
        .collect();
    for round in 0..3 {
        layer.send(&channel, &json!({"type": "round", "round": round})).await.expect("sent");
    }
    for received in receiving {
        received.await.expect("no panic").expect("received");
    }
    let clients = || server.run::<String>(&["CLIENT", "LIST"]).lines().count();
    assert!(clients() > 1, "the layer is connected");
    drop(layer);
    let patience = tokio::time::Instant::now() + Duration::from_secs(10);
    while clients() > 1 {
        assert!(tokio::time::Instant::now() < patience, "{} clients are left", clients());
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn f13_a_registered_serializer_writes_and_reads_a_layers_messages() {
    /// The message's text, and nothing else.
    struct Plain;
    impl MessageSerializer for Plain {
        fn serialize(&self, message: &Map) -> Result<Vec<u8>, FormatError> {
            let Some(Value::Text(text)) = message.get("text") else {
                return Err(FormatError::Write { format: "plain", reason: "expected a text".to_owned() });
            };
            Ok(text.as_bytes().to_vec())
        }
        fn deserialize(&self, bytes: &Bytes) -> Result<Value, FormatError> {
            let text = String::from_utf8_lossy(bytes).into_owned();
            Ok(Value::Map(Map::from_iter([("text".into(), Value::from(text))])))
        }
    }
    let server = RedisServer::start();
    let mut own = settings(std::slice::from_ref(&server));
    own.serializers = own.serializers.with("plain", Plain);
    own.serializer_format = "plain".to_owned();
    own.random_prefix_length = 0;
    let layer = RedisChannelLayer::new(own).expect("settings");
    layer.start().await.expect("connected");
    let channel = ChannelName::new("post").expect("a name");
    let event = Event::new(&json!({"text": "as it is"})).expect("a map");
    layer.send(&channel, event).await.expect("sent");
    let raw: Vec<String> = server.run(&["ZRANGE", "asgipost", "0", "-1"]);
    assert_eq!(raw, ["as it is"]);
    let event = layer.receive(&channel).await.expect("received");
    assert_eq!(event.decode::<serde_json::Value>().expect("a map").get(), &json!({"text": "as it is"}));
}
