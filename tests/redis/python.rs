//! The real channels_redis on the other side of the same Redis: both directions, every shape of message.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value as Json, json};
use solent::layers::redis::{RedisChannelLayer, RedisPubSubChannelLayer, RedisSettings};
use solent::layers::{
    Capacities, ChannelLayer, ChannelName, Event, GroupName, LayerError, MailboxOptions, Map, Value,
};

use crate::layer_suite::{channel, event, group, next};
use crate::peer::Peer;
use crate::redis_server::RedisServer;
use crate::rigs::{servers, settings};
use crate::waiting::eventually;

const KEYS: [&str; 2] = ["s3cret-key", "clé-☃"];

/// Both sides on the same servers.
struct Pair {
    rust: Arc<dyn ChannelLayer>,
    python: Peer,
    servers: Vec<RedisServer>,
}

struct Setting {
    layer: &'static str,
    hosts: usize,
    encrypted: bool,
    format: &'static str,
}

fn layer(kind: &str, settings: RedisSettings) -> Arc<dyn ChannelLayer> {
    match kind {
        "core" => Arc::new(RedisChannelLayer::new(settings).expect("settings")),
        _ => Arc::new(RedisPubSubChannelLayer::new(settings).expect("settings")),
    }
}

async fn pair(setting: &Setting) -> Pair {
    let servers = servers(setting.hosts);
    let mut settings = settings(&servers);
    let mut options = json!({"serializer_format": setting.format});
    settings.serializer_format = setting.format.to_owned();
    if setting.encrypted {
        settings.symmetric_encryption_keys = KEYS.map(str::to_owned).to_vec();
        // Python encrypts with the other key: each side must try all of its own.
        options["symmetric_encryption_keys"] = json!([KEYS[1], KEYS[0]]);
    }
    let python = Peer::start(setting.layer, &servers, options);
    let rust = layer(setting.layer, settings);
    rust.start().await.expect("connected");
    Pair { rust, python, servers }
}

/// The messages that travel: plain, unicode, nested, large, and with bytes where the format has them.
fn messages(format: &str) -> Vec<(Event, Json)> {
    let mut messages: Vec<(Event, Json)> = [
        json!({"type": "chat.message", "message": "hello"}),
        json!({"message": "no type"}),
        json!({"type": "unicode", "text": "grüß ☃ 😀 \u{0} \"\\", "": "empty key"}),
        json!({"type": "nested", "a": {"b": [1, [2, [3, {"c": null}]], true, -1.5, 1e300]}, "big": u64::MAX}),
        json!({"type": "large", "text": "ü".repeat(500_000)}),
    ]
    .into_iter()
    .map(|message| (event(&message), message))
    .collect();
    if format == "msgpack" {
        let bytes: Vec<u8> = (0..=255).collect();
        let marked = json!({"type": "binary", "bytes": {"$bytes": STANDARD.encode(&bytes)}});
        let binary = Map::from_iter([("bytes".into(), Value::from(bytes::Bytes::from(bytes)))]);
        let mut map = Map::new();
        map.insert("type", "binary");
        binary.into_iter().for_each(|(key, value)| drop(map.insert(key, value)));
        messages.push((Event::from_value(map.into()).expect("a map"), marked));
    }
    messages
}

/// Maps compare without their order: JSON in between has lost it.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        Value::Map(map) => {
            let mut entries: Vec<_> = map.iter().map(|(key, inner)| (key.clone(), sorted(inner))).collect();
            entries.sort_by(|(left, _), (right, _)| left.as_bytes().cmp(right.as_bytes()));
            Value::Map(entries.into_iter().collect())
        }
        plain => plain.clone(),
    }
}

fn assert_same(found: &Event, sent: &Event) {
    assert!(sorted(found.value()) == sorted(sent.value()), "found {:.300}", format!("{found:?}"));
}

async fn exchange(setting: Setting) {
    let pair = pair(&setting).await;
    python_to_rust(&pair, setting.format).await;
    rust_to_python(&pair, setting.format).await;
}

