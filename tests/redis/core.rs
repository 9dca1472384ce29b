//! The core layer beyond the common suite: what stands in Redis, and that nothing is lost between popping and handing
//! over.

use std::time::Duration;

use bytes::Bytes;
use serde_json::json;
use solent::layers::redis::format::{Codec, Fernet, Serializers};
use solent::layers::redis::{RedisChannelLayer, RedisSettings};
use solent::layers::{Capacities, ChannelLayer, Event, LayerError, MailboxOptions, Map, Value};

use crate::layer_suite::{channel, event, group, next, within};
use crate::redis_server::RedisServer;
use crate::rigs::{servers, settings};
use crate::vectors::{at, bytes, file, list, number, texts};
use crate::waiting::{Pace, eventually};

fn numbered(number: i64) -> Event {
    event(&json!({"n": number}))
}

async fn started(settings: RedisSettings) -> RedisChannelLayer {
    let layer = RedisChannelLayer::new(settings).expect("settings");
    layer.start().await.expect("connected");
    layer
}

async fn layer(server: &RedisServer) -> RedisChannelLayer {
    started(settings(std::slice::from_ref(server))).await
}

fn codec(prefix: usize) -> Codec {
    Codec::new(Serializers::default().get("msgpack").expect("registered")).random_prefix(prefix)
}

fn framed(message: &Event, prefix: usize) -> Vec<u8> {
    codec(prefix).encode(message.value().as_map().expect("a map")).expect("writes")
}

/// Runs a command with bytes in it.
fn raw(server: &RedisServer, words: &[&[u8]]) {
    let mut connection =
        redis::Client::open(server.url()).expect("a client").get_connection().expect("a connection");
    let (name, arguments) = words.split_first().expect("a command");
    redis::cmd(std::str::from_utf8(name).expect("text")).arg(arguments).exec(&mut connection).expect("done");
}

#[tokio::test]
async fn a_send_to_a_mailbox_leaves_what_python_leaves() {
    let server = RedisServer::start();
    let (sender, receiver) = (layer(&server).await, layer(&server).await);
    let mut mailbox = receiver.new_channel("specific", MailboxOptions::default()).await.expect("a mailbox");
    let name = mailbox.name().as_str().to_owned();
    assert_eq!(name.len(), 74, "{name}");
    let parts: Vec<&str> = name.split(['.', '!']).collect();
    let is_hex = |part: &&str| part.len() == 32 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    assert!(parts[0] == "specific" && parts[1..].iter().all(is_hex) && parts.len() == 3, "{name}");
    // The wire's own key is inside, as text for one channel and as a list for a group.
    drop(receiver);
    sender.send(mailbox.name(), numbered(1)).await.expect("sent");
    sender.group_add_channel(&group("room"), mailbox.name()).await.expect("joined");
    sender.group_send(&group("room"), numbered(2)).await.expect("sent");
    drop(mailbox.try_recv());
    let members: Vec<String> = server.run(&["ZRANGE", "asgi:group:room", "0", "-1"]);
    assert_eq!(members, std::slice::from_ref(&name));
    let life: i64 = server.run(&["TTL", "asgi:group:room"]);
    assert!((86_390..=86_400).contains(&life), "{life}");
}

