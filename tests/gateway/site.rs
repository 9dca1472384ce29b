//! Sites that a file describes, served by the binary and met over raw sockets.

use std::time::Duration;

use serde_json::json;

use super::binary::{Folder, solent};
use super::raw::{Raw, frame};
use super::visitor::get;
use super::waiting::Pace;

const SITE: &str = r#"
debug = true
allowed_hosts = ["127.0.0.1"]
allowed_origins = ["*"]

[server]
bind = ["127.0.0.1:0"]

[limits]
drain_time = "100ms"

[channel_layers.default]
backend = "memory"

[[http]]
path = "hello/<slug:name>/"
name = "hello"
cache = "60s"
respond = { status = 203, headers = { x-a = "b", content-type = "text/css" }, body = "hello" }

[[http]]
path = "old/<slug:name>/<int:n>/"
redirect = { name = "hello" }

[[http]]
path = "away/"
redirect = { url = "https://example.com/?a=b", permanent = true }
cache = "never"

[[http]]
path = "files/"
static = "files"

[[http]]
path = "events/"
events = { groups = ["one"] }

[[websocket]]
path = "ws/echo/"
consumer = "echo"
max_message_size = "16B"

[[websocket]]
path = "ws/room/<slug:room>/"
consumer = "chat"
group = "room_{room}"
connections_per_address = 2

[[websocket]]
path = "ws/relay/"
consumer = "relay"
groups = ["one", "two"]
on_error = "close"

[[websocket]]
path = "ws/listen/"
consumer = "listen"
group = "one"

[[websocket]]
path = "ws/rate/"
consumer = "echo"
rate = { connection = "1/h", burst = 3 }
"#;

fn folder() -> Folder {
    let folder = Folder::with(SITE);
    folder.write("files/a/b.txt", "a file");
    folder
}

#[test]
fn the_banner_tells_where_it_listens_and_a_signal_ends_it() {
    let folder = folder();
    let mut site = folder.start();
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        site.banner,
        format!("Starting Solent {version} development server at http://{}/", site.address)
    );
    assert_eq!(site.line(), "Quit the server with CONTROL-C.");
    assert_eq!(site.stop(), Some(0));
}

#[tokio::test]
async fn l6_pages_respond_redirect_and_serve_files() {
    let folder = folder();
    let site = folder.start();
    let (head, body) = get(site.address, "/hello/you/", "").await;
    assert_eq!((head.status, body.as_str()), (203, "hello"));
    assert_eq!((head.header("x-a"), head.header("content-type")), (Some("b"), Some("text/css")));
    assert_eq!(head.header("cache-control"), None, "only a 200 may be kept: {}", head.text);
    assert_eq!(get(site.address, "/old/you/7/", "").await.0.header("location"), Some("/hello/you/"));
    let (head, _) = get(site.address, "/away/", "").await;
    assert_eq!((head.status, head.header("location")), (301, Some("https://example.com/?a=b")));
    assert_eq!(head.header("cache-control"), Some("no-store"));
    assert_eq!(get(site.address, "/files/a/b.txt", "").await.1, "a file");
    assert_eq!(get(site.address, "/files/../solent.toml", "").await.0.status, 404);
    assert_eq!(get(site.address, "/nothing/", "").await.0.status, 404);
    assert_eq!(get(site.address, "/static/css/base.css", "").await.0.status, 200);
    let mut raw = Raw::connect(site.address).await;
    raw.send("POST /old/you/7/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n").await;
    assert_eq!(raw.response().await.0.status, 405);
    let mut raw = Raw::connect(site.address).await;
    raw.send("GET /hello/you/ HTTP/1.1\r\nHost: evil.example\r\n\r\n").await;
    assert_eq!(raw.response().await.0.status, 400);
}

#[tokio::test]
async fn without_the_cache_a_changed_file_is_served_at_once() {
    let folder = Folder::with(
        r#"
debug = false
allowed_hosts = ["127.0.0.1"]

[server]
bind = ["127.0.0.1:0"]

[static]
dir = "files"
cache = "off"

[[http]]
path = "more/"
static = "files"
"#,
    );
    folder.write("files/a.txt", "old");
    let site = folder.start();
    for text in ["one", "two", "three"] {
        folder.write("files/a.txt", text);
        assert_eq!(get(site.address, "/static/a.txt", "").await.1, text);
        assert_eq!(get(site.address, "/more/a.txt", "").await.1, text);
    }
}