async fn python_to_rust(pair: &Pair, format: &str) {
    let room = group("to_rust");
    let mut mailbox = pair.rust.new_channel("specific", MailboxOptions::default()).await.expect("a mailbox");
    let mut other = pair.rust.new_channel("specific", MailboxOptions::default()).await.expect("a mailbox");
    pair.rust.group_add(&room, &mailbox).await.expect("joined");
    pair.rust.group_add(&room, &other).await.expect("joined");
    let mut worker =
        pair.rust.listen(&channel("rust-worker"), MailboxOptions::default()).await.expect("a listener");
    for (sent, marked) in messages(format) {
        pair.python.call("send", json!([mailbox.name().as_str(), marked])).await;
        assert_same(&next(&mut mailbox).await, &sent);
        pair.python.call("group_send", json!([room.as_str(), marked])).await;
        assert_same(&next(&mut mailbox).await, &sent);
        assert_same(&next(&mut other).await, &sent);
        pair.python.call("send", json!(["rust-worker", marked])).await;
        assert_same(&next(&mut worker).await, &sent);
    }
}

async fn rust_to_python(pair: &Pair, format: &str) {
    let room = group("to_python");
    let own = pair.python.new_channel().await;
    pair.python.call("group_add", json!([room.as_str(), own])).await;
    // Python does not wait for its subscription.
    if pair.rust.describe().starts_with("redis-pubsub") {
        eventually("Python has subscribed", || {
            let channels: Vec<String> =
                pair.servers.iter().flat_map(|server| server.subscriptions().0).collect();
            channels.contains(&own) && channels.contains(&format!("asgi__group__{room}"))
        })
        .await;
    }
    let own = ChannelName::parse(&own).expect("a name");
    for (sent, marked) in messages(format) {
        pair.rust.send(&own, sent.clone()).await.expect("sent");
        assert_eq!(pair.python.call("receive", json!([own.as_str()])).await, marked);
        pair.rust.group_send(&room, sent).await.expect("sent");
        assert_eq!(pair.python.call("receive", json!([own.as_str()])).await, marked);
    }
}

macro_rules! exchanges {
    ($($name:ident: $layer:literal $hosts:literal $encrypted:literal $format:literal;)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            exchange(Setting { layer: $layer, hosts: $hosts, encrypted: $encrypted, format: $format }).await;
        }
    )*};
}

