//! Poison: whatever stands in Redis that is no message is counted and skipped, each kind of it, and what follows arrives.

use serde_json::json;
use solent::layers::redis::format::{Codec, Fernet, Serializers};
use solent::layers::redis::{RedisChannelLayer, RedisPubSubChannelLayer, RedisSettings};
use solent::layers::{ChannelLayer, DropCause, MailboxOptions};

use crate::layer_suite::{channel, event, group, next};
use crate::redis_server::RedisServer;
use crate::rigs::settings;
use crate::waiting::eventually;

const LARGEST: usize = 4_000;

/// A layer's settings with a key, and with a bound on messages.
fn guarded(server: &RedisServer) -> RedisSettings {
    let mut settings = settings(std::slice::from_ref(server));
    settings.symmetric_encryption_keys = vec!["right".to_owned()];
    settings.message_bytes = LARGEST;
    settings
}

fn now() -> u64 {
    std::time::SystemTime::UNIX_EPOCH.elapsed().expect("after 1970").as_secs()
}

fn poison() -> Vec<(&'static str, Vec<u8>)> {
    let sealed = |text: &[u8]| Fernet::new(["right"]).expect("a key").encrypt(text, now());
    let mut deep = b"\x81\xa1a".to_vec();
    deep.extend(vec![0x91; 1_000]);
    deep.push(0xc0);
    let mut huge = b"\x81\xa1a\xda\x17\x70".to_vec();
    huge.extend(vec![b'x'; 6_000]);
    vec![
        ("nothing", Vec::new()),
        ("not encrypted", b"\x81\xa1a\x01".to_vec()),
        ("another key's", Fernet::new(["wrong"]).expect("a key").encrypt(b"\x81\xa1a\x01", now())),
        ("not msgpack", sealed(b"\xc1")),
        ("cut off", sealed(b"\x81\xa1a")),
        ("something behind it", sealed(b"\x81\xa1a\x01\x01")),
        ("no map", sealed(b"\x01")),
        ("a key that is a number", sealed(b"\x81\x01\x01")),
        ("a key that is null", sealed(b"\x81\xc0\x01")),
        ("text that is no UTF-8", sealed(b"\x81\xa1a\xa1\xff")),
        ("too deep", sealed(&deep)),
        ("too large", sealed(&huge)),
    ]
}

fn run(server: &RedisServer, name: &str, arguments: &[&[u8]]) {
    let client = redis::Client::open(server.url()).expect("a client");
    let mut connection = client.get_connection().expect("a connection");
    redis::cmd(name).arg(arguments).exec(&mut connection).expect("done");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_kind_of_poison_is_counted_and_skipped_over_pubsub() {
    let server = RedisServer::start();
    let layer = RedisPubSubChannelLayer::new(guarded(&server)).expect("settings");
    layer.start().await.expect("connected");
    let mut mailbox = layer.new_channel("specific", MailboxOptions::default()).await.expect("a mailbox");
    let mut worker = layer.listen(&channel("work"), MailboxOptions::default()).await.expect("a listener");
    layer.group_add(&group("room"), &mailbox).await.expect("joined");
    let mut counted = 0;
    for (number, (kind, poison)) in poison().into_iter().enumerate() {
        let own = mailbox.name().as_str().to_owned();
        for name in ["asgi__group__room", &own, "work"] {
            run(&server, "PUBLISH", &[name.as_bytes(), &poison]);
            counted += 1;
        }
        let good = event(&json!({"n": number}));
        layer.group_send(&group("room"), good.clone()).await.expect("sent");
        assert_eq!(next(&mut mailbox).await, good, "behind {kind}");
        layer.send(&channel("work"), good.clone()).await.expect("sent");
        assert_eq!(next(&mut worker).await, good, "behind {kind}");
        assert_eq!(layer.stats().dropped(DropCause::Undecodable), counted, "{kind}");
    }
    assert_eq!(layer.stats().reconnects, 0, "no connection was given up for it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_kind_of_poison_is_counted_and_skipped_over_core() {
    let server = RedisServer::start();
    let layer = RedisChannelLayer::new(guarded(&server)).expect("settings");
    layer.start().await.expect("connected");
    let mut mailbox = layer.new_channel("specific", MailboxOptions::default()).await.expect("a mailbox");
    let mut worker = layer.listen(&channel("work"), MailboxOptions::default()).await.expect("a listener");
    let inbox = format!("asgi{}", mailbox.name().non_local());
    // Ones that only this wire has: shorter than the random prefix, expired, and for nobody of this process.
    let codec = Codec::new(Serializers::default().get("msgpack").expect("registered"));
    let unaddressed = event(&json!({"n": 1}));
    let unaddressed = codec.encode(unaddressed.value().as_map().expect("a map")).expect("writes");
    let sealed = |text: &[u8], at| Fernet::new(["right"]).expect("a key").encrypt(text, at);
    let framed = |body: Vec<u8>| [&b"0123456789ab"[..], &body].concat();
    let mut kinds: Vec<_> = poison().into_iter().map(|(kind, body)| (kind, framed(body), 2)).collect();
    kinds.push(("shorter than its prefix", b"short".to_vec(), 2));
    kinds.push(("expired", framed(sealed(b"\x81\xa1a\x01", now() - 80)), 2));
    kinds.push(("without an address", framed(sealed(&unaddressed, now())), 1));
    let mut counted = 0;
    for (number, (kind, poison, places)) in kinds.into_iter().enumerate() {
        let score = now().to_string();
        for key in [inbox.as_str(), "asgiwork"].into_iter().take(places) {
            run(&server, "ZADD", &[key.as_bytes(), score.as_bytes(), &poison]);
            counted += 1;
        }
        let good = event(&json!({"n": number}));
        layer.send(mailbox.name(), good.clone()).await.expect("sent");
        assert_eq!(next(&mut mailbox).await, good, "behind {kind}");
        layer.send(&channel("work"), good.clone()).await.expect("sent");
        assert_eq!(next(&mut worker).await, good, "behind {kind}");
        eventually(kind, || layer.stats().dropped(DropCause::Undecodable) == counted).await;
    }
    eventually("nothing of it is left", || server.keys().is_empty()).await;
    assert_eq!(layer.stats().reconnects, 0, "no connection was given up for it");
}