#[tokio::test]
async fn messages_in_redis_carry_their_address_as_python_writes_it() {
    let server = RedisServer::start();
    let layer = layer(&server).await;
    let elsewhere = channel("specific.00000000000000000000000000000000!11111111111111111111111111111111");
    layer.send(&elsewhere, numbered(1)).await.expect("sent");
    layer.group_add_channel(&group("room"), &elsewhere).await.expect("joined");
    layer.group_add_channel(&group("room"), &channel("plain")).await.expect("joined");
    layer.group_send(&group("room"), numbered(2)).await.expect("sent");
    layer.send(&channel("plain"), numbered(3)).await.expect("sent");
    let stored = |key: &str| -> Vec<Map> {
        let members: Vec<Vec<u8>> = server.run(&["ZRANGE", key, "0", "-1"]);
        members.into_iter().map(|member| codec(12).decode(&Bytes::from(member)).expect("decodes")).collect()
    };
    let inbox = stored("asgispecific.00000000000000000000000000000000!");
    let address = |map: &Map| map.get("__asgi_channel__").cloned();
    assert_eq!(address(&inbox[0]), Some(Value::from(elsewhere.as_str())));
    assert_eq!(address(&inbox[1]), Some(Value::Array(vec![Value::from(elsewhere.as_str())])));
    let plain = stored("asgiplain");
    assert_eq!(address(&plain[0]), Some(Value::Array(vec![Value::from("plain")])));
    assert_eq!(address(&plain[1]), None);
    let last = inbox[0].iter().last().map(|(key, _)| key.as_str().expect("text").to_owned());
    assert_eq!(last.as_deref(), Some("__asgi_channel__"));
    for key in ["asgiplain", "asgispecific.00000000000000000000000000000000!"] {
        let life: i64 = server.run(&["TTL", key]);
        assert!((55..=60).contains(&life), "{key} {life}");
        let (_, score): (Vec<u8>, f64) = server.run(&["ZRANGE", key, "0", "0", "WITHSCORES"]);
        let now = std::time::SystemTime::UNIX_EPOCH.elapsed().expect("after 1970").as_secs_f64();
        assert!((now - 10.0..=now + 1.0).contains(&score), "{score}");
    }
}

#[tokio::test]
async fn every_captured_message_reaches_whom_it_is_for() {
    let server = RedisServer::start();
    let layer = layer(&server).await;
    let mut ran = 0;
    for step in list(at(&file("core_layer"), "steps")) {
        let options = at(at(step, "input"), "options");
        let prefix = options.get("random_prefix_length").map_or(12, number);
        let keys = texts(at(options, "symmetric_encryption_keys"));
        let format = options.get("serializer_format").and_then(Value::as_str).unwrap_or("msgpack");
        let codec = Codec::new(Serializers::default().get(format).expect("registered"))
            .random_prefix(prefix)
            .encrypted((!keys.is_empty()).then(|| Fernet::new(&keys).expect("keys")), None);
        let is_usual = options == &Value::Null;
        for command in list(at(step, "commands")) {
            let arguments = list(at(command, "args"));
            let is_message = arguments.first().and_then(Value::as_str) == Some("ZADD")
                && arguments.get(3).is_some_and(|argument| argument.get("$bytes").is_some());
            if !is_message {
                continue;
            }
            let stored = bytes(&arguments[3]);
            let mut message = codec.decode(&stored).unwrap_or_else(|error| panic!("{step:?}: {error}"));
            message.remove("__asgi_channel__");
            // Replayed as a plain message, it arrives as it was.
            let key = arguments[1].as_str().expect("text");
            if !key.contains('!') && !key.contains("$inflight") && is_usual {
                let name = channel(key.strip_prefix("asgi").expect("the prefix"));
                let score = arguments[2].as_str().expect("text");
                raw(&server, &[b"ZADD", key.as_bytes(), score.as_bytes(), &stored]);
                let received = within(layer.receive(&name)).await.expect("received");
                assert_eq!(received.value().as_map(), Some(&message));
            }
            ran += 1;
        }
    }
    assert_eq!(ran, 21);
}

#[tokio::test]
async fn captured_groups_of_several_hosts_go_to_the_same_hosts() {
    let vectors = file("core_layer_sharded");
    let hosts = number(at(&vectors, "hosts"));
    let ring = solent::layers::redis::Ring::new(hosts);
    let mut ran = 0;
    for step in list(at(&vectors, "steps")) {
        for command in list(at(step, "commands")) {
            let arguments = list(at(command, "args"));
            let Some(group) =
                arguments.get(1).and_then(Value::as_str).and_then(|key| key.strip_prefix("asgi:group:"))
            else {
                continue;
            };
            assert_eq!(ring.index(group), number(at(command, "host")), "{group}");
            ran += 1;
        }
    }
    assert_eq!(ran, 12);
}

