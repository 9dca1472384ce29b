//! The consumer `worker`: Python's real `runworker` answers a site's clients, over both Redis layers.

use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use super::binary::{Folder, Site, project, stderr_of, stdout_of};
use super::raw::{Raw, close, frame, handshake};
use super::redis::RedisServer;
use super::tools;
use super::waiting::{PATIENCE, eventually_blocking};

fn config(redis: &RedisServer, backend: &str, more: &str) -> String {
    format!(
        r#"
debug = true
allowed_hosts = ["127.0.0.1"]
allowed_origins = ["*"]

[server]
bind = ["127.0.0.1:0"]

[limits]
accept_time = "40s"
drain_time = "100ms"

[channel_layers.default]
backend = "{backend}"
hosts = ["{}"]
capacity = 3

[[websocket]]
path = "ws/watch/"
consumer = "listen"
group = "watched"

[[websocket]]
path = "ws/room/<slug:room>/"
consumer = "worker"
channel = "rooms"
groups = ["everyone", "room_{{room}}"]
{more}
"#,
        redis.url()
    )
}

/// `runworker`, ended with the test.
pub struct Runworker(Child);

impl Runworker {
    pub fn start(kind: &str, url: &str, channels: &[&str]) -> Self {
        let child = Command::new(tools::python())
            .arg(project().join("tests/gateway/worker.py"))
            .args([kind, url])
            .args(channels)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdout(Stdio::null())
            .spawn();
        Self(child.expect("python starts"))
    }
}

impl Drop for Runworker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Waits until somebody listens to a channel of pub/sub.
pub fn until_listened_to(redis: &RedisServer, channel: &str) {
    let listens = || redis.subscriptions().0.iter().any(|name| name == channel);
    eventually_blocking("Python listens", 6 * PATIENCE, listens);
}

/// A site, and a worker for the channels.
async fn started(kind: &str, more: &str, channels: &[&str]) -> (RedisServer, Folder, Site, Runworker) {
    let redis = RedisServer::start();
    let backend = if kind == "core" { "redis" } else { "redis-pubsub" };
    let folder = Folder::with(&config(&redis, backend, more));
    let site = folder.start();
    let worker = Runworker::start(kind, &redis.url(), channels);
    if kind == "pubsub" {
        // What nobody listens to is lost there; in core's channels it waits.
        channels.iter().for_each(|channel| until_listened_to(&redis, channel));
    }
    (redis, folder, site, worker)
}

/// What the worker was told, as the client hears it.
async fn told(client: &mut Raw) -> Value {
    client.frame().await.json()
}

async fn a_python_worker_answers(kind: &str) {
    let (_redis, _folder, site, _worker) = started(kind, "", &["rooms"]).await;
    let path = "/ws/room/blue/?a=1";
    let mut client = Raw::websocket_with(site.address, path, "Sec-WebSocket-Protocol: one, two\r\n").await;
    let connect = told(&mut client).await;
    let same = ["reply_channel", "connection"].map(|key| connect[key].clone());
    let expected = json!({
        "type": "websocket.connect", "seq": 0, "reply_channel": same[0], "connection": same[1], "path": "/ws/room/blue/",
        "kwargs": {"room": "blue"}, "user": null, "query_string": "a=1", "subprotocols": ["one", "two"],
        "channel": "rooms",
    });
    assert_eq!(connect, expected);

    client.send_text("Grüße 🌊").await;
    let expected = json!({
        "type": "websocket.receive", "seq": 1, "reply_channel": same[0], "connection": same[1], "path": "/ws/room/blue/",
        "kwargs": {"room": "blue"}, "user": null, "text": "Grüße 🌊", "channel": "rooms",
    });
    assert_eq!(told(&mut client).await, expected);
    client.send(frame(0x82, &[1, 2, 255])).await;
    let answer = client.frame().await;
    assert_eq!((answer.first, answer.payload), (0x82, vec![255, 2, 1]));

    // The route's groups, and those that the worker puts the client in.
    client.send_text("all room_blue").await;
    assert_eq!(client.text().await, "to all of room_blue");
    assert_eq!(told(&mut client).await["seq"], 3);
    client.send_text("join watchers").await;
    assert_eq!(told(&mut client).await["seq"], 4);
    client.send_text("event watchers").await;
    assert_eq!(told(&mut client).await, json!({"type": "chat.message", "room": "watchers"}));
    assert_eq!(told(&mut client).await["seq"], 5);

    // A client that leaves, in its own words and without any.
    let mut second = Raw::websocket(site.address, "/ws/room/red/").await;
    told(&mut second).await;
    second.send(close(4001, "gone home")).await;
    assert_eq!(second.frame().await.close_code(), 4001);
    drop(second);
    let left = told(&mut client).await;
    let expected = json!(["websocket.disconnect", 1, 4001, "gone home", {"room": "red"}]);
    assert_eq!(json!([left["type"], left["seq"], left["code"], left["reason"], left["kwargs"]]), expected);
    let mut third = Raw::websocket(site.address, "/ws/room/red/").await;
    told(&mut third).await;
    drop(third);
    assert_eq!(told(&mut client).await["code"], 1006);

    client.send_text("leave watchers").await;
    assert_eq!(told(&mut client).await["seq"], 6);
    client.send_text("event watchers").await;
    assert_eq!(told(&mut client).await["seq"], 7);
    client.send_text("close 4242").await;
    let frame = client.frame().await;
    assert_eq!((frame.close_code(), &frame.payload[2..]), (4242, &b"as asked"[..]));
}

