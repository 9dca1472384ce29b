//! A site in front of another server: pages and sockets behind, trusted proxies in front, figures beside.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tungstenite::handshake::derive_accept_key;

use super::binary::{Folder, Site};
use super::raw::{Raw, handshake};
use super::redis::free_port;
use super::visitor::get;

/// A server behind: tells what it was asked, and says “hi” on every socket.
async fn behind() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream));
        }
    });
    address
}

async fn answer(mut stream: TcpStream) {
    loop {
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            let Ok(byte) = stream.read_u8().await else { return };
            request.push(byte);
        }
        let request = String::from_utf8(request).unwrap();
        let reply = match request.split("sec-websocket-key: ").nth(1) {
            Some(key) => format!(
                "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
                 sec-websocket-accept: {}\r\n\r\n\u{1}",
                derive_accept_key(key.lines().next().unwrap().as_bytes())
            ),
            None => format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{request}", request.len()),
        };
        let reply = match reply.strip_suffix('\u{1}') {
            Some(head) => [head.as_bytes(), &[0x81, 2], b"hi"].concat(),
            None => reply.into_bytes(),
        };
        stream.write_all(&reply).await.unwrap();
    }
}

fn config(behind: &str, admin: u16, trusted: &str) -> String {
    format!(
        r#"
debug = true
allowed_hosts = ["127.0.0.1"]
allowed_origins = ["*"]

[server]
bind = ["127.0.0.1:0"]
trusted_proxies = [{trusted}]

[limits]
drain_time = "100ms"

[channel_layers.default]
backend = "memory"

[admin]
bind = "127.0.0.1:{admin}"

[[http]]
path = "own/"
respond = {{ body = "own" }}

[[http]]
path = ""
proxy = "{behind}"

[[websocket]]
path = "ws/echo/"
consumer = "echo"

[[websocket]]
path = "ws/<path:rest>"
consumer = "proxy"
upstream = "{behind}"
rate = {{ connection = "1/h", burst = 2 }}
"#
    )
}

async fn start(trusted: &str) -> (Folder, Site, SocketAddr) {
    let admin = free_port();
    let folder = Folder::with(&config(&format!("http://{}", behind().await), admin, trusted));
    let site = folder.start();
    (folder, site, SocketAddr::from(([127, 0, 0, 1], admin)))
}

#[tokio::test]
async fn several_servers_stand_in_for_each_other() {
    let (one, two) = (behind().await, behind().await);
    let nobody = free_port();
    let folder = Folder::with(&format!(
        "debug = true\nallowed_hosts = [\"127.0.0.1\"]\n[server]\nbind = [\"127.0.0.1:0\"]\n\
         [limits]\ndrain_time = \"100ms\"\n[proxy]\nconnect_time = \"2s\"\n[[http]]\npath = \"\"\n\
         proxy = [\"http://127.0.0.1:{nobody}\", \"http://{one}\", \"http://{two}\"]\n"
    ));
    let site = folder.start();
    for _ in 0..6 {
        assert_eq!(get(site.address, "/", "").await.0.status, 200);
    }
}

#[tokio::test]
async fn what_no_route_serves_goes_to_the_site_that_is_there_already() {
    let (_folder, site, _) = start("").await;
    assert_eq!(get(site.address, "/own/", "").await.1, "own");
    let (_, request) = get(site.address, "/a%2Fb/?c=%20d", "X-Forwarded-For: 6.6.6.6\r\n").await;
    assert!(request.starts_with("GET /a%2Fb/?c=%20d HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("x-forwarded-for: 127.0.0.1\r\n"), "{request}");
    assert!(request.contains("x-forwarded-proto: http\r\n"), "{request}");
}

#[tokio::test]
async fn sockets_are_proxied_with_the_routes_own_limits() {
    let (_folder, site, _) = start("").await;
    let mut raw = Raw::websocket(site.address, "/ws/elsewhere/").await;
    assert_eq!(raw.text().await, "hi");
    for _ in 0..3 {
        raw.send_text("x").await;
    }
    assert_eq!(raw.frame().await.close_code(), 4429);
}

#[tokio::test]
async fn a_trusted_proxys_word_reaches_the_server_behind() {
    let (_folder, site, _) = start("\"127.0.0.1\"").await;
    let fields = "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https\r\nX-Request-ID: abc-1\r\n";
    let (head, request) = get(site.address, "/", fields).await;
    assert_eq!(head.header("x-request-id"), Some("abc-1"));
    for line in ["x-forwarded-for: 192.0.2.7, 127.0.0.1", "x-forwarded-proto: https", "x-request-id: abc-1"] {
        assert!(request.contains(&format!("{line}\r\n")), "{line}: {request}");
    }
}

#[tokio::test]
async fn the_admin_listener_tells_figures_and_readiness() {
    let (_folder, site, admin) = start("").await;
    get(site.address, "/", "").await;
    let mut raw = Raw::websocket(site.address, "/ws/x/").await;
    raw.text().await;
    let mut refused = Raw::connect(site.address).await;
    refused.send(handshake("/nowhere/", "")).await;
    refused.head().await;
    assert_eq!(get(admin, "/healthz", "").await.0.status, 200);
    let (head, told) = get(admin, "/readyz", "").await;
    assert_eq!(head.status, 200, "{told}");
    assert!(told.contains("upstream http://127.0.0.1:"), "{told}");
    let (_, figures) = get(admin, "/metrics", "").await;
    for line in [
        "solent_http_requests_total{status=\"200\"} 1",
        "solent_websocket_connections{route=\"ws/<path:rest>\"} 1",
        "solent_websocket_refusals_total{rule=\"no_route\"} 1",
    ] {
        assert!(figures.contains(&format!("{line}\n")), "{line}: {figures}");
    }
    assert!(
        figures.contains("result=\"2xx\"} 1\n") && figures.contains("result=\"socket\"} 1\n"),
        "{figures}"
    );
}

#[tokio::test]
async fn a_server_behind_that_is_away_is_a_502_and_makes_the_site_not_ready() {
    let admin = free_port();
    let folder = Folder::with(&config(&format!("http://127.0.0.1:{}", free_port()), admin, ""));
    let site = folder.start();
    assert_eq!(get(site.address, "/", "").await.0.status, 502);
    assert_eq!(get(site.address, "/own/", "").await.0.status, 200);
    let (head, told) = get(SocketAddr::from(([127, 0, 0, 1], admin)), "/readyz", "").await;
    assert!(head.status == 503 && told.contains("refused"), "{told}");
}