#[tokio::test]
async fn a_back_up_left_by_a_dead_reader_comes_first() {
    let server = RedisServer::start();
    let (old, new) = (framed(&numbered(1), 12), framed(&numbered(2), 12));
    raw(&server, &[b"ZADD", b"asgistranded$inflight", b"1000.5", &old]);
    raw(&server, &[b"ZADD", b"asgistranded", b"2000.5", &new]);
    let layer = layer(&server).await;
    let stranded = channel("stranded");
    assert_eq!(within(layer.receive(&stranded)).await.expect("received"), numbered(1));
    assert_eq!(within(layer.receive(&stranded)).await.expect("received"), numbered(2));
    eventually("all is confirmed", || server.keys().is_empty()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn receivers_of_one_plain_channel_share_its_messages() {
    let server = RedisServer::start();
    let (first, second, sender) = (layer(&server).await, layer(&server).await, layer(&server).await);
    let work = channel("work");
    let small = MailboxOptions { events: 1, ..MailboxOptions::default() };
    let mut listeners = Vec::new();
    for layer in [&first, &second] {
        listeners.push(layer.listen(&work, small).await.expect("a listener"));
    }
    let mut tasks = Vec::new();
    for mut listener in listeners {
        tasks.push(tokio::spawn(async move {
            let mut found = Vec::new();
            while let Ok(solent::layers::Delivery::Event(event)) =
                tokio::time::timeout(Duration::from_secs(2), listener.recv()).await
            {
                found.push(event.value().get("n").and_then(|n| n.decode::<i64>().ok()).expect("a number"));
            }
            found
        }));
    }
    for number in 0..60 {
        sender.send(&work, numbered(number)).await.expect("sent");
    }
    let mut all = Vec::new();
    for task in tasks {
        let found = within(task).await.expect("no panic");
        assert!(found.windows(2).all(|pair| pair[0] < pair[1]), "out of order: {found:?}");
        all.extend(found);
    }
    all.sort_unstable();
    assert_eq!(all, (0..60).collect::<Vec<_>>(), "each message once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn receives_cancelled_at_any_moment_lose_nothing() {
    let server = RedisServer::start();
    let (layer, sender) = (layer(&server).await, layer(&server).await);
    let work = channel("work");
    let sending = tokio::spawn({
        let work = work.clone();
        async move {
            let mut pace = Pace::every(Duration::from_millis(5));
            for number in 0..300 {
                while sender.send(&work, numbered(number)).await.is_err() {
                    pace.next().await;
                }
            }
        }
    });
    let mut found = Vec::new();
    let mut patience = 0;
    while found.len() < 300 {
        patience = (patience + 37) % 900;
        let receiving = layer.receive(&work);
        if let Ok(event) = tokio::time::timeout(Duration::from_micros(patience), receiving).await {
            let event = event.expect("received");
            found.push(event.value().get("n").and_then(|n| n.decode::<i64>().ok()).expect("a number"));
        }
    }
    within(sending).await.expect("no panic");
    found.sort_unstable();
    assert_eq!(found, (0..300).collect::<Vec<_>>(), "each message once");
    eventually("nothing is left", || server.keys().is_empty()).await;
}

#[tokio::test]
async fn what_nobody_takes_any_more_goes_back_to_redis() {
    let server = RedisServer::start();
    let (first, second) = (layer(&server).await, layer(&server).await);
    let work = channel("work");
    let mut listener = first.listen(&work, MailboxOptions::default()).await.expect("a listener");
    first.send(&work, numbered(0)).await.expect("sent");
    assert_eq!(next(&mut listener).await, numbered(0));
    first.send(&work, numbered(1)).await.expect("sent");
    eventually("it is in the mailbox", || !listener.is_empty()).await;
    drop(listener);
    assert_eq!(within(second.receive(&work)).await.expect("received"), numbered(1));
}

#[tokio::test]
async fn the_inbox_is_read_on_every_host() {
    let servers = servers(3);
    let layer = started(settings(&servers)).await;
    let mut mailbox = layer.new_channel("specific", MailboxOptions::default()).await.expect("a mailbox");
    let mut addressed = numbered(1).value().as_map().expect("a map").clone();
    addressed.insert("__asgi_channel__", mailbox.name().as_str());
    let key = format!("asgi{}", mailbox.name().non_local());
    for server in &servers {
        let message = codec(12).encode(&addressed).expect("writes");
        raw(server, &[b"ZADD", key.as_bytes(), b"1", &message]);
        assert_eq!(next(&mut mailbox).await, numbered(1));
    }
}

#[tokio::test]
async fn memberships_of_live_mailboxes_are_renewed_and_those_of_dead_processes_forgotten() {
    let server = RedisServer::start();
    let mut settings = settings(std::slice::from_ref(&server));
    settings.group_expiry = Duration::from_secs(4);
    let layer = started(settings).await;
    let room = group("room");
    let mut mailbox = layer.new_channel("specific", MailboxOptions::default()).await.expect("a mailbox");
    layer.group_add(&room, &mailbox).await.expect("joined");
    layer.group_add_channel(&room, &channel("specific.dead!dead")).await.expect("joined");
    let key = "asgi:group:room";
    let score = || -> f64 { server.run(&["ZSCORE", key, mailbox.name().as_str()]) };
    let joined = score();
    let mut renewed = joined;
    // Seen for longer than a membership lives: each renewal comes when less than half of the life has passed.
    while renewed < joined + 5.5 {
        let last = renewed;
        eventually("the membership is renewed", || score() > last).await;
        renewed = score();
        assert!(renewed - last < 2.0, "renewed after {} s of 4", renewed - last);
    }
    layer.group_send(&room, numbered(1)).await.expect("sent");
    assert_eq!(next(&mut mailbox).await, numbered(1));
    let members: Vec<String> = server.run(&["ZRANGE", key, "0", "-1"]);
    assert_eq!(members, [mailbox.name().as_str()]);
}

#[tokio::test]
async fn churn_leaves_no_keys() {
    let server = RedisServer::start();
    let layer = layer(&server).await;
    for round in 0..10 {
        let mut mailboxes = Vec::new();
        for member in 0..10 {
            let mailbox = layer.new_channel("specific", MailboxOptions::default()).await.expect("a mailbox");
            layer.group_add(&group(&format!("room_{}", member % 3)), &mailbox).await.expect("joined");
            mailboxes.push(mailbox);
        }
        layer.group_send(&group("room_0"), numbered(round)).await.expect("sent");
    }
    eventually("no keys are left", || server.keys().is_empty()).await;
}

#[tokio::test]
async fn flush_deletes_only_what_stands_under_the_prefix() {
    let server = RedisServer::start();
    let layer = layer(&server).await;
    for number in 0..50 {
        layer.send(&channel(&format!("channel-{number}")), numbered(number)).await.expect("sent");
    }
    layer.group_add_channel(&group("room"), &channel("channel-1")).await.expect("joined");
    server.run::<()>(&["SET", "session:1", "x"]);
    server.run::<()>(&["SET", "Asgi", "x"]);
    layer.flush().await.expect("flushed");
    assert_eq!(server.keys(), ["Asgi", "session:1"]);
}

#[tokio::test]
async fn a_message_with_the_wires_own_key_is_refused() {
    let server = RedisServer::start();
    let layer = layer(&server).await;
    let refused = layer.send(&channel("work"), event(&json!({"__asgi_channel__": "x"}))).await;
    assert!(matches!(refused, Err(LayerError::Event(_))), "{refused:?}");
    assert!(layer.group_send(&group("room"), event(&json!({"__asgi_channel__": "x"}))).await.is_err());
}

#[test]
fn settings_that_cannot_be_are_errors_that_name_them() {
    let changed = |change: fn(&mut RedisSettings)| {
        let mut settings = RedisSettings::default();
        change(&mut settings);
        RedisChannelLayer::new(settings).map(drop).expect_err("refused").to_string()
    };
    assert!(changed(|settings| settings.hosts.clear()).contains("hosts"));
    assert!(changed(|settings| settings.expiry = Duration::from_millis(1_500)).contains("expiry"));
    assert!(changed(|settings| settings.group_expiry = Duration::ZERO).contains("group_expiry"));
    assert!(changed(|settings| settings.serializer_format = "yaml".into()).contains("json, msgpack"));
    let mut settings = RedisSettings::default();
    settings.capacity = Capacities::new(1);
    assert!(RedisChannelLayer::new(settings).is_ok());
}
