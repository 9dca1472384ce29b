//! Several servers behind that stand in for each other.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use solent::http::proxy::{Proxy, Upstream};
use solent::metrics::Figures;
use solent::server::Running;

use crate::raw::{Raw, handshake};
use crate::site::{Behind, OK, serve};
use crate::waiting::until;

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const POST: &str = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx";

fn upstream(behind: &Behind) -> Upstream {
    format!("http://{}", behind.address).parse().unwrap()
}

/// An address where nobody listens.
fn nobody() -> Upstream {
    "http://127.0.0.1:1".parse().unwrap()
}

async fn status(running: &Running, request: &str) -> u16 {
    let mut raw = Raw::connect(running.addresses()[0]).await;
    raw.send(request).await;
    raw.head().await.status
}

#[tokio::test]
async fn requests_go_to_all_in_turn() {
    let behind = [Behind::honest().await, Behind::honest().await, Behind::honest().await];
    let proxy = behind[0].proxy().and(upstream(&behind[1])).and(upstream(&behind[2]));
    let running = serve(proxy).await;
    for _ in 0..12 {
        assert_eq!(status(&running, GET).await, 200);
    }
    for one in &behind {
        assert_eq!(one.log.all().len(), 4);
    }
}

#[tokio::test]
async fn one_that_cannot_be_reached_loses_no_request_and_is_left_out() {
    let behind = Behind::honest().await;
    let running = serve(Proxy::new(nobody()).and(upstream(&behind))).await;
    for number in 0..10 {
        assert_eq!(status(&running, if number % 2 == 0 { POST } else { GET }).await, 200);
    }
    assert_eq!(behind.log.all().len(), 10);
    let figures = Figures::of(running.env());
    assert_eq!(figures.upstreams["http://127.0.0.1:1"].results["connect"], 1, "it was asked once");
}

#[tokio::test]
async fn when_none_can_be_reached_it_is_a_502() {
    let running = serve(Proxy::new(nobody()).and(nobody())).await;
    assert_eq!(status(&running, POST).await, 502);
    assert_eq!(status(&running, GET).await, 502);
}

#[tokio::test]
async fn only_what_may_be_repeated_is_sent_to_another_after_it_broke() {
    for (request, expected, seen) in [(GET, 200, 2), (POST, 502, 1)] {
        let breaking = Behind::ending("").await;
        let honest = Behind::honest().await;
        let running = serve(breaking.proxy().and(upstream(&honest))).await;
        assert_eq!(status(&running, request).await, expected, "{request}");
        assert_eq!(breaking.log.all().len() + honest.log.all().len(), seen, "{request}");
    }
}

#[tokio::test]
async fn one_that_a_check_finds_unwell_is_left_out_until_it_is_well() {
    let well = Arc::new(AtomicBool::new(false));
    let state = Arc::clone(&well);
    let sick = Behind::with(move |mut peer| {
        let state = Arc::clone(&state);
        async move {
            while let Some(request) = peer.request().await {
                let answer = if request.starts_with("GET /health ") && !state.load(Ordering::Relaxed) {
                    "HTTP/1.1 500 Sick\r\ncontent-length: 0\r\n\r\n"
                } else {
                    OK
                };
                peer.send(answer).await;
            }
        }
    })
    .await;
    let honest = Behind::honest().await;
    let proxy = sick.proxy().and(upstream(&honest)).health_check("/health", Duration::from_millis(30));
    let running = serve(proxy).await;
    let asked = |behind: &Behind| behind.log.all().iter().filter(|entry| entry.starts_with("GET / ")).count();
    assert_eq!(status(&running, GET).await, 200);
    until(|| sick.log.all().iter().any(|entry| entry.starts_with("GET /health "))).await;
    // The check's answer is on its way: what was sent before it may have met the sick one.
    until(|| honest.log.all().iter().any(|entry| entry.starts_with("GET /health "))).await;
    let before = asked(&sick);
    for _ in 0..6 {
        assert_eq!(status(&running, GET).await, 200);
    }
    assert_eq!(asked(&sick), before, "it is left out");
    well.store(true, Ordering::Relaxed);
    while asked(&sick) == before {
        assert_eq!(status(&running, GET).await, 200);
    }
}

#[tokio::test]
async fn sockets_find_the_one_that_is_there() {
    let refusing = Behind::answering("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n").await;
    let running = serve(Proxy::new(nobody()).and(upstream(&refusing))).await;
    for _ in 0..4 {
        assert_eq!(status(&running, &handshake("/ws/", "")).await, 403);
    }
    assert_eq!(refusing.log.all().len(), 4);
}
