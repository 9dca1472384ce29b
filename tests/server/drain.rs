//! Draining: what is open ends well, and in time.

use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use crate::raw::{PATIENCE, Raw, close, handshake};
use crate::site::{GET, Site};
use crate::waiting::until;

/// Starts to drain. The task ends with the drain.
fn drain(site: Site) -> (tokio::task::JoinHandle<()>, crate::site::Gate) {
    let Site { running, gate } = site;
    (tokio::spawn(async { running.shutdown().await.unwrap() }), gate)
}

async fn is_listening(address: std::net::SocketAddr) -> bool {
    TcpStream::connect(address).await.is_ok()
}

/// Waits until the listener is closed: the drain has begun.
pub async fn closes_listener(address: std::net::SocketAddr) {
    let deadline = Instant::now() + PATIENCE;
    while is_listening(address).await {
        assert!(Instant::now() < deadline, "the listener stays open");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn an_answer_in_progress_is_finished_and_its_connection_closed() {
    let site = Site::start().await;
    let address = site.address();
    let mut raw = Raw::connect(address).await;
    raw.send("GET /gated HTTP/1.1\r\nHost: a\r\n\r\n").await;
    site.gate.arrival().await;
    let (drained, gate) = drain(site);
    closes_listener(address).await;
    gate.open();
    let (head, body) = raw.response().await;
    assert_eq!((head.header("connection"), &*body), (Some("close"), "through"));
    assert!(raw.ended().await);
    drained.await.unwrap();
}

#[tokio::test]
async fn a_stream_in_progress_is_finished() {
    let site = Site::start().await;
    let address = site.address();
    let mut raw = Raw::connect(address).await;
    raw.send("GET /halves HTTP/1.1\r\nHost: a\r\n\r\n").await;
    site.gate.arrival().await;
    let (drained, gate) = drain(site);
    closes_listener(address).await;
    gate.open();
    assert_eq!(raw.answer("GET").await.1, "first second");
    assert!(raw.ended().await);
    drained.await.unwrap();
}

#[tokio::test]
async fn a_body_on_its_way_is_still_read() {
    let site = Site::start().await;
    let address = site.address();
    let mut raw = Raw::connect(address).await;
    raw.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc").await;
    // Once another one is answered, the server has seen this one too.
    let mut other = Raw::connect(address).await;
    other.send(GET).await;
    other.response().await;
    let (drained, _) = drain(site);
    closes_listener(address).await;
    raw.send("def").await;
    assert_eq!(raw.response().await.1, "abcdef");
    assert!(raw.ended().await);
    drained.await.unwrap();
}

#[tokio::test]
async fn idle_connections_are_closed_at_once() {
    let site = Site::start().await;
    let mut used = Raw::connect(site.address()).await;
    used.send(GET).await;
    used.response().await;
    let mut fresh = Raw::connect(site.address()).await;
    let mut other = Raw::connect(site.address()).await;
    other.send(GET).await;
    other.response().await;
    let start = Instant::now();
    let (drained, _) = drain(site);
    assert!(used.ended().await && fresh.ended().await && other.ended().await);
    drained.await.unwrap();
    assert!(start.elapsed() < Duration::from_secs(5), "nobody was waited for");
}

#[tokio::test]
async fn pipelined_requests_behind_the_one_in_progress_are_not_begun() {
    let site = Site::start().await;
    let address = site.address();
    let mut raw = Raw::connect(address).await;
    raw.send(format!("GET /gated HTTP/1.1\r\nHost: a\r\n\r\n{GET}")).await;
    site.gate.arrival().await;
    let (drained, gate) = drain(site);
    closes_listener(address).await;
    gate.open();
    let (head, body) = raw.response().await;
    assert_eq!((head.header("connection"), &*body), (Some("close"), "through"));
    assert!(raw.rest().await.is_empty());
    drained.await.unwrap();
}

#[tokio::test]
async fn in_the_drain_delay_requests_are_served_and_upgrades_are_refused() {
    let site = Site::with(|limits| limits.drain_delay = Duration::from_secs(60)).await;
    let address = site.address();
    let (drained, _) = drain(site);
    let deadline = Instant::now() + PATIENCE;
    loop {
        let mut raw = Raw::connect(address).await;
        raw.send(handshake("/ws/", "")).await;
        let head = raw.head().await;
        if head.status != 101 {
            assert_eq!((head.status, head.header("retry-after")), (503, Some("1")));
            break;
        }
        assert!(Instant::now() < deadline, "the drain never begins");
    }
    let mut raw = Raw::connect(address).await;
    raw.send(GET).await;
    assert_eq!(raw.response().await.1, "hello");
    drained.abort();
}

#[tokio::test]
async fn sockets_are_closed_with_1001_by_option() {
    let site = Site::with(|limits| limits.drain_code = solent::websocket::CloseCode::AWAY).await;
    let mut raw = Raw::websocket(site.address(), "/ws/").await;
    let (drained, _) = drain(site);
    assert_eq!(raw.frame().await.close_code(), 1001);
    raw.send(close(1001, "")).await;
    drained.await.unwrap();
}

#[tokio::test]
async fn closes_are_spread_over_the_drain_time() {
    let site = Site::with(|limits| limits.drain_time = Duration::from_millis(200)).await;
    let mut sockets = Vec::new();
    for _ in 0..40 {
        sockets.push(Raw::websocket(site.address(), "/ws/").await);
    }
    let start = Instant::now();
    let (drained, _) = drain(site);
    let mut times = Vec::new();
    for mut raw in sockets {
        let closed = tokio::spawn(async move {
            assert_eq!(raw.frame().await.close_code(), 1012);
            let told = Instant::now();
            raw.send(close(1012, "")).await;
            told
        });
        times.push(closed);
    }
    let mut last = start;
    for time in times {
        last = last.max(time.await.unwrap());
    }
    drained.await.unwrap();
    assert!(last - start >= Duration::from_millis(150), "the last was told after {:?}", last - start);
}

#[tokio::test]
async fn the_hard_stop_ends_a_view_that_never_answers() {
    let site = Site::with(|limits| {
        limits.drain_time = Duration::from_millis(50);
        limits.close_time = Duration::from_millis(50);
    })
    .await;
    let mut raw = Raw::connect(site.address()).await;
    raw.send("GET /gated HTTP/1.1\r\nHost: a\r\n\r\n").await;
    site.gate.arrival().await;
    let (drained, _gate) = drain(site);
    timeout(PATIENCE, drained).await.expect("in time").unwrap();
    assert!(raw.rest().await.is_empty());
}

#[tokio::test]
async fn a_half_sent_head_does_not_hold_up_the_drain() {
    let site = Site::with(|limits| {
        limits.drain_time = Duration::from_millis(50);
        limits.close_time = Duration::from_millis(50);
    })
    .await;
    let mut raw = Raw::connect(site.address()).await;
    raw.send("GET / HT").await;
    let (drained, _) = drain(site);
    timeout(PATIENCE, drained).await.expect("in time").unwrap();
    assert!(raw.rest().await.is_empty());
}

#[tokio::test]
async fn dropping_the_running_server_stops_accepting_and_lets_the_rest_go_on() {
    let site = Site::start().await;
    let address = site.address();
    let mut socket = Raw::websocket(address, "/ws/").await;
    drop(site);
    closes_listener(address).await;
    socket.send_text("still here").await;
    assert_eq!(socket.text().await, "still here");
}

#[tokio::test]
async fn after_a_drain_nothing_is_open() {
    let site = Site::start().await;
    let env = site.running.env().clone();
    let mut raw = Raw::websocket(site.address(), "/ws/").await;
    let (drained, _) = drain(site);
    raw.frame().await;
    drop(raw);
    drained.await.unwrap();
    assert_eq!(env.sockets.len(), 0);
    until(|| env.sockets.is_empty()).await;
}
