//! Request heads: their time and their size.

use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::time::{Instant, interval, timeout};

use crate::raw::{PATIENCE, Raw};
use crate::site::{GET, SHORT, Site};

/// What a timer may be early by.
const ROUNDING: Duration = Duration::from_millis(20);

/// Sends a byte every few milliseconds until the server has closed. How long that took.
async fn drip(raw: &mut Raw, bytes: impl Iterator<Item = u8>) -> Duration {
    let start = Instant::now();
    let mut pace = interval(Duration::from_millis(5));
    let dripping = async {
        for byte in bytes {
            pace.tick().await;
            if raw.stream.write_all(&[byte]).await.is_err() {
                return;
            }
        }
        panic!("the server took every byte");
    };
    timeout(PATIENCE, dripping).await.expect("the server closes");
    start.elapsed()
}

#[tokio::test]
async fn a_client_that_sends_nothing_is_closed_after_the_header_time() {
    let site = Site::with(|limits| limits.header_time = SHORT).await;
    let mut raw = Raw::connect(site.address()).await;
    let start = Instant::now();
    assert!(raw.ended().await);
    assert!(start.elapsed() >= SHORT - ROUNDING);
}

#[tokio::test]
async fn a_head_that_drips_is_closed_after_the_header_time() {
    let site = Site::with(|limits| limits.header_time = SHORT).await;
    let mut raw = Raw::connect(site.address()).await;
    let took = drip(&mut raw, "GET /".bytes().chain(std::iter::repeat(b'a'))).await;
    assert!(took >= SHORT - ROUNDING, "{took:?}");
}

#[tokio::test]
async fn a_second_head_has_its_own_header_time() {
    let site = Site::with(|limits| limits.header_time = SHORT).await;
    let mut raw = Raw::connect(site.address()).await;
    raw.send(GET).await;
    raw.response().await;
    let took = drip(&mut raw, "GET /".bytes().chain(std::iter::repeat(b'a'))).await;
    assert!(took >= SHORT - ROUNDING, "{took:?}");
}

#[tokio::test]
async fn an_http_2_preface_that_never_comes_whole_is_closed_as_well() {
    let site = Site::with(|limits| limits.header_time = SHORT).await;
    let mut raw = Raw::connect(site.address()).await;
    raw.send("PRI * HTTP/2.0\r\n").await;
    assert!(raw.rest().await.is_empty());
}

#[tokio::test]
async fn a_head_over_the_limit_is_431() {
    let site = Site::with(|limits| limits.header_bytes = 10_000).await;
    for (length, status) in [(9_000, 200), (11_000, 431)] {
        let mut raw = Raw::connect(site.address()).await;
        raw.send(format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "x".repeat(length))).await;
        let (head, _) = raw.response().await;
        assert_eq!(head.status, status, "{length} bytes");
        assert!(status == 200 || raw.ended().await);
    }
}

#[tokio::test]
async fn too_many_fields_are_431() {
    let site = Site::with(|limits| limits.header_fields = 20).await;
    for (fields, status) in [(19, 200), (20, 431)] {
        let mut raw = Raw::connect(site.address()).await;
        raw.send(format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: y\r\n".repeat(fields))).await;
        assert_eq!(raw.response().await.0.status, status, "{fields} fields besides Host");
    }
}

#[tokio::test]
async fn the_default_is_64_kib_and_100_fields() {
    let site = Site::start().await;
    for (head, status) in [
        (format!("X: {}\r\n", "x".repeat(63 << 10)), 200),
        (format!("X: {}\r\n", "x".repeat(65 << 10)), 431),
        ("X: y\r\n".repeat(99), 200),
        ("X: y\r\n".repeat(100), 431),
    ] {
        let mut raw = Raw::connect(site.address()).await;
        raw.send(format!("GET / HTTP/1.1\r\nHost: a\r\n{head}\r\n")).await;
        assert_eq!(raw.response().await.0.status, status, "{} bytes", head.len());
    }
}
