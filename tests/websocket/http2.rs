//! WebSockets over HTTP/2 (RFC 8441), in clear text and over TLS, with the same consumers as HTTP/1.1.

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::Empty;
use hyper::client::conn::http2::SendRequest;
use hyper::ext::Protocol;
use hyper::upgrade::Upgraded;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::raw::frame;
use crate::site::Site;
use crate::waiting::until;

type Sender = SendRequest<Empty<Bytes>>;

pub async fn client(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> Sender {
    let builder = hyper::client::conn::http2::Builder::new(TokioExecutor::new());
    let (sender, connection) = builder.handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

fn connect(path: &str) -> http::request::Builder {
    Request::builder()
        .method(Method::CONNECT)
        .uri(format!("http://127.0.0.1{path}"))
        .extension(Protocol::from_static("websocket"))
        .header("sec-websocket-version", "13")
}

pub async fn open(sender: &mut Sender, path: &str) -> TokioIo<Upgraded> {
    let request = connect(path).body(Empty::new()).unwrap();
    let response = sender.send_request(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert!(!response.headers().contains_key("sec-websocket-accept"));
    TokioIo::new(hyper::upgrade::on(response).await.unwrap())
}

pub async fn echo(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), text: &str) {
    stream.write_all(&frame(0x81, text.as_bytes())).await.unwrap();
    let mut answer = vec![0; 2 + text.len()];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer[2..], text.as_bytes());
}

#[tokio::test]
async fn several_sockets_share_one_connection() {
    let site = Site::start().await;
    let mut sender = client(TcpStream::connect(site.address()).await.unwrap()).await;
    let mut one = open(&mut sender, "/ws/echo/").await;
    let mut two = open(&mut sender, "/ws/blocking/").await;
    echo(&mut one, "first").await;
    echo(&mut two, "second").await;
    echo(&mut one, "again").await;
}

#[tokio::test]
async fn a_stream_that_ends_is_a_lost_socket() {
    let site = Site::start().await;
    let mut sender = client(TcpStream::connect(site.address()).await.unwrap()).await;
    let mut stream = open(&mut sender, "/ws/echo/").await;
    echo(&mut stream, "hello").await;
    drop(stream);
    assert_eq!(site.notes.wait(2).await, ["disconnect 1006", "drop"]);
}

#[tokio::test]
async fn a_client_that_gives_its_handshake_up_drops_what_its_consumer_holds() {
    let site = Site::with(|limits| limits.accept_time = std::time::Duration::from_secs(600)).await;
    let mut sender = client(TcpStream::connect(site.address()).await.unwrap()).await;
    let request = sender.send_request(connect("/ws/connect/never/").body(Empty::new()).unwrap());
    tokio::select! {
        answer = request => panic!("it is never answered: {answer:?}"),
        () = until(|| site.lines.text().contains("HANDSHAKING")) => {}
    }
    assert_eq!(site.notes.wait(1).await, ["dropped"]);
}

#[tokio::test]
async fn a_close_handshake_ends_the_stream() {
    let site = Site::start().await;
    let mut sender = client(TcpStream::connect(site.address()).await.unwrap()).await;
    let mut stream = open(&mut sender, "/ws/echo/").await;
    stream.write_all(&crate::raw::close(1000, "")).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert_eq!(answer, [0x88, 2, 0x03, 0xe8]);
    assert_eq!(site.notes.wait(1).await[0], "disconnect 1000");
}

#[tokio::test]
async fn refusals_have_the_same_status_and_leave_the_connection_open() {
    let site = Site::start().await;
    let mut sender = client(TcpStream::connect(site.address()).await.unwrap()).await;
    for (path, status) in [("/ws/nowhere/", 404), ("/ws/connect/deny/", 403), ("/ws/connect/teapot/", 418)] {
        let request = connect(path).body(Empty::new()).unwrap();
        assert_eq!(sender.send_request(request).await.unwrap().status().as_u16(), status, "{path}");
    }
    let mut request = connect("/ws/echo/");
    request.headers_mut().unwrap().insert("sec-websocket-version", http::HeaderValue::from_static("8"));
    let response = sender.send_request(request.body(Empty::new()).unwrap()).await.unwrap();
    assert_eq!(response.status(), StatusCode::UPGRADE_REQUIRED);
    echo(&mut open(&mut sender, "/ws/echo/").await, "still here").await;
}

#[tokio::test]
async fn the_access_log_tells_the_same_lines() {
    let site = Site::start().await;
    let mut sender = client(TcpStream::connect(site.address()).await.unwrap()).await;
    drop(open(&mut sender, "/ws/echo/").await);
    until(|| site.lines.text().contains("DISCONNECT")).await;
    let text = site.lines.text();
    let turns: Vec<_> = text.lines().skip(2).map(|line| line.split(" [").next().unwrap()).collect();
    let path = "/ws/echo/";
    assert_eq!(
        turns,
        [
            format!("WebSocket HANDSHAKING {path}"),
            format!("WebSocket CONNECT {path}"),
            format!("WebSocket DISCONNECT {path}")
        ]
    );
}

#[tokio::test]
async fn a_plain_connect_opens_no_tunnel() {
    let site = Site::start().await;
    let mut sender = client(TcpStream::connect(site.address()).await.unwrap()).await;
    let request =
        Request::builder().method(Method::CONNECT).uri("example.com:443").body(Empty::new()).unwrap();
    let response = sender.send_request(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::NOT_IMPLEMENTED);
}
