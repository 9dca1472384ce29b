//! Connections that serve more than one request.

use std::time::Duration;

use tokio::time::Instant;

use crate::raw::Raw;
use crate::site::{GET, SHORT, Site};

#[tokio::test]
async fn a_connection_serves_many_requests() {
    let site = Site::start().await;
    let mut raw = Raw::connect(site.address()).await;
    for _ in 0..100 {
        raw.send(GET).await;
        assert_eq!(raw.response().await.1, "hello");
    }
}

#[tokio::test]
async fn k9_pipelined_answers_come_in_the_order_of_their_requests() {
    let site = Site::start().await;
    let mut raw = Raw::connect(site.address()).await;
    raw.send(format!("GET /gated HTTP/1.1\r\nHost: a\r\n\r\n{GET}")).await;
    site.gate.arrival().await;
    site.gate.open();
    assert_eq!(raw.response().await.1, "through");
    assert_eq!(raw.response().await.1, "hello");
}

#[tokio::test]
async fn a_thousand_pipelined_requests_are_all_answered() {
    let site = Site::start().await;
    let mut raw = Raw::connect(site.address()).await;
    raw.send(GET.repeat(1000)).await;
    for _ in 0..1000 {
        assert_eq!(raw.response().await.1, "hello");
    }
}

#[tokio::test]
async fn a_half_closed_client_gets_its_answer_however_late() {
    let site = Site::start().await;
    let mut raw = Raw::connect(site.address()).await;
    raw.send("GET /gated HTTP/1.1\r\nHost: a\r\n\r\n").await;
    raw.half_close().await;
    site.gate.arrival().await;
    site.gate.open();
    assert_eq!(raw.response().await.1, "through");
    assert!(raw.ended().await);
}

#[tokio::test]
async fn a_half_closed_client_gets_all_answers_that_it_pipelined() {
    let site = Site::start().await;
    let mut raw = Raw::connect(site.address()).await;
    raw.send(GET.repeat(5)).await;
    raw.half_close().await;
    for _ in 0..5 {
        assert_eq!(raw.response().await.1, "hello");
    }
    assert!(raw.ended().await);
}

#[tokio::test]
async fn an_idle_connection_is_closed_after_the_keep_alive_time() {
    let site = Site::with(|limits| limits.keep_alive = SHORT).await;
    let mut raw = Raw::connect(site.address()).await;
    raw.send(GET).await;
    raw.response().await;
    let idle = Instant::now();
    assert!(raw.ended().await);
    assert!(idle.elapsed() >= SHORT - Duration::from_millis(20));
}

#[tokio::test]
async fn the_keep_alive_time_is_kept_where_the_head_came_in_pieces() {
    let site = Site::with(|limits| limits.keep_alive = SHORT).await;
    let mut raw = Raw::connect(site.address()).await;
    raw.send(&GET[..5]).await;
    // Once another one is answered, the server has seen the first piece too.
    let mut other = Raw::connect(site.address()).await;
    other.send(GET).await;
    other.response().await;
    raw.send(&GET[5..]).await;
    raw.response().await;
    let idle = Instant::now();
    assert!(raw.ended().await);
    assert!(idle.elapsed() < Duration::from_secs(5), "the header time, which is longer, is over");
}

#[tokio::test]
async fn the_keep_alive_time_does_not_run_while_a_view_works() {
    let site = Site::with(|limits| limits.keep_alive = Duration::from_millis(30)).await;
    let mut raw = Raw::connect(site.address()).await;
    raw.send("GET /gated HTTP/1.1\r\nHost: a\r\n\r\n").await;
    site.gate.arrival().await;
    let mut other = Raw::connect(site.address()).await;
    other.send(GET).await;
    other.response().await;
    assert!(other.ended().await, "an idle one ends meanwhile");
    site.gate.open();
    assert_eq!(raw.response().await.1, "through");
}

#[tokio::test]
async fn the_keep_alive_time_does_not_run_while_an_answer_flows() {
    let site = Site::with(|limits| limits.keep_alive = Duration::from_millis(30)).await;
    let mut raw = Raw::connect(site.address()).await;
    raw.send("GET /halves HTTP/1.1\r\nHost: a\r\n\r\n").await;
    site.gate.arrival().await;
    let mut other = Raw::connect(site.address()).await;
    other.send(GET).await;
    other.response().await;
    assert!(other.ended().await, "an idle one ends meanwhile");
    site.gate.open();
    assert_eq!(raw.answer("GET").await.1, "first second");
}

#[tokio::test]
async fn close_is_obeyed_and_told() {
    let site = Site::start().await;
    let mut raw = Raw::connect(site.address()).await;
    raw.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    let (head, _) = raw.response().await;
    assert_eq!(head.header("connection"), Some("close"));
    assert!(raw.ended().await);
}

#[tokio::test]
async fn http_1_0_is_answered_and_closed() {
    let site = Site::start().await;
    let mut raw = Raw::connect(site.address()).await;
    raw.send("GET / HTTP/1.0\r\n\r\n").await;
    let (head, body) = raw.response().await;
    assert!(head.text.starts_with("HTTP/1.0 200"), "{}", head.text);
    assert_eq!(body, "hello");
    assert!(raw.ended().await);
}

#[tokio::test]
async fn a_stream_to_http_1_0_ends_with_the_connection() {
    let site = Site::start().await;
    let mut raw = Raw::connect(site.address()).await;
    raw.send("GET /halves HTTP/1.0\r\n\r\n").await;
    site.gate.arrival().await;
    site.gate.open();
    let (head, body) = raw.answer("GET").await;
    assert_eq!((head.header("transfer-encoding"), &*body), (None, "first second"));
}

#[tokio::test]
async fn bytes_behind_a_refused_upgrade_are_never_a_request() {
    let site = Site::start().await;
    let mut raw = Raw::connect(site.address()).await;
    raw.send(format!("{}{GET}", crate::raw::handshake("/nowhere/", ""))).await;
    assert_eq!(raw.response().await.0.status, 404);
    assert!(raw.ended().await);
}

#[tokio::test]
async fn bytes_behind_an_upgrade_are_frames_and_never_a_request() {
    let site = Site::start().await;
    let mut raw = Raw::connect(site.address()).await;
    raw.send(format!("{}{GET}", crate::raw::handshake("/ws/", ""))).await;
    assert_eq!(raw.head().await.status, 101);
    assert_eq!(raw.frame().await.close_code(), 1002);
    assert!(raw.ended().await);
}
