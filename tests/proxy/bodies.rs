//! Bodies in both directions: streaming, back-pressure, early answers, ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use crate::http2::{Http2, RST_STREAM, frame, get, request};
use crate::raw::{PATIENCE, Raw};
use crate::site::{Behind, serve, serve_with};
use crate::waiting::{standstill, until};

#[tokio::test]
async fn a_request_reaches_the_server_while_its_body_is_still_coming() {
    let behind = Behind::with(|mut peer| async move {
        peer.head().await;
        peer.send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n").await;
        let request = peer.request().await.unwrap();
        assert!(request.ends_with("first second"), "{request}");
        peer.send("0\r\n\r\n").await;
    })
    .await;
    let running = serve(behind.proxy()).await;
    let mut raw = Raw::connect(running.addresses()[0]).await;
    raw.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\n\r\nfirst ").await;
    // The answer has begun although the request has not ended.
    assert_eq!(raw.head().await.status, 200);
    assert_eq!(raw.line().await, "2");
    raw.send("second").await;
    assert_eq!(raw.line().await, "ok");
    assert_eq!(raw.line().await, "0");
    assert_eq!(behind.log.wait(1).await.len(), 1);
}

#[tokio::test]
async fn an_early_answer_reaches_a_client_that_still_sends() {
    let behind = Behind::with(|mut peer| async move {
        peer.head().await;
        peer.send("HTTP/1.1 413 Too Large\r\ncontent-length: 3\r\n\r\nno!").await;
        peer.closed().await;
    })
    .await;
    let running = serve(behind.proxy()).await;
    let mut raw = Raw::connect(running.addresses()[0]).await;
    raw.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nbeginning").await;
    let (head, body) = raw.answer("POST").await;
    assert_eq!((head.status, &*body), (413, "no!"));
    // That connection is not used again: the rest of the body could be taken for a request.
    let mut other = Raw::connect(running.addresses()[0]).await;
    other.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(other.head().await.status, 413);
    assert_eq!(behind.opened(), 2);
}

#[tokio::test]
async fn a_client_that_expects_100_is_told_here() {
    let behind = Behind::honest().await;
    let running = serve(behind.proxy()).await;
    let mut raw = Raw::connect(running.addresses()[0]).await;
    raw.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n").await;
    assert_eq!(raw.head().await.status, 100);
    raw.send("ab").await;
    assert_eq!(raw.head().await.status, 200);
    let request = behind.log.all().remove(0);
    assert!(!request.to_ascii_lowercase().contains("expect") && request.ends_with("\r\n\r\nab"), "{request}");
}

#[tokio::test]
async fn a_body_over_the_limit_is_a_413() {
    let behind = Behind::honest().await;
    let mut limits = solent::Limits::default();
    limits.body_bytes = 10;
    let running = serve_with(behind.proxy(), |server| server.limits(limits)).await;
    for request in [
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nb\r\nabcdefghijk\r\n",
    ] {
        let mut raw = Raw::connect(running.addresses()[0]).await;
        raw.send(request).await;
        assert_eq!(raw.head().await.status, 413, "{request:?}");
    }
    assert!(behind.log.all().iter().all(|entry| entry.starts_with("BROKEN")), "{:?}", behind.log.all());
}

/// A server whose answer never ends; counts what it could write.
async fn endless(written: Arc<AtomicUsize>) -> Behind {
    Behind::with(move |mut peer| {
        let written = Arc::clone(&written);
        async move {
            peer.request().await;
            peer.send("HTTP/1.1 200 OK\r\n\r\n").await;
            let block = vec![b'x'; 64 << 10];
            let mut stream = peer.into_stream();
            while stream.write_all(&block).await.is_ok() {
                written.fetch_add(block.len(), Ordering::Relaxed);
            }
        }
    })
    .await
}

#[tokio::test]
async fn a_client_that_does_not_read_makes_the_server_wait() {
    let written = Arc::<AtomicUsize>::default();
    let behind = endless(Arc::clone(&written)).await;
    let running = serve(behind.proxy()).await;
    let mut raw = Raw::connect(running.addresses()[0]).await;
    raw.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    raw.head().await;
    // It stands still once the buffers on the way are full.
    let before = standstill(|| written.load(Ordering::Relaxed)).await;
    assert!(before < 32 << 20, "{before} bytes are on their way");
    let mut taken = vec![0; 1 << 20];
    for _ in 0..64 {
        timeout(PATIENCE, raw.stream.read_exact(&mut taken)).await.expect("it goes on").unwrap();
    }
    assert!(written.load(Ordering::Relaxed) > before, "and it goes on");
}

#[tokio::test]
async fn a_client_that_leaves_ends_the_answer_at_the_server() {
    let written = Arc::<AtomicUsize>::default();
    let behind = endless(Arc::clone(&written)).await;
    let running = serve(behind.proxy()).await;
    let mut raw = Raw::connect(running.addresses()[0]).await;
    raw.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    raw.head().await;
    drop(raw);
    // Only the server behind holds the counter, beside this test.
    until(|| Arc::strong_count(&written) == 2).await;
}

#[tokio::test]
async fn a_client_that_leaves_before_the_answer_ends_the_request_at_the_server() {
    let behind = Behind::with(|mut peer| async move {
        peer.request().await;
        peer.closed().await;
        peer.note("END");
    })
    .await;
    let running = serve(behind.proxy()).await;
    // In HTTP/1.1 a client that has ended its direction may still wait for its answer; HTTP/2 tells.
    let mut client = Http2::connect(running.addresses()[0]).await;
    client.raw.send(request(1, &get("/"))).await;
    behind.log.wait(1).await;
    client.raw.send(frame(RST_STREAM, 0, 1, &8_u32.to_be_bytes())).await;
    assert_eq!(behind.log.wait(2).await[1], "END");
}

#[tokio::test]
async fn a_large_body_passes_whole_in_both_directions() {
    let behind = Behind::with(|mut peer| async move {
        while let Some(request) = peer.request().await {
            let body = request.split_once("\r\n\r\n").unwrap().1;
            peer.send(format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len())).await;
        }
    })
    .await;
    let running = serve(behind.proxy()).await;
    let mut raw = Raw::connect(running.addresses()[0]).await;
    let body: String = (0..250_000).map(|number| format!("{number:08}")).collect();
    raw.send(format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{body}", body.len())).await;
    let (head, found) = raw.answer("POST").await;
    assert!(head.status == 200 && found == body, "{} bytes", found.len());
}
