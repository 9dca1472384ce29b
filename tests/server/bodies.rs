//! Request bodies: their size and their time.

use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::time::interval;

use crate::raw::Raw;
use crate::site::{GET, SHORT, Site};

fn post(path: &str, fields: &str, body: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nHost: a\r\n{fields}\r\n\r\n{body}")
}

async fn limited() -> Site {
    Site::with(|limits| limits.body_bytes = 10).await
}

#[tokio::test]
async fn k8_a_declared_length_over_the_limit_is_413_before_the_body_comes() {
    let site = limited().await;
    let mut raw = Raw::connect(site.address()).await;
    raw.send(post("/echo", "Content-Length: 11", "")).await;
    assert_eq!(raw.response().await.0.status, 413);
    assert!(raw.ended().await);
}

#[tokio::test]
async fn a_client_that_asks_first_is_told_413_instead_of_100() {
    let site = limited().await;
    let mut raw = Raw::connect(site.address()).await;
    raw.send(post("/echo", "Expect: 100-continue\r\nContent-Length: 11", "")).await;
    assert_eq!(raw.response().await.0.status, 413);
    assert!(raw.ended().await);
}

#[tokio::test]
async fn chunks_over_the_limit_are_413() {
    let site = limited().await;
    let mut raw = Raw::connect(site.address()).await;
    raw.send(post("/echo", "Transfer-Encoding: chunked", "6\r\nabcdef\r\n6\r\nabcdef\r\n")).await;
    assert_eq!(raw.response().await.0.status, 413);
    assert!(raw.ended().await);
}

#[tokio::test]
async fn a_body_at_the_limit_is_taken() {
    let site = limited().await;
    for (fields, body) in [
        ("Content-Length: 10", "0123456789"),
        ("Transfer-Encoding: chunked", "5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n"),
    ] {
        let mut raw = Raw::connect(site.address()).await;
        raw.send(post("/echo", fields, body)).await;
        assert_eq!(raw.response().await.1, "0123456789");
    }
}

#[tokio::test]
async fn a_body_that_stops_is_408() {
    let site = Site::with(|limits| limits.body_read_time = SHORT).await;
    for (fields, body) in [
        ("Content-Length: 10", ""),
        ("Content-Length: 10", "01234"),
        ("Transfer-Encoding: chunked", "5\r\n01"),
        ("Transfer-Encoding: chunked", "5\r\n01234\r\n"),
    ] {
        let mut raw = Raw::connect(site.address()).await;
        raw.send(post("/echo", fields, body)).await;
        assert_eq!(raw.response().await.0.status, 408, "{fields} {body:?}");
        assert!(raw.ended().await);
    }
}

#[tokio::test]
async fn a_slow_body_that_goes_on_is_taken() {
    let site = Site::with(|limits| limits.body_read_time = SHORT).await;
    let mut raw = Raw::connect(site.address()).await;
    raw.send(post("/echo", "Content-Length: 20", "")).await;
    let mut pace = interval(SHORT / 10);
    for _ in 0..20 {
        pace.tick().await;
        raw.send("x").await;
    }
    assert_eq!(raw.response().await.1, "x".repeat(20));
}

#[tokio::test]
async fn a_body_that_nobody_reads_is_not_the_next_request() {
    let site = Site::start().await;
    let mut raw = Raw::connect(site.address()).await;
    raw.send(post("/ignore", &format!("Content-Length: {}", GET.len()), GET)).await;
    assert_eq!(raw.response().await.1, "ignored");
    raw.send("GET /ignore HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(raw.response().await.1, "ignored", "the smuggled request was never answered");
}

#[tokio::test]
async fn a_large_body_that_nobody_reads_ends_the_connection() {
    let site = Site::start().await;
    let mut raw = Raw::connect(site.address()).await;
    raw.send(post("/ignore", "Content-Length: 1000000", "some")).await;
    assert_eq!(raw.response().await.1, "ignored");
    assert!(raw.ended().await);
}

#[tokio::test]
async fn a_client_that_leaves_in_its_body_harms_nobody() {
    let site = Site::start().await;
    let mut raw = Raw::connect(site.address()).await;
    raw.send(post("/echo", "Content-Length: 10", "01234")).await;
    drop(raw);
    let mut raw = Raw::connect(site.address()).await;
    raw.send(GET).await;
    assert_eq!(raw.response().await.1, "hello");
}

#[tokio::test]
async fn an_answer_that_nobody_reads_ends_the_connection() {
    let site = Site::with(|limits| {
        limits.body_read_time = Duration::from_millis(100);
        limits.connections = Some(1);
    })
    .await;
    let mut raw = Raw::connect(site.address()).await;
    let body = "x".repeat(2 << 20);
    let request = post("/echo", &format!("Content-Length: {}", body.len()), &body);
    raw.send(&request).await;
    // There is one place: the next client is served once it has been given back.
    let mut next = Raw::connect(site.address()).await;
    next.send(GET).await;
    // Echoes of 2 MB fill every buffer between the two, since this client goes on writing and does not read.
    let flood = async {
        while raw.stream.write_all(request.as_bytes()).await.is_ok() {}
        std::future::pending::<()>().await;
    };
    tokio::select! {
        (_, body) = next.response() => assert_eq!(body, "hello"),
        () = flood => {}
    }
}
