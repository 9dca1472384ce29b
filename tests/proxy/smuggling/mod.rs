//! Requests that try to get a second one, or a forged field, past the proxy.

use crate::http2::{DATA, END_HEADERS, END_STREAM, HEADERS, Http2, block, frame, get, request};
use crate::raw::Raw;
use crate::site::{Behind, plain, serve};

mod fields;
mod framing;

use fields::FIELDS;
use framing::FRAMING;

/// What the server behind must have got.
#[derive(Debug, Clone, Copy)]
enum Got {
    /// No byte of it.
    Nothing,
    /// These requests and no other, as [`plain`] tells them.
    These(&'static [&'static str]),
    /// At most one that breaks off: it can't be taken for a whole one.
    Broken,
}

use Got::{Broken, Nothing, These};

/// What is tried, the client's bytes, the status of the first answer, what the server behind got.
type Case = (&'static str, &'static str, u16, Got);

#[tokio::test]
async fn nothing_is_smuggled_past_the_proxy() {
    let cases: Vec<_> = FRAMING.iter().chain(FIELDS).collect();
    let mut failed = Vec::new();
    for case in &cases {
        if let Err(error) = tokio::spawn(one(**case)).await {
            let panic = error.into_panic();
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            failed.push(format!("{}\n    {:?}\n    {}", case.0, case.1, text.unwrap_or_default()));
        }
    }
    assert!(failed.is_empty(), "{} of {} cases:\n{}", failed.len(), cases.len(), failed.join("\n"));
    assert!(cases.len() >= 60, "{} cases", cases.len());
}

async fn one((_, bytes, status, got): Case) {
    let behind = Behind::honest().await;
    let running = serve(behind.proxy()).await;
    let address = running.addresses()[0];
    let mut raw = Raw::connect(address).await;
    raw.send(bytes).await;
    if status != 0 {
        assert_eq!(raw.head().await.status, status);
    }
    raw.half_close().await;
    raw.rest().await;
    // What had come into a kept connection before is read before this.
    let mut marker = Raw::connect(address).await;
    marker.send("GET /marker HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(marker.head().await.status, 200);
    let mut all = behind.log.all();
    let markers = all.extract_if(.., |entry| entry.starts_with("GET /marker HTTP/1.1\r\n")).count();
    assert_eq!(markers, 1, "{all:?}");
    match got {
        Nothing => assert!(all.is_empty(), "{all:?}"),
        Broken => {
            let whole = all.iter().find(|entry| !entry.starts_with("BROKEN "));
            assert!(whole.is_none() && all.iter().all(|entry| !entry.contains("GET /evil")), "{all:?}");
        }
        These(requests) => {
            let all: Vec<_> = all.iter().map(|request| plain(request)).collect();
            assert_eq!(all, requests);
        }
    }
}

#[tokio::test]
async fn http_2_brings_nothing_that_http_1_would_read_otherwise() {
    let with = |fields: &[(&'static str, &'static str)]| {
        let mut all: Vec<_> = get("/a").to_vec();
        all[0].1 = "POST";
        all.extend_from_slice(fields);
        block(&all)
    };
    type Row<'r> = (&'r str, &'r [(&'static str, &'static str)], bool);
    let cases: &[Row<'_>] = &[
        ("a coding", &[("transfer-encoding", "chunked")], false),
        ("a connection's list", &[("connection", "x")], false),
        ("a line's end in a value", &[("x", "a\r\nevil: 1")], false),
        ("a line's end in a name", &[("x\r\nevil", "1")], false),
        ("a length that the data contradicts", &[("content-length", "44")], false),
        ("a length that fits", &[("content-length", "2")], true),
        ("no length", &[], true),
    ];
    for (what, fields, passes) in cases {
        let behind = Behind::honest().await;
        let running = serve(behind.proxy()).await;
        let mut client = Http2::connect(running.addresses()[0]).await;
        client.raw.send(frame(HEADERS, END_HEADERS, 1, &with(fields))).await;
        client.raw.send(frame(DATA, END_STREAM, 1, b"ab")).await;
        let answer = client.answer().await;
        let whole = behind.log.all().iter().filter(|entry| !entry.starts_with("BROKEN")).count();
        assert_eq!((answer.kind == HEADERS, whole == 1), (*passes, *passes), "{what}: {answer:?}");
        assert!(behind.log.all().iter().all(|entry| !entry.contains("evil")), "{what}");
    }
    let behind = Behind::honest().await;
    let running = serve(behind.proxy()).await;
    let mut client = Http2::connect(running.addresses()[0]).await;
    client.raw.send(request(1, &get("/a?b"))).await;
    assert_eq!(client.answer().await.kind, HEADERS);
    assert_eq!(plain(&behind.log.all()[0]), "GET /a?b HTTP/1.1\nhost: a\n\n");
}
