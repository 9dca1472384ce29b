//! The admin listener: alive, ready, and figures that equal what clients have counted.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use solent::consumer::{Context, WebsocketConsumer, consumer};
use solent::http::Request;
use solent::http::proxy::Proxy;
use solent::layers::{Event, GroupName, MemoryChannelLayer, Value};
use solent::routing::{ProtocolTypeRouter, UrlRouter, ViewRouter, include, path};
use solent::server::{AccessLog, Running, Server};
use solent::websocket::Message;
use solent::{Error, Limits, Result};

use crate::raw::{Head, Raw, close, frame, handshake};
use crate::site::Site;
use crate::waiting::until;

/// What one sends, all in the room get.
struct Room(GroupName);

impl WebsocketConsumer for Room {
    type Event = Value;

    async fn connect(ctx: &mut Context) -> Result<Self> {
        let group = GroupName::new("room")?;
        ctx.group_add(&group).await?;
        ctx.accept().await?;
        Ok(Self(group))
    }

    async fn receive(&mut self, ctx: &mut Context, message: Message) -> Result<()> {
        let event = serde_json::json!({"type": "said", "text": message.as_text()?});
        ctx.group_send(&self.0, &event).await?;
        Ok(())
    }

    async fn event(&mut self, ctx: &mut Context, event: Event<Value>) -> Result<()> {
        ctx.send_event(&event).await
    }
}

/// Sends every message back.
struct Echo;

impl WebsocketConsumer for Echo {
    type Event = Value;

    async fn connect(ctx: &mut Context) -> Result<Self> {
        ctx.accept().await?;
        Ok(Self)
    }

    async fn receive(&mut self, ctx: &mut Context, message: Message) -> Result<()> {
        ctx.send(message).await
    }
}

async fn hello(_: Request) -> &'static str {
    "hello"
}

async fn start() -> Running {
    let gone = Proxy::new("http://127.0.0.1:1".parse().unwrap());
    let views = ViewRouter::new([path("", hello), include("gone/", gone)]).unwrap();
    let sockets =
        UrlRouter::new([path("ws/room/", consumer::<Room>()), path("ws/<int:n>/", consumer::<Echo>())])
            .unwrap();
    let app = ProtocolTypeRouter::new().http(views).websocket(sockets);
    let server = Server::new(app).channel_layer(MemoryChannelLayer::new()).access_log(AccessLog::off());
    server.bind("127.0.0.1:0").admin("0").start().await.unwrap()
}

async fn ask(address: SocketAddr, path: &str) -> (Head, String) {
    let mut raw = Raw::connect(address).await;
    raw.send(format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")).await;
    raw.response().await
}

/// The samples of `/metrics`.
async fn samples(address: SocketAddr) -> BTreeMap<String, f64> {
    let (head, text) = ask(address, "/metrics").await;
    assert_eq!(head.status, 200);
    assert_eq!(head.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            line.rsplit_once(' ').map(|(name, value)| (name.to_owned(), value.parse().unwrap())).unwrap()
        })
        .collect()
}

