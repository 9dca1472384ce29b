//! `channel_layers.*.sentinel`: a site finds its Redis by real Sentinels, and goes on through a fail-over.

use std::time::{Duration, Instant};

use super::binary::{Folder, stderr_of};
use super::raw::Raw;
use super::redis::RedisServer;
use super::waiting::eventually_async;

/// How long a fail-over may take.
const PATIENCE: Duration = Duration::from_secs(60);

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    eventually_async(what, PATIENCE, async || holds()).await;
}

/// A master, a replica that is in step with it, and a Sentinel that knows both.
async fn rig() -> (RedisServer, RedisServer, RedisServer) {
    let master = RedisServer::start();
    let replica = RedisServer::with(&["--replicaof", "127.0.0.1", &master.port().to_string()]);
    let is_in_step = || replica.run::<String>(&["INFO", "replication"]).contains("master_link_status:up");
    until("the replica is in step", is_in_step).await;
    let file = tempfile::NamedTempFile::new().unwrap();
    let port = master.port();
    let settings = format!(
        "sentinel monitor solent 127.0.0.1 {port} 1\nsentinel down-after-milliseconds solent 500\n\
         sentinel failover-timeout solent 2000\n"
    );
    std::fs::write(file.path(), settings).unwrap();
    let sentinel = RedisServer::sentinel(file);
    until("the Sentinel knows the replica", || {
        let info = sentinel.run::<String>(&["INFO", "sentinel"]);
        info.contains("status=ok") && info.contains("slaves=1")
    })
    .await;
    (master, replica, sentinel)
}

fn site(backend: &str, sentinel: &RedisServer) -> Folder {
    // The second Sentinel is not there: one that answers suffices.
    Folder::with(&format!(
        r#"
debug = true
allowed_hosts = ["127.0.0.1"]
allowed_origins = ["*"]

[server]
bind = ["127.0.0.1:0"]

[limits]
drain_time = "100ms"

[channel_layers.default]
backend = "{backend}"
hosts = ["redis://nowhere.invalid/0"]
sentinel = {{ master = "solent", hosts = ["redis://127.0.0.1:1", "{}"] }}
connect_time = "2s"
response_time = "1s"

[[websocket]]
path = "ws/room/"
consumer = "relay"
group = "room"
"#,
        sentinel.url()
    ))
}

async fn a_site_follows_a_fail_over(backend: &str) {
    let (mut master, replica, sentinel) = rig().await;
    let folder = site(backend, &sentinel);
    let checked = folder.run(&["layer", "check"]);
    assert!(checked.status.success(), "{}", stderr_of(&checked));
    let site = folder.start();
    let mut client = Raw::websocket(site.address, "/ws/room/").await;
    client.send_text("1").await;
    assert_eq!(client.frame().await.json()["message"], 1);

    master.kill();
    until("the Sentinel promotes the replica", || {
        // Its clients are disconnected while it is promoted, this one as well.
        let info = replica.try_run::<String>(&["INFO", "replication"]);
        info.is_ok_and(|info| info.contains("role:master"))
    })
    .await;
    // While the layer looks for its new master, messages may get lost, which the client is told of.
    let patience = Instant::now() + PATIENCE;
    loop {
        assert!(Instant::now() < patience, "no message came through the new master");
        client.send_text("2").await;
        let heard = tokio::time::timeout(Duration::from_millis(300), client.frame()).await;
        if heard.is_ok_and(|frame| frame.json()["message"] == 2) {
            break;
        }
    }
    // Who comes now reaches who was there before.
    let mut newcomer = Raw::websocket(site.address, "/ws/room/").await;
    newcomer.send_text("3").await;
    while client.frame().await.json()["message"] != 3 {}
    assert_eq!(site.stop(), Some(0));
}

#[tokio::test]
async fn a_site_on_redis_pubsub_follows_its_sentinels_through_a_fail_over() {
    a_site_follows_a_fail_over("redis-pubsub").await;
}

#[tokio::test]
async fn a_site_on_redis_follows_its_sentinels_through_a_fail_over() {
    a_site_follows_a_fail_over("redis").await;
}
