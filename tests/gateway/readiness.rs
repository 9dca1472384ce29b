//! `/readyz` as who runs a site meets it: not ready for each thing that is away, and ready once it is back.

use std::net::SocketAddr;

use serde_json::Value;
use tokio::net::TcpListener;

use super::binary::{Folder, Site};
use super::postgres::Postgres;
use super::raw::{Raw, handshake};
use super::redis::{RedisServer, free_port};
use super::visitor::get;
use super::waiting::{PATIENCE, eventually_async};

/// What the admin listener says: its status, and what is not ready.
async fn away(admin: SocketAddr) -> (u16, Vec<String>) {
    let (head, told) = get(admin, "/readyz", "").await;
    let told: Value = serde_json::from_str(&told).unwrap();
    let checks = told["checks"].as_array().unwrap().iter().filter(|check| check["ready"] == false);
    let names = checks.map(|check| {
        assert!(check["reason"].as_str().is_some_and(|reason| !reason.is_empty()), "{check}");
        check["name"].as_str().unwrap().to_owned()
    });
    (head.status, names.collect())
}

/// Waits until exactly this is away.
async fn until_away(admin: SocketAddr, what: &[&str]) {
    let status = if what.is_empty() { 200 } else { 503 };
    let said = format!("{what:?} is away");
    eventually_async(&said, 6 * PATIENCE, async || {
        let (found, names) = away(admin).await;
        assert_eq!(found == 200, names.is_empty(), "{names:?}");
        found == status && names == what
    })
    .await;
    assert_eq!(get(admin, "/healthz", "").await.0.status, 200, "alive, whatever is away");
}

fn config(admin: u16, postgres: &Postgres, redis: &RedisServer, behind: SocketAddr) -> String {
    format!(
        r#"
debug = true
secret_key = "only-for-tests"
allowed_hosts = ["127.0.0.1"]
allowed_origins = ["*"]

[server]
bind = ["127.0.0.1:0"]

[admin]
bind = "127.0.0.1:{admin}"

[database]
url = "{}"

[channel_layers.default]
backend = "redis-pubsub"
hosts = ["{}"]

[limits]
drain_delay = "60s"
drain_time = "1s"

[[http]]
path = "behind/"
proxy = "http://{behind}"

[[http]]
path = "page/"
respond = {{ body = "page" }}

[[websocket]]
path = "ws/"
consumer = "echo"
"#,
        postgres.database("site"),
        redis.url()
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_ready_when_database_layer_and_servers_behind_are_there_and_it_is_not_draining() {
    let (mut postgres, mut redis) = (Postgres::start(), RedisServer::start());
    let behind = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = behind.local_addr().unwrap();
    let port = free_port();
    let admin = SocketAddr::from(([127, 0, 0, 1], port));
    let folder = Folder::with(&config(port, &postgres, &redis, address));
    let site = folder.start();
    until_away(admin, &[]).await;
    postgres.stop();
    until_away(admin, &["database"]).await;
    redis.kill();
    until_away(admin, &["layer default", "database"]).await;
    postgres.resume();
    until_away(admin, &["layer default"]).await;
    redis.restart();
    until_away(admin, &[]).await;
    drop(behind);
    until_away(admin, &[&format!("upstream http://{address}")]).await;
    let _behind = TcpListener::bind(address).await.unwrap();
    until_away(admin, &[]).await;
    draining(&site, admin).await;
}

/// For `drain_delay` pages are still served and sockets refused; the admin listener answers on.
async fn draining(site: &Site, admin: SocketAddr) {
    site.signal("TERM");
    until_away(admin, &["server"]).await;
    assert_eq!(get(site.address, "/page/", "").await.1, "page");
    let mut raw = Raw::connect(site.address).await;
    raw.send(handshake("/ws/", "")).await;
    let head = raw.head().await;
    assert!(head.status == 503 && head.header("retry-after").is_some(), "{}", head.text);
}