#[tokio::test]
async fn figures_equal_what_clients_have_counted() {
    let running = start().await;
    let (address, admin) = (running.addresses()[0], running.admin_address().unwrap());
    let (mut messages, mut bytes) = (0, 0);
    let mut sockets = Vec::new();
    for number in 0..12 {
        let mut raw = Raw::websocket(address, &format!("/ws/{number}/")).await;
        for length in [0, 1, 125, 126, 300, 70_000] {
            raw.send(frame(0x82, &vec![7; length])).await;
            assert_eq!(raw.frame().await.payload.len(), length);
            raw.send(frame(0x89, b"ping")).await;
            assert_eq!(raw.frame().await.first, 0x8a, "a pong is no message");
            messages += 1;
            bytes += length;
        }
        sockets.push(raw);
    }
    for mut raw in sockets.drain(..5) {
        raw.send(close(1000, "")).await;
        raw.frame().await;
        assert!(raw.ended().await);
    }
    let mut room = Vec::new();
    for _ in 0..4 {
        room.push(Raw::websocket(address, "/ws/room/").await);
    }
    room[0].send_text("hi").await;
    room[1].send_text("hello").await;
    let mut room_bytes = 0;
    for raw in &mut room {
        for _ in 0..2 {
            room_bytes += raw.frame().await.payload.len();
        }
    }
    for (path, fields, status, count) in
        [("/nowhere/", "", 404, 3), ("/ws/1/", "Sec-WebSocket-Key: again\r\n", 400, 2)]
    {
        for _ in 0..count {
            let mut raw = Raw::connect(address).await;
            raw.send(handshake(path, fields)).await;
            assert_eq!(raw.head().await.status, status);
        }
    }
    for (path, status, count) in [("/", 200, 6), ("/nowhere", 404, 2), ("/gone/x", 502, 3)] {
        for _ in 0..count {
            assert_eq!(ask(address, path).await.0.status, status);
        }
    }
    until(|| running.env().sockets.len() == 11).await;
    let told = samples(admin).await;
    let expected = [
        ("solent_websocket_connections{route=\"ws/<int:n>/\"}", 7),
        ("solent_websocket_connections{route=\"ws/room/\"}", 4),
        ("solent_websocket_connections_opened_total{route=\"ws/<int:n>/\"}", 12),
        ("solent_websocket_connections_opened_total{route=\"ws/room/\"}", 4),
        ("solent_websocket_messages_total{route=\"ws/<int:n>/\",direction=\"in\"}", messages),
        ("solent_websocket_messages_total{route=\"ws/<int:n>/\",direction=\"out\"}", messages),
        ("solent_websocket_bytes_total{route=\"ws/<int:n>/\",direction=\"in\"}", bytes),
        ("solent_websocket_bytes_total{route=\"ws/<int:n>/\",direction=\"out\"}", bytes),
        ("solent_websocket_messages_total{route=\"ws/room/\",direction=\"in\"}", 2),
        ("solent_websocket_bytes_total{route=\"ws/room/\",direction=\"in\"}", 7),
        ("solent_websocket_messages_total{route=\"ws/room/\",direction=\"out\"}", 8),
        ("solent_websocket_bytes_total{route=\"ws/room/\",direction=\"out\"}", room_bytes),
        ("solent_websocket_handshakes_total{result=\"accepted\"}", 16),
        ("solent_websocket_handshakes_total{result=\"refused\"}", 5),
        ("solent_websocket_refusals_total{rule=\"no_route\"}", 3),
        ("solent_websocket_refusals_total{rule=\"repeated\"}", 2),
        ("solent_websocket_handshake_duration_seconds_count", 21),
        ("solent_websocket_handshake_duration_seconds_bucket{le=\"+Inf\"}", 21),
        ("solent_websocket_frames_dropped_total", 0),
        ("solent_http_requests_total{status=\"200\"}", 6),
        ("solent_http_requests_total{status=\"404\"}", 2),
        ("solent_http_requests_total{status=\"502\"}", 3),
        ("solent_http_request_duration_seconds_count", 11),
        ("solent_layer_group_sends_total{layer=\"default\"}", 2),
        ("solent_layer_delivered_total{layer=\"default\"}", 8),
        ("solent_layer_errors_total{layer=\"default\"}", 0),
        ("solent_layer_dropped_total{layer=\"default\",cause=\"mailbox_full\"}", 0),
        ("solent_layer_ready{layer=\"default\"}", 1),
        ("solent_upstream_results_total{upstream=\"http://127.0.0.1:1\",result=\"connect\"}", 3),
        ("solent_upstream_duration_seconds_count{upstream=\"http://127.0.0.1:1\"}", 3),
    ];
    for (name, value) in expected {
        assert_eq!(told.get(name), Some(&(value as f64)), "{name}");
    }
    // Closing the rest loses nothing.
    drop((sockets, room));
    until(|| running.env().sockets.is_empty()).await;
    let after = samples(admin).await;
    for name in expected.iter().map(|(name, _)| *name).filter(|name| name.contains("_total")) {
        assert_eq!(after.get(name), told.get(name), "{name}");
    }
    assert_eq!(after["solent_websocket_connections{route=\"ws/room/\"}"], 0.0);
}

#[tokio::test]
async fn what_frames_were_dropped_is_not_counted_as_sent() {
    struct Flood;

    impl WebsocketConsumer for Flood {
        type Event = Value;

        async fn connect(ctx: &mut Context) -> Result<Self> {
            ctx.accept().await?;
            let handle = ctx.handle();
            let sent = (0..1000).filter(|_| handle.send(&Message::binary(vec![0; 1000]))).count();
            assert!(sent < 1000, "some are dropped");
            Ok(Self)
        }
    }
    let mut limits = Limits::default();
    limits.outbox_bytes = 10_000;
    let sockets = UrlRouter::new([path("ws/", consumer::<Flood>())]).unwrap();
    let server = Server::new(ProtocolTypeRouter::new().websocket(sockets)).limits(limits);
    let running = server.access_log(AccessLog::off()).bind("127.0.0.1:0").admin("0").start().await.unwrap();
    let mut raw = Raw::websocket(running.addresses()[0], "/ws/").await;
    let told = samples(running.admin_address().unwrap()).await;
    let sent = told["solent_websocket_messages_total{route=\"ws/\",direction=\"out\"}"];
    assert_eq!(sent + told["solent_websocket_frames_dropped_total"], 1000.0);
    for _ in 0..sent as usize {
        assert_eq!(raw.frame().await.payload.len(), 1000);
    }
}