#[tokio::test]
async fn a_site_for_any_host_misses_none_in_http_1_0() {
    for (hosts, status) in [("*", 200), ("127.0.0.1", 400)] {
        let config =
            format!("debug = true\nallowed_hosts = [\"{hosts}\"]\n[server]\nbind = [\"127.0.0.1:0\"]\n");
        let folder =
            Folder::with(&format!("{config}[[http]]\npath = \"\"\nrespond = {{ body = \"one\" }}\n"));
        let site = folder.start();
        let mut raw = Raw::connect(site.address).await;
        raw.send("GET / HTTP/1.0\r\n\r\n").await;
        assert_eq!(raw.response().await.0.status, status, "{hosts}");
    }
}

#[tokio::test]
async fn echo_gives_text_as_text_and_bytes_as_bytes() {
    let folder = folder();
    let site = folder.start();
    let mut raw = Raw::websocket(site.address, "/ws/echo/").await;
    raw.send_text("hi").await;
    assert_eq!(raw.text().await, "hi");
    raw.send(frame(0x82, &[1, 2])).await;
    let back = raw.frame().await;
    assert_eq!((back.first, back.payload), (0x82, vec![1, 2]));
    raw.send_text("more than sixteen bytes").await;
    assert_eq!(raw.frame().await.close_code(), 1009);
}

