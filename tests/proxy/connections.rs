//! Connections to the server behind: kept, used again, bounded, replaced.

use std::time::Duration;

use solent::http::proxy::{HostPolicy, Proxy};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::raw::Raw;
use crate::site::{Behind, OK, plain, serve, serve_below};
use crate::waiting::Pace;

const SECOND: Duration = Duration::from_secs(1);
const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

#[tokio::test]
async fn connections_are_used_again() {
    let behind = Behind::honest().await;
    let running = serve(behind.proxy()).await;
    for _ in 0..20 {
        let mut raw = Raw::connect(running.addresses()[0]).await;
        raw.send(GET).await;
        assert_eq!(raw.answer("GET").await.1, "ok");
    }
    assert_eq!((behind.opened(), behind.log.all().len()), (1, 20));
}

#[tokio::test]
async fn idle_connections_are_few_and_short_lived() {
    let behind = Behind::honest().await;
    let running = serve(behind.proxy().idle_connections(4, Duration::from_millis(50))).await;
    let mut raw = Raw::connect(running.addresses()[0]).await;
    let mut pace = Pace::every(Duration::from_millis(80));
    for count in 1..=3 {
        raw.send(GET).await;
        raw.answer("GET").await;
        assert_eq!(behind.opened(), count);
        pace.reset();
        pace.next().await;
    }
    let running = serve(behind.proxy().idle_connections(0, Duration::from_secs(9))).await;
    let mut raw = Raw::connect(running.addresses()[0]).await;
    for count in 4..=5 {
        raw.send(GET).await;
        raw.answer("GET").await;
        assert_eq!(behind.opened(), count);
    }
}

/// A server that closes each connection after its first answer without saying so, at once or with the next request.
async fn closing(with_next: bool) -> Behind {
    Behind::with(move |mut peer| async move {
        peer.request().await;
        peer.send(OK).await;
        if with_next {
            peer.head().await;
        }
    })
    .await
}

#[tokio::test]
async fn a_kept_connection_that_was_closed_fails_no_request_that_may_be_repeated() {
    for with_next in [false, true] {
        let behind = closing(with_next).await;
        let running = serve(behind.proxy()).await;
        let mut raw = Raw::connect(running.addresses()[0]).await;
        for _ in 0..5 {
            raw.send(GET).await;
            assert_eq!(raw.answer("GET").await.0.status, 200);
        }
    }
}

#[tokio::test]
async fn a_request_that_may_not_be_repeated_is_sent_once() {
    let behind = closing(true).await;
    let running = serve(behind.proxy()).await;
    let mut raw = Raw::connect(running.addresses()[0]).await;
    raw.send(GET).await;
    assert_eq!(raw.answer("GET").await.0.status, 200);
    raw.send("POST /order HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx").await;
    assert_eq!(raw.answer("POST").await.0.status, 502);
    assert_eq!(behind.opened(), 1);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_a_502() {
    let proxy = Proxy::new("http://127.0.0.1:1".parse().unwrap());
    assert!(proxy.check().await.unwrap_err().chain().contains("refused"));
    let running = serve(proxy).await;
    let mut raw = Raw::connect(running.addresses()[0]).await;
    raw.send(GET).await;
    assert_eq!(raw.answer("GET").await.0.status, 502);
    // The client's connection is none the worse.
    raw.send(GET).await;
    assert_eq!(raw.answer("GET").await.0.status, 502);
}

#[tokio::test]
async fn more_requests_than_may_be_with_the_server_are_a_503() {
    let behind = Behind::with(|mut peer| async move {
        peer.request().await;
        peer.closed().await;
    })
    .await;
    let running =
        serve(behind.proxy().connections(2).connect_time(Duration::from_millis(100)).response_time(SECOND))
            .await;
    let mut waiting = Vec::new();
    for count in 1..=2 {
        let mut raw = Raw::connect(running.addresses()[0]).await;
        raw.send(GET).await;
        behind.log.wait(count).await;
        waiting.push(raw);
    }
    let mut refused = Raw::connect(running.addresses()[0]).await;
    refused.send(GET).await;
    assert_eq!(refused.head().await.status, 503);
    // A place that becomes free is taken.
    for mut raw in waiting {
        assert_eq!(raw.head().await.status, 504);
    }
    let mut next = Raw::connect(running.addresses()[0]).await;
    next.send(GET).await;
    behind.log.wait(3).await;
}

#[tokio::test]
async fn a_server_on_a_unix_socket_is_reached() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("behind.sock");
    let listener = tokio::net::UnixListener::bind(&path).unwrap();
    let serving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            request.push(stream.read_u8().await.unwrap());
        }
        stream.write_all(OK.as_bytes()).await.unwrap();
        String::from_utf8(request).unwrap()
    });
    let running = serve(Proxy::new(format!("unix:{}", path.display()).parse().unwrap())).await;
    let mut raw = Raw::connect(running.addresses()[0]).await;
    raw.send("GET /a HTTP/1.1\r\nHost: example.com\r\n\r\n").await;
    assert_eq!(raw.answer("GET").await.1, "ok");
    assert_eq!(plain(&serving.await.unwrap()), "GET /a HTTP/1.1\nhost: example.com\n\n");
}

#[tokio::test]
async fn below_a_prefix_the_whole_raw_path_is_kept() {
    let behind = Behind::honest().await;
    let running = serve_below("shop/", behind.proxy()).await;
    let mut raw = Raw::connect(running.addresses()[0]).await;
    raw.send("GET /shop/a%2Fb//c?d HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(raw.answer("GET").await.1, "ok");
    raw.send("GET /other HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(raw.answer("GET").await.0.status, 404);
    let all = behind.log.all();
    assert_eq!(all.len(), 1);
    assert_eq!(plain(&all[0]), "GET /shop/a%2Fb//c?d HTTP/1.1\nhost: a\n\n");
}

#[tokio::test]
async fn the_host_follows_the_policy() {
    let behind = Behind::honest().await;
    let own = behind.address.to_string();
    let named = HostPolicy::Named("django.internal".parse().unwrap());
    for (policy, host) in
        [(HostPolicy::Client, "example.com:8000"), (HostPolicy::Upstream, &*own), (named, "django.internal")]
    {
        let running = serve(behind.proxy().host(policy)).await;
        let mut raw = Raw::connect(running.addresses()[0]).await;
        raw.send("GET / HTTP/1.1\r\nHost: example.com:8000\r\n\r\n").await;
        raw.answer("GET").await;
        let last = behind.log.all().pop().unwrap();
        assert!(last.contains(&format!("\r\nhost: {host}\r\n")), "{last}");
        assert!(last.contains("\r\nx-forwarded-host: example.com:8000\r\n"), "{last}");
    }
}
