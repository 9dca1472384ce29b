//! Clients that leave before the server behind has begun its answer.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::sync::Notify;

use crate::raw::Raw;
use crate::site::{Behind, OK, serve};

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
/// Longer than any test is patient.
const LONG: Duration = Duration::from_secs(120);
const SHORT: Duration = Duration::from_millis(50);

/// A server that answers when it is told to, and notes what it was asked and that the proxy has closed.
async fn hesitating() -> (Behind, Arc<Notify>) {
    let go = Arc::new(Notify::new());
    let told = Arc::clone(&go);
    let behind = Behind::with(move |mut peer| {
        let go = Arc::clone(&told);
        async move {
            while peer.request().await.is_some() {
                tokio::select! {
                    () = go.notified() => peer.send(OK).await,
                    () = peer.closed() => return peer.note("closed"),
                }
            }
        }
    })
    .await;
    (behind, go)
}

fn break_off(raw: Raw) {
    // Without lingering, closing resets the connection.
    socket2::SockRef::from(&raw.stream).set_linger(Some(Duration::ZERO)).unwrap();
}

#[tokio::test]
async fn a_connection_that_breaks_before_the_answer_drops_the_request_to_the_server_at_once() {
    let (behind, _go) = hesitating().await;
    let running = serve(behind.proxy().response_time(LONG).half_closed_time(LONG)).await;
    let mut raw = Raw::connect(running.addresses()[0]).await;
    raw.send(GET).await;
    behind.log.wait(1).await;
    break_off(raw);
    assert_eq!(behind.log.wait(2).await[1], "closed");
}

#[tokio::test]
async fn a_client_that_closes_before_the_answer_drops_the_request_to_the_server_soon() {
    let (behind, _go) = hesitating().await;
    let running = serve(behind.proxy().response_time(LONG).half_closed_time(SHORT)).await;
    let mut raw = Raw::connect(running.addresses()[0]).await;
    raw.send(GET).await;
    behind.log.wait(1).await;
    drop(raw);
    assert_eq!(behind.log.wait(2).await[1], "closed");
}

#[tokio::test]
async fn a_half_closed_client_gets_the_answer_of_the_server_behind() {
    let (behind, go) = hesitating().await;
    let running = serve(behind.proxy()).await;
    let mut raw = Raw::connect(running.addresses()[0]).await;
    raw.send(GET).await;
    raw.stream.shutdown().await.unwrap();
    behind.log.wait(1).await;
    go.notify_one();
    let (head, body) = raw.answer("GET").await;
    assert_eq!((head.status, body.as_str()), (200, "ok"));
}

#[tokio::test]
async fn a_client_that_leaves_after_its_whole_body_is_noticed_too() {
    let (behind, _go) = hesitating().await;
    let running = serve(behind.proxy().response_time(LONG).half_closed_time(LONG)).await;
    let mut raw = Raw::connect(running.addresses()[0]).await;
    raw.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n").await;
    // More than is read ahead, and in pieces that come while nothing else wakes the connection.
    for _ in 0..300 {
        raw.send([b'x'; 1000]).await;
        tokio::task::yield_now().await;
    }
    let request = behind.log.wait(1).await.remove(0);
    assert!(request.ends_with(&"x".repeat(300_000)));
    break_off(raw);
    assert_eq!(behind.log.wait(2).await[1], "closed");
}

#[tokio::test]
async fn requests_that_were_sent_ahead_are_answered_in_their_order() {
    let (behind, go) = hesitating().await;
    let running = serve(behind.proxy()).await;
    let mut raw = Raw::connect(running.addresses()[0]).await;
    raw.send(GET.repeat(3)).await;
    for count in 1..=3 {
        behind.log.wait(count).await;
        go.notify_one();
        assert_eq!(raw.answer("GET").await.1, "ok");
    }
}