#[tokio::test]
async fn chat_reaches_its_room_and_tells_mistakes_to_the_sender_alone() {
    let folder = folder();
    let site = folder.start();
    let mut first = Raw::websocket(site.address, "/ws/room/a/").await;
    let mut second = Raw::websocket(site.address, "/ws/room/a/").await;
    for (sent, code) in [(r#"{"message": " "}"#, "empty"), ("[", "malformed"), ("{}", "malformed")] {
        first.send_text(sent).await;
        assert_eq!(first.frame().await.json()["code"], code);
    }
    first.send_text(&json!({ "message": "x".repeat(4097) }).to_string()).await;
    assert_eq!(first.frame().await.json()["code"], "too_long");
    first.send_text(r#"{"message": "hi"}"#).await;
    for member in [&mut first, &mut second] {
        let event = member.frame().await.json();
        let time = event["time"].as_str().unwrap().to_owned();
        assert_eq!(event, json!({"type": "chat.message", "message": "hi", "user": "", "time": time}));
        assert!(time.ends_with('Z'));
    }
}

#[tokio::test]
async fn an_address_has_only_so_many_sockets_of_a_route() {
    let folder = folder();
    let site = folder.start();
    let _first = Raw::websocket(site.address, "/ws/room/a/").await;
    let second = Raw::websocket(site.address, "/ws/room/b/").await;
    let mut third = Raw::connect(site.address).await;
    third.send(super::raw::handshake("/ws/room/c/", "")).await;
    assert_eq!(third.head().await.status, 429);
    drop(second);
    let deadline = tokio::time::Instant::now() + super::raw::PATIENCE;
    loop {
        let mut again = Raw::connect(site.address).await;
        again.send(super::raw::handshake("/ws/room/c/", "")).await;
        if again.head().await.status == 101 {
            break;
        }
        assert!(tokio::time::Instant::now() < deadline, "the place was not given back");
    }
}

#[tokio::test]
async fn relay_passes_any_json_on_and_listen_only_hears() {
    let folder = folder();
    let site = folder.start();
    let mut relay = Raw::websocket(site.address, "/ws/relay/").await;
    let mut listen = Raw::websocket(site.address, "/ws/listen/").await;
    relay.send_text(r#"{"x": [1, null]}"#).await;
    let expected = json!({"type": "relay.message", "message": {"x": [1, null]}, "user": ""});
    assert_eq!(relay.frame().await.json(), expected);
    assert_eq!(relay.frame().await.json(), expected, "it is in both groups");
    assert_eq!(listen.frame().await.json(), expected);
    listen.send_text("{}").await;
    assert_eq!(listen.frame().await.json()["code"], "unexpected");
    relay.send_text("not json").await;
    assert_eq!(relay.frame().await.close_code(), 1008);
}

#[tokio::test]
async fn too_many_messages_close_with_4429() {
    let folder = folder();
    let site = folder.start();
    let mut raw = Raw::websocket(site.address, "/ws/rate/").await;
    for _ in 0..3 {
        raw.send_text("hi").await;
        assert_eq!(raw.text().await, "hi");
    }
    raw.send_text("one too many").await;
    assert_eq!(raw.frame().await.close_code(), 4429);
}

#[tokio::test]
async fn compression_is_agreed_on_as_the_file_says() {
    for (key, agreed) in [
        (
            "enabled = true",
            Some("permessage-deflate; server_no_context_takeover; client_no_context_takeover"),
        ),
        ("enabled = false", None),
        ("client_context_takeover = true", Some("permessage-deflate; server_no_context_takeover")),
    ] {
        let folder = folder();
        folder.write("solent.toml", &SITE.replace("[limits]", &format!("[limits]\ncompression.{key}")));
        let site = folder.start();
        let mut raw = Raw::connect(site.address).await;
        let offer = "Sec-WebSocket-Extensions: permessage-deflate\r\n";
        raw.send(super::raw::handshake("/ws/echo/", offer)).await;
        let head = raw.head().await;
        assert_eq!((head.status, head.header("sec-websocket-extensions")), (101, agreed), "{key}");
    }
}

#[tokio::test]
async fn who_keeps_to_the_rate_goes_on_for_ever() {
    let folder = folder();
    folder.write("solent.toml", &SITE.replace("\"1/h\", burst = 3", "\"20/s\", burst = 1"));
    let site = folder.start();
    let mut raw = Raw::websocket(site.address, "/ws/rate/").await;
    for _ in 0..10 {
        // A step begins at once, and each is its own: who was held up does not make up for it.
        let mut pace = Pace::every(Duration::from_millis(100));
        pace.next().await;
        pace.next().await;
        raw.send_text("hi").await;
        assert_eq!(raw.text().await, "hi");
    }
}

#[tokio::test]
async fn j14_the_log_is_json_when_asked_for() {
    let folder = folder();
    folder.write("solent.toml", &SITE.replace("[limits]", "[log]\nformat = \"json\"\n\n[limits]"));
    let mut child = solent();
    let mut child =
        child.arg("--config").arg(folder.config()).stdout(std::process::Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    let mut lines = std::io::BufReader::new(child.stdout.take().unwrap());
    std::io::BufRead::read_line(&mut lines, &mut line).unwrap();
    let start: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!((start["event"].as_str(), start["debug"].as_bool()), (Some("start"), Some(true)));
    child.kill().unwrap();
    child.wait().unwrap();
}

#[tokio::test]
async fn events_of_a_group_are_an_event_stream() {
    let folder = folder();
    let site = folder.start();
    let mut stream = Raw::connect(site.address).await;
    stream.send("GET /events/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").await;
    let head = stream.head().await;
    assert_eq!((head.status, head.header("content-type")), (200, Some("text/event-stream")), "{}", head.text);
    let mut relay = Raw::websocket(site.address, "/ws/relay/").await;
    relay.send_text("[1]").await;
    let mut told = String::new();
    while !told.contains("data:") || !told.ends_with('\n') {
        told.push(char::from(stream.bytes(1).await[0]));
    }
    let data = told.split("data:").nth(1).unwrap();
    let data: serde_json::Value = serde_json::from_str(data.trim()).unwrap();
    assert_eq!(data, json!({"type": "relay.message", "message": [1], "user": ""}));
}

#[tokio::test]
async fn the_programs_own_error_page_has_its_style_whatever_the_sites_policy_says() {
    let policy =
        "debug = true\nallowed_hosts = [\"127.0.0.1\"]\ncontent_security_policy = \"default-src 'self'\"\n";
    let folder = Folder::with(&format!("{policy}[server]\nbind = [\"127.0.0.1:0\"]\n"));
    let site = folder.start();
    let mut raw = Raw::connect(site.address).await;
    raw.send("GET /nothing/ HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/html\r\n\r\n").await;
    let (head, page) = raw.response().await;
    let nonce = page.split("<style nonce=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let policy = head.header("content-security-policy").unwrap();
    assert!(nonce.len() == 32 && policy.contains(&format!("style-src 'nonce-{nonce}'")), "{policy}");
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
}