#[tokio::test]
async fn it_says_whether_the_server_is_alive_and_ready_and_why_not() {
    let broken = Arc::new(AtomicBool::new(false));
    let database = Arc::clone(&broken);
    let site = Site::serve(|server| {
        let server = server.channel_layer(MemoryChannelLayer::new()).admin("127.0.0.1:0");
        server.access_log(AccessLog::off()).ready_check("database", move || {
            let broken = database.load(Ordering::Relaxed);
            async move { if broken { Err(Error::msg("connection refused")) } else { Ok(()) } }
        })
    })
    .await;
    let admin = site.running.admin_address().unwrap();
    let (head, body) = ask(admin, "/healthz").await;
    assert_eq!((head.status, &*body), (200, "{\"alive\":true}\n"));
    assert_eq!(head.header("cache-control"), Some("no-store"));
    let (head, body) = ask(admin, "/readyz").await;
    assert_eq!(head.status, 200, "{body}");
    broken.store(true, Ordering::Relaxed);
    let (head, body) = ask(admin, "/readyz").await;
    assert_eq!((head.status, head.header("content-type")), (503, Some("application/json")));
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&body).unwrap(),
        serde_json::json!({"ready": false, "checks": [
            {"name": "server", "ready": true},
            {"name": "layer default", "ready": true},
            {"name": "database", "ready": false, "reason": "connection refused"},
        ]})
    );
    assert_eq!(ask(admin, "/healthz").await.0.status, 200);
    assert_eq!(ask(admin, "/").await.0.status, 404);
}

#[tokio::test]
async fn it_answers_until_the_end_of_the_drain_and_is_not_ready_meanwhile() {
    let mut limits = Limits::default();
    limits.drain_delay = Duration::from_millis(300);
    let site = Site::serve(|server| server.limits(limits).admin("0").access_log(AccessLog::off())).await;
    let (admin, open) = (site.running.admin_address().unwrap(), Raw::websocket(site.address(), "/ws/").await);
    let draining = tokio::spawn(site.running.shutdown());
    let mut told = ask(admin, "/readyz").await;
    while told.0.status == 200 {
        told = ask(admin, "/readyz").await;
    }
    assert_eq!(told.0.status, 503);
    assert!(told.1.contains("draining"), "{}", told.1);
    assert_eq!(ask(admin, "/metrics").await.0.status, 200);
    drop(open);
    draining.await.unwrap().unwrap();
    until(|| std::net::TcpStream::connect(admin).is_err()).await;
}

#[tokio::test]
async fn it_tells_who_is_connected_where_since_when() {
    let running = start().await;
    let (address, admin) = (running.addresses()[0], running.admin_address().unwrap());
    let mut first = Raw::websocket(address, "/ws/7/?token=secret").await;
    first.send_text("hello").await;
    first.text().await;
    let port = first.stream.local_addr().unwrap();
    let _others = (Raw::websocket(address, "/ws/8/").await, Raw::websocket(address, "/ws/room/").await);
    until(|| running.env().sockets.len() == 3).await;
    let (head, body) = ask(admin, "/connections").await;
    assert_eq!(head.status, 200);
    assert!(!body.contains("secret"), "no query is told: {body}");
    let mut told: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(told["count"], 3);
    let row = told["connections"][0].as_object_mut().unwrap();
    let since = row.remove("since").unwrap();
    assert!(chrono::DateTime::parse_from_rfc3339(since.as_str().unwrap()).is_ok(), "{since}");
    assert!(row.remove("seconds").unwrap().is_u64());
    assert_eq!(
        told["connections"][0],
        serde_json::json!({
            "route": "ws/<int:n>/", "path": "/ws/7/", "client": port.to_string(), "user": null,
            "messages_in": 1, "messages_out": 1, "bytes_in": 5, "bytes_out": 5,
        })
    );
    for (query, count, listed) in [("?route=ws/room/", 1, 1), ("?limit=2", 3, 2), ("?route=none", 0, 0)] {
        let body = ask(admin, &format!("/connections{query}")).await.1;
        let told: serde_json::Value = serde_json::from_str(&body).unwrap();
        let rows = told["connections"].as_array().unwrap().len();
        assert_eq!((told["count"].as_u64(), rows), (Some(count), listed), "{query}");
    }
    assert_eq!(ask(admin, "/connections?limit=x").await.0.status, 400);
}

#[tokio::test]
async fn on_loopback_it_answers_this_machine_alone() {
    let site = Site::serve(|server| server.admin(":0").access_log(AccessLog::off())).await;
    let admin = site.running.admin_address().unwrap();
    assert!(admin.ip().is_loopback());
    for (fields, status) in [
        ("Host: localhost", 200),
        ("Host: evil.example", 403),
        ("Host: 127.0.0.1\r\nX-Forwarded-For: 192.0.2.1", 403),
    ] {
        let mut raw = Raw::connect(admin).await;
        raw.send(format!("GET /metrics HTTP/1.1\r\n{fields}\r\n\r\n")).await;
        assert_eq!(raw.head().await.status, status, "{fields}");
    }
    let mut raw = Raw::connect(admin).await;
    raw.send("POST /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n").await;
    assert_eq!(raw.head().await.status, 405);
}
