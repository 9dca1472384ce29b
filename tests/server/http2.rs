//! HTTP/2 with prior knowledge, on the same port, with hyper's client.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

use crate::raw::{PATIENCE, Raw};
use crate::site::{GET, Lines, Site};
use solent::server::AccessLog;

type Client = SendRequest<Full<Bytes>>;

async fn client(site: &Site) -> Client {
    let stream = TokioIo::new(TcpStream::connect(site.address()).await.unwrap());
    let (client, connection) = handshake(TokioExecutor::new(), stream).await.unwrap();
    tokio::spawn(connection);
    client
}

fn request(method: &str, path: &str, body: &'static str) -> http::Request<Full<Bytes>> {
    let uri = format!("http://a{path}");
    http::Request::builder().method(method).uri(uri).body(Full::new(Bytes::from(body))).unwrap()
}

async fn ask(client: &mut Client, request: http::Request<Full<Bytes>>) -> (http::StatusCode, String) {
    let answer =
        tokio::time::timeout(PATIENCE, client.send_request(request)).await.expect("in time").unwrap();
    let status = answer.status();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn both_versions_are_spoken_on_one_port() {
    let site = Site::start().await;
    let mut client = client(&site).await;
    assert_eq!(ask(&mut client, request("GET", "/", "")).await, (http::StatusCode::OK, "hello".to_owned()));
    let mut raw = Raw::connect(site.address()).await;
    raw.send(GET).await;
    assert_eq!(raw.response().await.1, "hello");
}

#[tokio::test]
async fn streams_do_not_wait_for_each_other() {
    let site = Site::start().await;
    let mut one = client(&site).await;
    let mut two = one.clone();
    let slow = tokio::spawn(async move { ask(&mut one, request("GET", "/gated", "")).await.1 });
    site.gate.arrival().await;
    assert_eq!(ask(&mut two, request("GET", "/", "")).await.1, "hello");
    site.gate.open();
    assert_eq!(slow.await.unwrap(), "through");
}

#[tokio::test]
async fn bodies_go_both_ways_under_the_same_limits() {
    let site = Site::with(|limits| limits.body_bytes = 10).await;
    let mut client = client(&site).await;
    assert_eq!(ask(&mut client, request("POST", "/echo", "0123456789")).await.1, "0123456789");
    assert_eq!(ask(&mut client, request("POST", "/echo", "0123456789a")).await.0, 413);
    assert_eq!(ask(&mut client, request("GET", "/", "")).await.1, "hello", "only that stream ended");
}

#[tokio::test]
async fn k7_a_bad_path_is_400_and_ends_only_its_stream() {
    let site = Site::start().await;
    let mut client = client(&site).await;
    assert_eq!(ask(&mut client, request("GET", "/%ff", "")).await.0, 400);
    assert_eq!(ask(&mut client, request("GET", "/", "")).await.1, "hello");
}

#[tokio::test]
async fn head_has_no_body() {
    let site = Site::start().await;
    let mut client = client(&site).await;
    assert_eq!(ask(&mut client, request("HEAD", "/", "")).await, (http::StatusCode::OK, String::new()));
}

#[tokio::test]
async fn each_stream_has_its_line_in_the_log() {
    let lines = Lines::default();
    let log = AccessLog::text_to(lines.clone());
    let site = Site::serve(|server| server.access_log(log)).await;
    let mut client = client(&site).await;
    ask(&mut client, request("GET", "/", "")).await;
    ask(&mut client, request("GET", "/no", "")).await;
    let lines = lines.wait(4).await;
    assert!(lines[2].starts_with("HTTP GET / 200 ["), "{}", lines[2]);
    assert!(lines[3].starts_with("HTTP GET /no 404 ["), "{}", lines[3]);
}

#[tokio::test]
async fn a_drain_finishes_streams_and_ends_the_connection() {
    let site = Site::start().await;
    let address = site.address();
    let mut client = client(&site).await;
    let slow = tokio::spawn(async move { ask(&mut client, request("GET", "/gated", "")).await.1 });
    site.gate.arrival().await;
    let Site { running, gate } = site;
    let drained = tokio::spawn(running.shutdown());
    crate::drain::closes_listener(address).await;
    gate.open();
    assert_eq!(slow.await.unwrap(), "through");
    tokio::time::timeout(PATIENCE, drained).await.expect("in time").unwrap().unwrap();
}

#[tokio::test]
async fn an_idle_connection_is_closed_after_the_keep_alive_time() {
    let site = Site::with(|limits| limits.keep_alive = crate::site::SHORT).await;
    let mut client = client(&site).await;
    ask(&mut client, request("GET", "/", "")).await;
    crate::waiting::until(|| client.is_closed()).await;
}
