//! Answers of hostile servers: what a client gets of them.

use std::time::Duration;

use crate::raw::Raw;
use crate::site::{Behind, serve};
use crate::waiting::Pace;

/// What the client must get.
#[derive(Debug, Clone)]
enum Gets {
    /// A whole answer with this body.
    Whole(u16, &'static str),
    /// A head with this status, and a body that visibly breaks off.
    BrokenOff(u16),
}

use Gets::{BrokenOff, Whole};

const BAD: Gets = Whole(502, "The server behind this one does not answer properly.\n");
const LATE: Gets = Whole(504, "The server behind this one takes too long.\n");

fn get(method: &str) -> String {
    format!("{method} / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\n\r\n")
}

/// One answer's bytes, after which the server ends the connection.
async fn ends(method: &'static str, bytes: impl Into<Vec<u8>>, gets: Gets) {
    let behind = Behind::ending(bytes).await;
    asks(&behind, method, gets).await;
}

async fn asks(behind: &Behind, method: &str, gets: Gets) -> String {
    let proxy =
        behind.proxy().response_time(Duration::from_millis(300)).idle_time(Duration::from_millis(300));
    let running = serve(proxy).await;
    let mut raw = Raw::connect(running.addresses()[0]).await;
    raw.send(get(method)).await;
    match gets {
        Whole(status, body) => {
            let (head, found) = raw.answer(method).await;
            assert_eq!((head.status, &*found), (status, body), "{}", head.text);
            head.text
        }
        BrokenOff(status) => {
            let head = raw.head().await;
            assert_eq!(head.status, status);
            let rest = raw.rest().await;
            match head.header("content-length") {
                Some(length) => assert!(rest.len() < length.parse().unwrap(), "shorter than announced"),
                None => {
                    assert_eq!(head.header("transfer-encoding"), Some("chunked"));
                    assert!(
                        !rest.ends_with(b"0\r\n\r\n"),
                        "no clean end: {}",
                        String::from_utf8_lossy(&rest)
                    );
                }
            }
            head.text
        }
    }
}

#[tokio::test]
async fn good_answers_pass_in_every_framing() {
    ends("GET", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", Whole(200, "ok")).await;
    ends(
        "GET",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        Whole(200, "ok"),
    )
    .await;
    ends(
        "GET",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n2;x=y\r\nok\r\n0\r\n\r\n",
        Whole(200, "ok"),
    )
    .await;
    ends("GET", "HTTP/1.1 200 OK\r\n\r\nok", Whole(200, "ok")).await;
    ends("GET", "HTTP/1.0 200 OK\r\n\r\nok", Whole(200, "ok")).await;
    ends("GET", "HTTP/1.0 404 Nope\r\ncontent-length: 2\r\n\r\nno", Whole(404, "no")).await;
    ends("HEAD", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n", Whole(200, "")).await;
    ends("GET", "HTTP/1.1 204 No Content\r\n\r\n", Whole(204, "")).await;
    ends("GET", "HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\netag: \"a\"\r\n\r\n", Whole(304, ""))
        .await;
    ends("GET", "HTTP/1.1 599 Odd\r\ncontent-length: 0\r\n\r\n", Whole(599, "")).await;
}

#[tokio::test]
async fn what_is_no_answer_is_a_502() {
    for bytes in [
        "",
        "HTTP/1.1 200 OK\r\ncontent-le",
        "hello, is this HTTP?\r\n\r\n",
        "\x16\x03\x01\x02",
        "HTTP/2.0 200 OK\r\n\r\n",
        "HTTP/1.1 99999 Odd\r\n\r\n",
        "HTTP/1.1 20\r\n\r\n",
        "HTTP/1.1 200 OK\r\nx : y\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nx: y\r\n z\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nx: a\0b\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\nok",
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n",
    ] {
        ends("GET", bytes, BAD).await;
    }
}

#[tokio::test]
async fn framings_that_could_be_read_in_two_ways_are_a_502() {
    for fields in [
        "content-length: 2\r\ntransfer-encoding: chunked\r\n",
        "transfer-encoding: gzip, chunked\r\n",
        "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n",
        "transfer-encoding: cow\r\n",
        "content-length: 2\r\ncontent-length: 3\r\n",
        "content-length: 2, 3\r\n",
        "content-length: -2\r\n",
        "content-length: +2\r\n",
        "content-length: 0x2\r\n",
        "content-length: 99999999999999999999\r\n",
    ] {
        ends("GET", format!("HTTP/1.1 200 OK\r\n{fields}\r\n2\r\nok\r\n0\r\n\r\n"), BAD).await;
    }
    let coded = "HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n";
    ends("GET", coded, BAD).await;
}

#[tokio::test]
async fn a_flood_of_fields_is_a_502() {
    let many: String = (0..10_000).map(|number| format!("x-{number}: y\r\n")).collect();
    ends("GET", format!("HTTP/1.1 200 OK\r\n{many}\r\n"), BAD).await;
    let large = "y".repeat(4 << 20);
    ends("GET", format!("HTTP/1.1 200 OK\r\nx: {large}\r\n\r\n"), BAD).await;
    let just: String = (0..190).map(|number| format!("x-{number}: y\r\n")).collect();
    ends("GET", format!("HTTP/1.1 200 OK\r\n{just}content-length: 0\r\n\r\n"), Whole(200, "")).await;
}

#[tokio::test]
async fn how_large_a_head_may_be_can_be_set() {
    let many = "x: y\r\n".repeat(20);
    let large = format!("x: {}\r\n", "y".repeat(20 << 10));
    let cases = [(&many, 64 << 10, 10, 502), (&many, 64 << 10, 30, 200), (&large, 8 << 10, 10, 502)];
    for (fields, bytes, most, status) in cases {
        let behind = Behind::ending(format!("HTTP/1.1 200 OK\r\n{fields}content-length: 0\r\n\r\n")).await;
        let running = serve(behind.proxy().response_head(bytes, most)).await;
        let mut raw = Raw::connect(running.addresses()[0]).await;
        raw.send(get("GET")).await;
        assert_eq!(raw.answer("GET").await.0.status, status, "{bytes} bytes, {most} fields");
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_never_looks_whole() {
    ends("GET", "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf", BrokenOff(200)).await;
    ends("GET", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n", BrokenOff(200)).await;
    ends("GET", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n10\r\nhalf", BrokenOff(200)).await;
    ends("GET", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\nxyz\r\n", BrokenOff(200))
        .await;
    ends(
        "GET",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n0\r\nx: y",
        BrokenOff(200),
    )
    .await;
}

#[tokio::test]
async fn interim_answers_end_here() {
    let interim = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\n\r\n";
    let bytes = format!("{interim}HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
    ends("GET", bytes, Whole(200, "ok")).await;
}

#[tokio::test]
async fn interim_answers_without_end_are_a_504() {
    let behind = Behind::with(|mut peer| async move {
        peer.request().await;
        let mut interval = tokio::time::interval(Duration::from_millis(10));
        for _ in 0..500 {
            interval.tick().await;
            peer.send("HTTP/1.1 102 Processing\r\n\r\n").await;
        }
    })
    .await;
    asks(&behind, "GET", LATE).await;
}

#[tokio::test]
async fn a_head_that_does_not_come_is_a_504() {
    let behind = Behind::with(|mut peer| async move {
        peer.request().await;
        peer.closed().await;
    })
    .await;
    asks(&behind, "GET", LATE).await;
}

#[tokio::test]
async fn a_head_that_drips_is_a_504() {
    let behind = Behind::with(|mut peer| async move {
        peer.request().await;
        let mut pace = Pace::every(Duration::from_millis(10));
        for byte in "HTTP/1.1 200 OK\r\nx: ".bytes().chain(std::iter::repeat_n(b'y', 500)) {
            peer.send([byte]).await;
            pace.next().await;
        }
    })
    .await;
    asks(&behind, "GET", LATE).await;
}

#[tokio::test]
async fn a_body_that_pauses_for_too_long_is_broken_off_and_a_slow_one_is_not() {
    let pausing = Behind::with(|mut peer| async move {
        peer.request().await;
        peer.send("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf").await;
        peer.closed().await;
    })
    .await;
    asks(&pausing, "GET", BrokenOff(200)).await;
    let slow = Behind::with(|mut peer| async move {
        peer.request().await;
        peer.send("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n").await;
        let mut pace = Pace::every(Duration::from_millis(60));
        for _ in 0..10 {
            pace.next().await;
            peer.send("x").await;
        }
    })
    .await;
    asks(&slow, "GET", Whole(200, "xxxxxxxxxx")).await;
}

#[tokio::test]
async fn trailers_pass_but_none_that_forges() {
    let behind = Behind::ending(
        "HTTP/1.1 200 OK\r\ntrailer: x-sum, x-forwarded-for, content-length\r\ntransfer-encoding: chunked\r\n\r\n\
         2\r\nok\r\n0\r\nx-sum: 7\r\nx-forwarded-for: 6.6.6.6\r\ncontent-length: 9\r\n\r\n",
    )
    .await;
    let running = serve(behind.proxy()).await;
    let mut raw = Raw::connect(running.addresses()[0]).await;
    raw.send("GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: TE, close\r\n\r\n").await;
    let head = raw.head().await;
    assert_eq!(head.header("trailer"), Some("x-sum, x-forwarded-for, content-length"), "{}", head.text);
    assert_eq!(String::from_utf8(raw.rest().await).unwrap(), "2\r\nok\r\n0\r\nx-sum: 7\r\n\r\n");
    assert!(behind.log.all()[0].contains("\r\nte: trailers\r\n"), "{:?}", behind.log.all());
}

#[tokio::test]
async fn fields_of_the_connection_behind_do_not_pass() {
    let behind = Behind::ending(
        "HTTP/1.1 200 OK\r\nconnection: x-inner, close\r\nx-inner: 1\r\nkeep-alive: 5\r\nproxy-authenticate: x\r\n\
         upgrade: h2c\r\nset-cookie: a=1\r\nset-cookie: b=2\r\nx-outer: 2\r\nserver: other\r\ncontent-length: 2\r\n\r\nok",
    )
    .await;
    let head = asks(&behind, "GET", Whole(200, "ok")).await.to_ascii_lowercase();
    for gone in ["x-inner", "keep-alive:", "proxy-authenticate", "upgrade"] {
        assert!(!head.contains(gone), "{gone}: {head}");
    }
    for kept in ["set-cookie: a=1\r\n", "set-cookie: b=2\r\n", "x-outer: 2\r\n", "server: other\r\n"] {
        assert!(head.contains(kept), "{kept}: {head}");
    }
}

#[tokio::test]
async fn bytes_behind_an_answer_are_nobodys_answer() {
    let evil = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil";
    for first in [
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
        "HTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 304 Not Modified\r\ncontent-length: 0\r\n\r\n",
    ] {
        let behind = Behind::answering(format!("{first}{evil}")).await;
        let running = serve(behind.proxy()).await;
        for _ in 0..5 {
            let mut raw = Raw::connect(running.addresses()[0]).await;
            raw.send(get("GET")).await;
            let (head, body) = raw.answer("GET").await;
            assert_ne!(body, "evil", "{first}: {}", head.text);
        }
    }
}

#[tokio::test]
async fn browsers_get_a_page_and_others_a_sentence() {
    let behind = Behind::ending("").await;
    let running = serve(behind.proxy()).await;
    let mut raw = Raw::connect(running.addresses()[0]).await;
    raw.send("GET / HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\n\r\n").await;
    let (head, body) = raw.answer("GET").await;
    assert_eq!(head.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(body.starts_with("<!doctype html>") && body.contains("502 Bad Gateway"), "{body}");
}
