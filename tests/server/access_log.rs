//! The banner and the access log, letter for letter.

use serde_json::{Value, json};
use solent::server::AccessLog;

use crate::raw::{Raw, close, handshake};
use crate::site::{GET, Lines, Site};

async fn site(debug: bool, log: impl Fn(Lines) -> AccessLog) -> (Site, Lines) {
    let lines = Lines::default();
    let site = Site::serve(|server| server.debug(debug).access_log(log(lines.clone()))).await;
    (site, lines)
}

/// One visit: a page, an error, a socket that is opened and closed, one that is refused. The clients' addresses.
async fn visit(site: &Site) -> Vec<String> {
    let mut clients = Vec::new();
    let mut raw = Raw::connect(site.address()).await;
    clients.push(raw.stream.local_addr().unwrap().to_string());
    raw.send(GET).await;
    raw.response().await;
    raw.send("POST /no/such/page?token=secret HTTP/1.1\r\nHost: a\r\n\r\n").await;
    raw.response().await;
    raw.send("GET / HTTP/1.1\r\n\r\n").await;
    raw.response().await;
    let mut raw = Raw::connect(site.address()).await;
    clients.push(raw.stream.local_addr().unwrap().to_string());
    raw.send(handshake("/ws/", "")).await;
    raw.head().await;
    raw.send(close(1000, "")).await;
    assert_eq!(raw.frame().await.close_code(), 1000);
    drop(raw);
    let mut raw = Raw::connect(site.address()).await;
    clients.push(raw.stream.local_addr().unwrap().to_string());
    raw.send(handshake("/nowhere/", "")).await;
    raw.response().await;
    clients
}

/// A line with its seconds, which differ from run to run, checked and taken out.
fn without_seconds(line: &str) -> String {
    let (front, rest) = line.split_once('[').unwrap();
    let (seconds, client) = rest.split_once(", ").unwrap();
    let (whole, part) = seconds.split_once('.').unwrap();
    assert!(whole.parse::<u32>().is_ok() && part.len() == 2 && part.parse::<u32>().is_ok(), "{seconds}");
    format!("{front}[…, {client}")
}

#[tokio::test]
async fn j13_and_k1_and_k2_and_l4_one_visit_in_text() {
    let (site, lines) = site(false, AccessLog::text_to).await;
    let clients = visit(&site).await;
    let mut found = lines.wait(11).await;
    for line in found.iter_mut().filter(|line| line.starts_with("HTTP")) {
        *line = without_seconds(line);
    }
    // The end of a socket may be logged after the next client was answered.
    found[5..].sort_by_key(|line| line.contains("/nowhere/"));
    let [page, socket, refused] = &clients[..] else { panic!("three clients") };
    assert_eq!(
        found,
        [
            format!("Starting Solent {} server at http://{}/", env!("CARGO_PKG_VERSION"), site.address()),
            "Quit the server with CONTROL-C.".to_owned(),
            format!("HTTP GET / 200 […, {page}]"),
            format!("HTTP POST /no/such/page 404 […, {page}]"),
            format!("HTTP GET / 400 […, {page}]"),
            format!("WebSocket HANDSHAKING /ws/ [{socket}]"),
            format!("WebSocket CONNECT /ws/ [{socket}]"),
            format!("WebSocket DISCONNECT /ws/ [{socket}]"),
            format!("WebSocket HANDSHAKING /nowhere/ [{refused}]"),
            format!("WebSocket REJECT /nowhere/ [{refused}]"),
            format!("WebSocket DISCONNECT /nowhere/ [{refused}]"),
        ]
    );
}

#[tokio::test]
async fn one_visit_in_json() {
    let (site, lines) = site(false, AccessLog::json_to).await;
    let clients = visit(&site).await;
    let (mut found, mut ids) = (Vec::new(), Vec::new());
    for line in lines.wait(10).await {
        let mut value: Value = serde_json::from_str(&line).unwrap();
        let object = value.as_object_mut().unwrap();
        let time = object.remove("time").unwrap();
        assert!(chrono::DateTime::parse_from_rfc3339(time.as_str().unwrap()).is_ok(), "{time}");
        if let Some(seconds) = object.remove("seconds") {
            assert!(seconds.as_f64().unwrap() >= 0.0);
        }
        if let Some(id) = object.remove("request_id") {
            ids.push(id.as_str().unwrap().to_owned());
        }
        found.push(value);
    }
    assert_eq!(ids.len(), 9, "all lines but the banner's name their request");
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 5, "a socket's lines share its handshake's");
    found[4..].sort_by_key(|line| line["path"] == "/nowhere/");
    let [page, socket, refused] = &clients[..] else { panic!("three clients") };
    let url = format!("http://{}/", site.address());
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        found,
        [
            json!({"event": "start", "version": version, "debug": false, "urls": [url]}),
            json!({"event": "http", "method": "GET", "path": "/", "status": 200, "client": page}),
            json!({"event": "http", "method": "POST", "path": "/no/such/page", "status": 404, "client": page}),
            json!({"event": "http", "method": "GET", "path": "/", "status": 400, "client": page}),
            json!({"event": "websocket", "turn": "handshaking", "path": "/ws/", "client": socket}),
            json!({"event": "websocket", "turn": "connect", "path": "/ws/", "client": socket}),
            json!({"event": "websocket", "turn": "disconnect", "path": "/ws/", "client": socket}),
            json!({"event": "websocket", "turn": "handshaking", "path": "/nowhere/", "client": refused}),
            json!({"event": "websocket", "turn": "reject", "path": "/nowhere/", "client": refused}),
            json!({"event": "websocket", "turn": "disconnect", "path": "/nowhere/", "client": refused}),
        ]
    );
}

#[tokio::test]
async fn l3_with_debug_the_banner_says_development() {
    let (site, lines) = site(true, AccessLog::text_to).await;
    let found = lines.wait(2).await;
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        found,
        [
            format!("Starting Solent {version} development server at http://{}/", site.address()),
            "Quit the server with CONTROL-C.".to_owned(),
        ]
    );
}

#[tokio::test]
async fn k3_the_banner_names_every_address() {
    let lines = Lines::default();
    let log = AccessLog::text_to(lines.clone());
    let site = Site::serve(|server| server.bind("127.0.0.1:0").access_log(log)).await;
    let [one, two] = site.running.addresses() else { panic!("two addresses") };
    assert!(lines.wait(1).await[0].ends_with(&format!(" at http://{one}/, http://{two}/")));
}

#[tokio::test]
async fn a_path_cannot_forge_a_line() {
    let (site, lines) = site(false, AccessLog::text_to).await;
    let mut raw = Raw::connect(site.address()).await;
    raw.send("GET /a%0aHTTP%20GET%20/forged HTTP/1.1\r\nHost: a\r\n\r\n").await;
    raw.response().await;
    let found = lines.wait(3).await;
    assert!(found[2].starts_with("HTTP GET /a%0aHTTP%20GET%20/forged 404 ["), "{}", found[2]);
}
