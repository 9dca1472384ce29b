//! The plain binary while Redis is away at its start: an error that names the host, or a site that is not ready yet.

use std::net::SocketAddr;
use std::time::Duration;

use crate::binary::{Folder, Site, solent, stderr_of};
use crate::raw::Raw;
use crate::redis_server::{RedisServer, free_port};
use crate::waiting::{PATIENCE, eventually_async};

fn config(backend: &str, server: &RedisServer, admin: u16, more: &str) -> String {
    format!(
        "debug = true\nallowed_hosts = [\"127.0.0.1\"]\nallowed_origins = [\"*\"]\n[server]\nbind = [\"127.0.0.1:0\"]\n\
         [admin]\nbind = \"127.0.0.1:{admin}\"\n\
         [channel_layers.default]\nbackend = \"{backend}\"\nhosts = [[\"127.0.0.1\", {}]]\n{more}\
         [[websocket]]\npath = \"ws/\"\nconsumer = \"relay\"\ngroups = [\"lobby\"]\n",
        server.port()
    )
}

async fn readiness(admin: u16) -> (u16, String) {
    let mut raw = Raw::connect(SocketAddr::from(([127, 0, 0, 1], admin))).await;
    raw.send("GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").await;
    let (head, body) = raw.response().await;
    (head.status, body)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_site_whose_redis_refuses_does_not_start_and_names_the_host() {
    let mut server = RedisServer::start();
    server.kill();
    for backend in ["redis-pubsub", "redis"] {
        let folder = Folder::with(&config(backend, &server, free_port(), ""));
        let output = folder.run(&["run"]);
        assert!(!output.status.success());
        let told = stderr_of(&output);
        assert!(told.contains(&format!("127.0.0.1:{}", server.port())), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_site_that_starts_without_its_layer_is_not_ready_until_redis_is_there() {
    for backend in ["redis-pubsub", "redis"] {
        let mut server = RedisServer::start();
        server.kill();
        let admin = free_port();
        let folder = Folder::with(&config(backend, &server, admin, "start_without_layer = true\n"));
        let site = Site::start_unheard(solent().arg("--config").arg(folder.config()));
        let (status, told) = readiness(admin).await;
        assert!(status == 503 && told.contains("layer default"), "{backend}: {told}");
        server.restart();
        eventually_async("ready", PATIENCE, async || readiness(admin).await.0 == 200).await;
        let (mut one, mut two) =
            (Raw::websocket(site.address, "/ws/").await, Raw::websocket(site.address, "/ws/").await);
        one.send_text(r#"{"n":1}"#).await;
        for member in [&mut one, &mut two] {
            assert_eq!(member.frame().await.json()["message"]["n"], 1);
        }
        server.kill();
        eventually_async("not ready again", PATIENCE, async || readiness(admin).await.0 == 503).await;
        assert!(tokio::time::timeout(Duration::from_millis(50), two.frame()).await.is_err(), "it stays open");
    }
}