#[tokio::test]
async fn a_python_worker_answers_clients_over_core() {
    a_python_worker_answers("core").await;
}

#[tokio::test]
async fn a_python_worker_answers_clients_over_pubsub() {
    a_python_worker_answers("pubsub").await;
}

#[tokio::test]
async fn a_worker_refuses_clients_and_puts_them_in_groups_by_channels_own_call() {
    let (_redis, _folder, site, _worker) = started("core", "", &["rooms"]).await;
    let mut refused = Raw::connect(site.address).await;
    refused.send(handshake("/ws/room/closed/", "")).await;
    assert_eq!(refused.head().await.status, 403);
    let mut client = Raw::websocket(site.address, "/ws/room/blue/").await;
    told(&mut client).await;
    client.send_text("group_add mine").await;
    assert_eq!(told(&mut client).await["text"], "group_add mine");
    client.send_text("event mine").await;
    assert_eq!(told(&mut client).await, json!({"type": "chat.message", "room": "mine"}));
}

#[tokio::test]
async fn shards_pin_each_client_to_one_of_several_channels() {
    let (_redis, _folder, site, _worker) = started("core", "shards = 2", &["rooms-0", "rooms-1"]).await;
    let mut used = std::collections::BTreeSet::new();
    // That 40 clients all get the same of two channels happens once in 2^39 runs.
    for _ in 0..40 {
        let mut client = Raw::websocket(site.address, "/ws/room/blue/").await;
        let channel = told(&mut client).await["channel"].clone();
        for _ in 0..3 {
            client.send_text("again").await;
            assert_eq!(told(&mut client).await["channel"], channel);
        }
        used.insert(channel.as_str().unwrap().to_owned());
    }
    assert_eq!(Vec::from_iter(used), ["rooms-0", "rooms-1"]);
}

/// A site on Redis lists without any worker.
fn without_workers(more: &str) -> (RedisServer, Folder, Site) {
    let redis = RedisServer::start();
    let text = config(&redis, "redis", more).replace("\"40s\"", "\"200ms\"");
    let folder = Folder::with(&text);
    let site = folder.start();
    (redis, folder, site)
}

#[tokio::test]
async fn without_a_worker_no_client_is_accepted() {
    let (_redis, _folder, site) = without_workers("");
    let mut client = Raw::connect(site.address).await;
    client.send(handshake("/ws/room/blue/", "")).await;
    assert_eq!(client.head().await.status, 503);
}

#[tokio::test]
async fn who_is_accepted_at_once_is_told_when_the_workers_channel_is_full() {
    let (_redis, _folder, site) = without_workers("accept = \"at_once\"");
    let mut client = Raw::websocket(site.address, "/ws/room/blue/").await;
    for _ in 0..3 {
        client.send_text("hello").await;
    }
    // The arrival and two messages wait for a worker; there is no room for a third.
    assert_eq!(told(&mut client).await["code"], "worker_busy");
    let mut second = Raw::connect(site.address).await;
    second.send(handshake("/ws/room/blue/", "")).await;
    assert_eq!(second.head().await.status, 503);
}

#[test]
fn check_warns_of_layers_that_do_not_carry_a_message_to_one_worker() {
    let told = |backend: &str| {
        let text = "debug = true\n[channel_layers.default]\nbackend = \"BACKEND\"\n[[websocket]]\npath = \"ws/\"\n\
                    consumer = \"worker\"\nchannel = \"rooms\"\n";
        let folder = Folder::with(&text.replace("BACKEND", backend));
        let checked = folder.run(&["check", "--offline"]);
        assert!(checked.status.success() && stdout_of(&checked).contains("nothing is wrong"));
        stderr_of(&checked)
    };
    assert_eq!(told("redis"), "");
    let warning = told("redis-pubsub");
    assert!(warning.starts_with("warning: the config file has a warning\n\n"), "{warning}");
    assert!(
        warning.contains("solent.toml:6:12: on redis-pubsub every worker that listens hears"),
        "{warning}"
    );
    assert!(told("memory").contains("no worker of another process"), "{}", told("memory"));
}
