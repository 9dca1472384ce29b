//! Solent inside other programs, and other programs' parts inside Solent.

use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Body;
use solent::layers::MemoryChannelLayer;
use solent::routing::{ProtocolTypeRouter, ViewRouter, path};
use solent::server::{ClientAddress, Server};
use solent::testing::HttpCommunicator;
use solent::{Result, Scoped};
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::raw::{Raw, frame, handshake};
use crate::{axum_in_solent, own_listener, solent_in_axum};

/// Solent in axum on a free port; the token stops it.
async fn hosted(
    router: fn(solent::server::Embedded) -> axum::Router,
) -> (SocketAddr, CancellationToken, tokio::task::JoinHandle<Result<()>>) {
    let solent = solent_in_axum::solent().await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
    let serving = solent_in_axum::serve(listener, router(solent.clone()), solent, stop.clone());
    (address, stop, tokio::spawn(serving))
}

async fn get(address: SocketAddr, path: &str) -> (u16, String) {
    let mut raw = Raw::connect(address).await;
    raw.send(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")).await;
    let (head, body) = raw.answer("GET").await;
    (head.status, body)
}

async fn fallback_serves_views_and_sockets() {
    let (address, stop, serving) = hosted(solent_in_axum::router).await;
    assert_eq!(get(address, "/health").await, (200, "fine".to_owned()));
    assert_eq!(get(address, "/page/").await, (200, "a page of Solent's".to_owned()));
    assert_eq!(get(address, "/nowhere/").await.0, 404);
    let mut socket = Raw::websocket(address, "/ws/echo/").await;
    socket.send_text("hello").await;
    assert_eq!(socket.text().await, "hello");
    let mut refused = Raw::connect(address).await;
    refused.send(handshake("/ws/nowhere/", "")).await;
    assert_eq!(refused.head().await.status, 404);
    // The host's token drains both: the socket is told to come back.
    stop.cancel();
    assert_eq!(socket.frame().await.close_code(), 1012);
    socket.send(frame(0x88, &1012_u16.to_be_bytes())).await;
    assert!(socket.ended().await);
    drop(refused);
    tokio::time::timeout(Duration::from_secs(10), serving).await.expect("it drains").unwrap().unwrap();
}

#[tokio::test]
async fn fallback_serves_views_and_sockets_on_a_current_thread_runtime() {
    fallback_serves_views_and_sockets().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fallback_serves_views_and_sockets_on_a_multi_thread_runtime() {
    fallback_serves_views_and_sockets().await;
}

#[tokio::test]
async fn one_route_of_axum_upgrades() {
    let (address, _stop, _serving) = hosted(solent_in_axum::one_route).await;
    let mut socket = Raw::websocket(address, "/ws/echo/").await;
    socket.send_text("hello").await;
    assert_eq!(socket.text().await, "hello");
    assert_eq!(get(address, "/page/").await.0, 404);
}

#[tokio::test]
async fn a_host_without_upgrades_gets_an_error_and_no_101() {
    let router = solent_in_axum::router(solent_in_axum::solent().await.unwrap());
    let mut request = http::Request::get("/ws/echo/").header("host", "localhost");
    for line in handshake("/", "").lines().skip(2).take_while(|line| !line.is_empty()) {
        let (name, value) = line.split_once(": ").unwrap();
        request = request.header(name, value);
    }
    let response = router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(response.status().as_u16(), 500);
}

#[tokio::test]
async fn a_host_can_tell_the_clients_address() {
    let who = async |request: solent::http::Request| -> Result<String> {
        Ok(format!("{:?}", request.scope().client))
    };
    let app = ProtocolTypeRouter::new().http(ViewRouter::new([path("", who)]).unwrap());
    let embedded = Server::new(app).channel_layer(MemoryChannelLayer::new()).embed().await.unwrap();
    let request = http::Request::get("/").header("host", "localhost");
    let request = request.extension(ClientAddress(([192, 0, 2, 7], 4711).into()));
    let response = embedded.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let body = response.into_body().bytes().await.unwrap();
    assert_eq!(body, "Some(192.0.2.7:4711)");
}

#[tokio::test]
async fn an_axum_router_inside_solent() {
    let app = axum_in_solent::app().unwrap();
    let answer = HttpCommunicator::get(app.clone(), "/api/hello/ada").response().await;
    assert_eq!((answer.status.as_u16(), answer.text()), (200, "hello ada"));
    assert_eq!(HttpCommunicator::get(app.clone(), "/page/").response().await.text(), "a page of Solent's");
    assert_eq!(HttpCommunicator::get(app, "/api/nowhere").response().await.status.as_u16(), 404);
}

#[tokio::test]
async fn a_listener_and_a_token_of_the_hosts() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
    let serving = tokio::spawn(own_listener::serve_listener(listener, stop.clone()));
    assert_eq!(get(address, "/").await, (200, "hello".to_owned()));
    stop.cancel();
    tokio::time::timeout(Duration::from_secs(10), serving).await.expect("it drains").unwrap().unwrap();
}

#[tokio::test]
async fn a_single_stream_of_any_kind() {
    let server = own_listener::for_streams().await.unwrap();
    let (ours, theirs) = duplex(4096);
    own_listener::hand_over(&server, theirs);
    let (mut reader, mut writer) = tokio::io::split(ours);
    writer.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    reader.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("hello"), "{answer}");
    server.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_socket_over_a_single_stream_of_any_kind_lives_until_the_hosts_stop() {
    let server = solent_in_axum::solent().await.unwrap();
    let (mut ours, theirs) = duplex(4096);
    own_listener::hand_over(&server, theirs);
    ours.write_all(handshake("/ws/echo/", "").as_ref()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(ours.read_u8().await.unwrap());
    }
    assert!(head.starts_with(b"HTTP/1.1 101 "), "{}", String::from_utf8_lossy(&head));
    ours.write_all(&frame(0x81, b"hello")).await.unwrap();
    let mut echo = [0; 7];
    ours.read_exact(&mut echo).await.unwrap();
    assert_eq!(&echo, b"\x81\x05hello");
    let stopping = tokio::spawn(async move { server.shutdown().await });
    let mut close = [0; 4];
    ours.read_exact(&mut close).await.unwrap();
    assert_eq!((close[0], u16::from_be_bytes([close[2], close[3]])), (0x88, 1012));
    drop(ours);
    tokio::time::timeout(Duration::from_secs(10), stopping).await.expect("it drains").unwrap().unwrap();
}
