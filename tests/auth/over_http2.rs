//! The same users over HTTP/2: a socket that an extended CONNECT opens goes through the same middleware.

use crate::http2::{DATA, END_HEADERS, HEADERS, Http2, block, frame};
use crate::raw;
use crate::site::Site;

/// The first frame of the socket that a CONNECT with these further fields opens, or the refusal's header block.
async fn connect(site: &Site, path: &str, fields: &[(&str, &str)]) -> Result<Vec<u8>, Vec<u8>> {
    let head = [
        (":method", "CONNECT"),
        (":protocol", "websocket"),
        (":scheme", "http"),
        (":authority", "localhost"),
        (":path", path),
        ("sec-websocket-version", "13"),
    ];
    let mut client = Http2::connect(site.address()).await;
    client.raw.send(frame(HEADERS, END_HEADERS, 1, &block(&[&head, fields].concat()))).await;
    let answer = client.answer().await;
    assert_eq!(answer.kind, HEADERS, "{answer:?}");
    // HPACK's table has 200 at 8.
    if !answer.payload.contains(&0x88) {
        return Err(answer.payload);
    }
    let data = client.answer().await;
    assert_eq!(data.kind, DATA, "{data:?}");
    Ok(data.payload)
}

/// A server's text frame.
fn text(text: &str) -> Vec<u8> {
    let mut bytes = raw::frame(0x81, text.as_bytes());
    bytes.drain(2..6);
    bytes[1] &= 0x7f;
    bytes[2..].copy_from_slice(text.as_bytes());
    bytes
}

#[tokio::test]
async fn a_session_counts_over_http_2_as_it_does_over_http_1() {
    let site = Site::start().await;
    let alice = site.alice().await;
    let whole = [("cookie", &*alice)];
    assert_eq!(connect(&site, "/ws/whoami/", &whole).await, Ok(text("alice")));
    // HTTP/2 lets clients send each cookie by itself.
    let split = [("cookie", "other=1"), ("cookie", &*alice)];
    assert_eq!(connect(&site, "/ws/whoami/", &split).await, Ok(text("alice")));
    assert_eq!(connect(&site, "/ws/whoami/", &[]).await, Ok(text("nobody")));
}

#[tokio::test]
async fn a_socket_for_users_is_refused_over_http_2_as_well() {
    let site = Site::start().await;
    let guarded = site.handshake("/ws/private/", "").await;
    assert_eq!(guarded.status, 403, "{}", guarded.text);
    assert!(connect(&site, "/ws/private/", &[]).await.is_err());
    let alice = site.alice().await;
    assert!(connect(&site, "/ws/private/", &[("cookie", &*alice)]).await.is_ok());
}