exchanges! {
    core_on_one_host: "core" 1 false "msgpack";
    core_encrypted_on_one_host: "core" 1 true "msgpack";
    core_as_json: "core" 1 false "json";
    core_encrypted_on_three_hosts: "core" 3 true "msgpack";
    core_on_three_hosts: "core" 3 false "msgpack";
    pubsub_on_one_host: "pubsub" 1 false "msgpack";
    pubsub_encrypted_on_one_host: "pubsub" 1 true "msgpack";
    pubsub_as_json: "pubsub" 1 false "json";
    pubsub_encrypted_on_three_hosts: "pubsub" 3 true "msgpack";
    pubsub_on_three_hosts: "pubsub" 3 false "msgpack";
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_of_both_languages_hear_one_group_send_once() {
    for kind in ["core", "pubsub"] {
        let pair = pair(&Setting { layer: kind, hosts: 1, encrypted: false, format: "msgpack" }).await;
        let room = group("mixed");
        let mut here = pair.rust.new_channel("specific", MailboxOptions::default()).await.expect("a mailbox");
        pair.rust.group_add(&room, &here).await.expect("joined");
        let there = pair.python.new_channel().await;
        pair.python.call("group_add", json!([room.as_str(), there])).await;
        if kind == "pubsub" {
            eventually("Python has subscribed", || {
                pair.servers[0].run::<Vec<(String, i64)>>(&["PUBSUB", "NUMSUB", "asgi__group__mixed"])[0].1
                    == 2
            })
            .await;
        }
        pair.python.call("group_send", json!([room.as_str(), {"from": "python"}])).await;
        pair.rust.group_send(&room, event(&json!({"from": "rust"}))).await.expect("sent");
        assert_eq!(next(&mut here).await, event(&json!({"from": "python"})), "{kind}");
        assert_eq!(next(&mut here).await, event(&json!({"from": "rust"})), "{kind}");
        for from in ["python", "rust"] {
            assert_eq!(pair.python.call("receive", json!([there])).await, json!({"from": from}), "{kind}");
        }
        pair.python.call("group_discard", json!([room.as_str(), there])).await;
        drop(here);
        eventually("nothing is left", || pair.servers[0].keys().iter().all(|key| !key.contains(":group:")))
            .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn python_may_manage_a_rust_mailboxs_membership_by_its_name() {
    let pair = pair(&Setting { layer: "core", hosts: 1, encrypted: false, format: "msgpack" }).await;
    let mut mailbox = pair.rust.new_channel("specific", MailboxOptions::default()).await.expect("a mailbox");
    let room = group("managed");
    pair.python.call("group_add", json!([room.as_str(), mailbox.name().as_str()])).await;
    pair.rust.group_send(&room, event(&json!({"n": 1}))).await.expect("sent");
    assert_eq!(next(&mut mailbox).await, event(&json!({"n": 1})));
    pair.rust.group_add(&room, &mailbox).await.expect("joined");
    pair.python.call("group_discard", json!([room.as_str(), mailbox.name().as_str()])).await;
    assert!(pair.servers[0].keys().iter().all(|key| !key.contains(":group:")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_languages_order_one_senders_messages_alike() {
    for kind in ["core", "pubsub"] {
        let pair = pair(&Setting { layer: kind, hosts: 1, encrypted: false, format: "msgpack" }).await;
        let options = MailboxOptions { events: 1_000, ..MailboxOptions::default() };
        let mut mailbox = pair.rust.new_channel("specific", options).await.expect("a mailbox");
        let room = group("ordered");
        pair.rust.group_add(&room, &mailbox).await.expect("joined");
        pair.python.call("group_send_many", json!([room.as_str(), {}, 90])).await;
        for number in 0..90 {
            assert_eq!(next(&mut mailbox).await, event(&json!({"n": number})), "{kind}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn capacity_counts_alike_on_both_sides() {
    let servers = servers(1);
    let mut settings = settings(&servers);
    settings.capacity = Capacities::new(3).glob("wide-*", 5).expect("a glob");
    let rust = layer("core", settings);
    let options = json!({"capacity": 3, "channel_capacity": {"wide-*": 5}});
    let python = Peer::start("core", &servers, options);
    for (name, capacity) in [("narrow", 3), ("wide-1", 5)] {
        let name = channel(name);
        for number in 0..capacity {
            match number % 2 {
                0 => rust.send(&name, event(&json!({"n": number}))).await.expect("room"),
                _ => drop(python.call("send", json!([name.as_str(), {"n": number}])).await),
            }
        }
        let full = Err(LayerError::ChannelFull { channel: name.clone() });
        assert_eq!(rust.send(&name, event(&json!({}))).await, full);
        assert_eq!(python.try_call("send", json!([name.as_str(), {}])).await, Err("ChannelFull".to_owned()));
        let room = GroupName::new(format!("group_{name}")).expect("a name");
        rust.group_add_channel(&room, &name).await.expect("joined");
        rust.group_send(&room, event(&json!({}))).await.expect("skips the full channel");
        python.call("group_send", json!([room.as_str(), {}])).await;
        let waiting: usize = servers[0].run(&["ZCARD", &format!("asgi{name}")]);
        assert_eq!(waiting, capacity);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_expire_alike_on_both_sides() {
    let servers = servers(1);
    let mut settings = settings(&servers);
    settings.expiry = std::time::Duration::from_secs(2);
    let rust = layer("core", settings);
    let python = Peer::start("core", &servers, json!({"expiry": 2}));
    python.new_channel().await;
    let assert_expires = |key: &str| {
        let life: i64 = servers[0].run(&["PTTL", key]);
        assert!((1..=2_000).contains(&life), "{key} lives {life} ms");
    };
    rust.send(&channel("from-rust"), event(&json!({"n": 1}))).await.expect("sent");
    assert_expires("asgifrom-rust");
    python.call("send", json!(["from-python", {"n": 1}])).await;
    assert_expires("asgifrom-python");
    eventually("both are gone", || servers[0].keys().is_empty()).await;
}
