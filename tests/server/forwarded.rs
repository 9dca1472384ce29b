//! Behind proxies: whose word on the client counts, and where it reaches.

use std::io::Write;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::sync::{Arc, Mutex};

use solent::server::{AccessLog, Network, Server};

use crate::raw::{Raw, handshake};
use crate::site::{Lines, Site};

const FORWARDED: &str =
    "X-Forwarded-For: 6.6.6.6, 192.0.2.7\r\nX-Forwarded-Proto: https\r\nX-Request-ID: abc-1\r\n";

fn networks(texts: &[&str]) -> Vec<Network> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

async fn behind(trusted: &[&str], build: impl FnOnce(Server) -> Server) -> Site {
    let trusted = networks(trusted);
    Site::serve(|server| build(server.access_log(AccessLog::off()).trusted_proxies(trusted))).await
}

fn get(path: &str, headers: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: a\r\n{headers}\r\n")
}

#[tokio::test]
async fn j12_a_trusted_proxy_tells_the_client_the_scheme_and_the_request_id() {
    let site = behind(&["127.0.0.0/8"], |server| server).await;
    let mut raw = Raw::connect(site.address()).await;
    raw.send(get("/client", FORWARDED)).await;
    let (head, body) = raw.response().await;
    assert_eq!(body, "192.0.2.7 https abc-1");
    assert_eq!(head.header("x-request-id"), Some("abc-1"));
}

#[tokio::test]
async fn the_word_of_others_is_ignored_and_a_request_id_is_made() {
    let site = behind(&["10.0.0.0/8", "unix"], |server| server).await;
    let mut raw = Raw::connect(site.address()).await;
    let mut ids = Vec::new();
    for _ in 0..2 {
        raw.send(get("/client", FORWARDED)).await;
        let (head, body) = raw.response().await;
        let id = head.header("x-request-id").unwrap().to_owned();
        assert_eq!(body, format!("127.0.0.1 http {id}"));
        assert!(id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
        ids.push(id);
    }
    assert_ne!(ids[0], ids[1]);
}

#[tokio::test]
async fn a_request_id_that_could_forge_log_lines_is_not_taken() {
    let site = behind(&["127.0.0.1"], |server| server).await;
    let mut raw = Raw::connect(site.address()).await;
    raw.send(get("/client", "X-Request-ID: a b\r\n")).await;
    let (head, _) = raw.response().await;
    assert_eq!(head.header("x-request-id").unwrap().len(), 32);
}

#[tokio::test]
async fn every_answer_bears_a_request_id() {
    let site = Site::start().await;
    for bytes in [
        get("/", ""),
        get("/nowhere", ""),
        get("/%ff", ""),
        "GET / HTTP/1.1\r\n\r\n".to_owned(),
        handshake("/ws/", ""),
        handshake("/nowhere/", ""),
    ] {
        let mut raw = Raw::connect(site.address()).await;
        raw.send(&bytes).await;
        let head = raw.head().await;
        assert_eq!(head.header("x-request-id").map(str::len), Some(32), "{bytes:?}: {}", head.text);
    }
}

#[tokio::test]
async fn a_proxy_on_a_unix_socket_can_be_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("solent.sock");
    let bind = format!("unix:{}", path.display());
    let site = behind(&["unix"], |server| server.bind(bind)).await;
    let answer = tokio::task::spawn_blocking(move || {
        let mut stream = StdUnixStream::connect(path).unwrap();
        stream.write_all(get("/client", &format!("{FORWARDED}Connection: close\r\n")).as_bytes()).unwrap();
        std::io::read_to_string(stream).unwrap()
    });
    let answer = answer.await.unwrap();
    assert!(answer.ends_with("192.0.2.7 https abc-1"), "{answer}");
    drop(site);
}

#[tokio::test]
async fn the_access_log_names_the_client_that_the_proxy_tells() {
    let lines = Lines::default();
    let log = AccessLog::text_to(lines.clone());
    let site = behind(&["127.0.0.1"], |server| server.access_log(log)).await;
    let mut raw = Raw::connect(site.address()).await;
    raw.send(get("/", FORWARDED)).await;
    raw.response().await;
    let mut socket = Raw::connect(site.address()).await;
    socket.send(handshake("/ws/", FORWARDED)).await;
    assert_eq!(socket.head().await.status, 101);
    let found = lines.wait(5).await;
    assert!(found[2].starts_with("HTTP GET / 200 [") && found[2].ends_with(", 192.0.2.7]"), "{found:?}");
    assert_eq!(found[3], "WebSocket HANDSHAKING /ws/ [192.0.2.7]");
    assert_eq!(found[4], "WebSocket CONNECT /ws/ [192.0.2.7]");
}

#[tokio::test]
async fn the_limit_per_address_counts_the_clients_behind_a_proxy() {
    let mut limits = solent::Limits::default();
    limits.connections_per_address = Some(2);
    let site = behind(&["127.0.0.1"], |server| server.limits(limits)).await;
    let from = |client: &str| format!("X-Forwarded-For: {client}\r\n");
    let mut open = Vec::new();
    for client in ["192.0.2.1", "192.0.2.1", "192.0.2.2", "192.0.2.2"] {
        open.push(Raw::websocket_with(site.address(), "/ws/", &from(client)).await);
    }
    let mut refused = Raw::connect(site.address()).await;
    refused.send(handshake("/ws/", &from("192.0.2.1"))).await;
    assert_eq!(refused.head().await.status, 429);
    let mut refused = Raw::connect(site.address()).await;
    refused.send(get("/", &from("192.0.2.2"))).await;
    assert_eq!(refused.head().await.status, 429);
    drop(open.remove(0));
    let mut status = 429;
    while status == 429 {
        let mut again = Raw::connect(site.address()).await;
        again.send(get("/", &from("192.0.2.1"))).await;
        status = again.head().await.status;
    }
    assert_eq!(status, 200, "a place that was left can be taken");
}

/// What a log collector was told.
#[derive(Clone, Default)]
struct Collected(Arc<Mutex<Vec<u8>>>);

impl Write for Collected {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn log_entries_bear_the_request_id_and_ignored_fields_are_told_once() {
    let collected = Collected::default();
    let writer = collected.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    // The current-thread runtime runs all of the server on this thread.
    let _default = tracing::subscriber::set_default(subscriber);
    let site = behind(&["10.0.0.0/8"], |server| server).await;
    for _ in 0..2 {
        let mut raw = Raw::connect(site.address()).await;
        raw.send(handshake("/nowhere/", FORWARDED)).await;
        let head = raw.head().await;
        let id = head.header("x-request-id").unwrap().to_owned();
        let text = String::from_utf8(collected.0.lock().unwrap().clone()).unwrap();
        let entry = text.lines().find(|line| line.contains("handshake refused") && line.contains(&id));
        assert!(entry.is_some(), "{text}");
    }
    let text = String::from_utf8(collected.0.lock().unwrap().clone()).unwrap();
    assert!(text.matches("are ignored; told once").count() <= 1, "{text}");
}
