//! Requests that try to get a second one, or a forged field, past the proxy.

use crate::http2::{DATA, END_HEADERS, END_STREAM, HEADERS, Http2, block, frame, get, request};
use crate::raw::Raw;
use crate::site::{Behind, plain, serve};

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

const CASES: &[Case] = &[
    (
        "nothing odd",
        "GET /a?b=c HTTP/1.1\r\nHost: a\r\n\r\n",
        200,
        These(&["GET /a?b=c HTTP/1.1\nhost: a\n\n"]),
    ),
    (
        "a length beside a coding that ends before",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 35\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /evil HTTP/1.1\r\nHost: a\r\n\r\n",
        200,
        These(&["POST / HTTP/1.1\nhost: a\ntransfer-encoding: chunked\n\n0\r\n\r\n"]),
    ),
    (
        "a length beside a coding that goes on",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n1f\r\nGET /evil HTTP/1.1\r\nHost: a\r\n\r\n\r\n0\r\n\r\n",
        200,
        These(&[
            "POST / HTTP/1.1\nhost: a\ntransfer-encoding: chunked\n\n1F\r\nGET /evil HTTP/1.1\r\nHost: a\r\n\r\n\r\n0\r\n\r\n",
        ]),
    ),
    (
        "a coding before a length",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
        200,
        These(&["POST / HTTP/1.1\nhost: a\ntransfer-encoding: chunked\n\n0\r\n\r\n"]),
    ),
    (
        "an unknown coding",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        400,
        Nothing,
    ),
    (
        "an unknown coding beside a length",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: cow\r\n\r\nabc",
        400,
        Nothing,
    ),
    (
        "chunked and then another",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        400,
        Nothing,
    ),
    (
        "another and then chunked",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n",
        501,
        Nothing,
    ),
    (
        "chunked twice in one field",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
        501,
        Nothing,
    ),
    (
        "chunked twice in two fields",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        501,
        Nothing,
    ),
    (
        "a second coding field",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: cow\r\n\r\n0\r\n\r\n",
        400,
        Nothing,
    ),
    (
        "a blank before the colon of the coding",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        400,
        Nothing,
    ),
    (
        "a vertical tab before the coding",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \x0bchunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        400,
        Nothing,
    ),
    (
        "a tab before the coding, which is a blank",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\tchunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        200,
        These(&["POST / HTTP/1.1\nhost: a\ntransfer-encoding: chunked\n\n3\r\nabc\r\n0\r\n\r\n"]),
    ),
    (
        "a coding in quotation marks",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n",
        400,
        Nothing,
    ),
    (
        "a coding with another name's spelling",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer_Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        200,
        These(&["POST / HTTP/1.1\ncontent-length: 5\nhost: a\n\n0\r\n\r\n"]),
    ),
    (
        "a length with another name's spelling",
        "POST / HTTP/1.1\r\nHost: a\r\nContent_Length: 44\r\nContent-Length: 2\r\n\r\nab",
        200,
        These(&["POST / HTTP/1.1\ncontent-length: 2\nhost: a\n\nab"]),
    ),
    (
        "a coding on a continued line",
        "POST / HTTP/1.1\r\nHost: a\r\nX: y\r\n Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        400,
        Nothing,
    ),
    (
        "a coding whose value is on a continued line",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
        400,
        Nothing,
    ),
    (
        "a coding behind a bare line feed",
        "POST / HTTP/1.1\r\nHost: a\r\nX: y\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        200,
        These(&["POST / HTTP/1.1\nhost: a\ntransfer-encoding: chunked\nx: y\n\n0\r\n\r\n"]),
    ),
    (
        "a coding behind a bare carriage return",
        "POST / HTTP/1.1\r\nHost: a\r\nX: y\rTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        400,
        Nothing,
    ),
    (
        "a coding in HTTP/1.0",
        "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        400,
        Nothing,
    ),
    (
        "two different lengths",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 34\r\n\r\nGET /evil HTTP/1.1\r\nHost: a\r\n\r\n",
        400,
        Nothing,
    ),
    (
        "two different lengths in one field",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0, 34\r\n\r\nGET /evil HTTP/1.1\r\nHost: a\r\n\r\n",
        400,
        Nothing,
    ),
    (
        "one length twice",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nab",
        200,
        These(&["POST / HTTP/1.1\ncontent-length: 2\nhost: a\n\nab"]),
    ),
    ("a length with a sign", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +2\r\n\r\nab", 400, Nothing),
    ("a negative length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\nab", 400, Nothing),
    ("a hexadecimal length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x2\r\n\r\nab", 400, Nothing),
    (
        "a length with a blank inside",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2 2\r\n\r\nab",
        400,
        Nothing,
    ),
    ("an empty length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \r\n\r\nab", 400, Nothing),
    (
        "a length over all numbers",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551618\r\n\r\nab",
        400,
        Nothing,
    ),
    (
        "chunk extensions, which are nobody else's",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b;c=\"d\"\r\nabc\r\n0;e\r\n\r\n",
        200,
        These(&["POST / HTTP/1.1\nhost: a\ntransfer-encoding: chunked\n\n3\r\nabc\r\n0\r\n\r\n"]),
    ),
    (
        "a chunk extension with a bare line feed",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;a\nabc\r\n0\r\n\r\nGET /evil HTTP/1.1\r\nHost: a\r\n\r\n",
        400,
        Broken,
    ),
    (
        "a chunk's size with a prefix",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n",
        400,
        Broken,
    ),
    (
        "a chunk's size over all numbers",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000003\r\nabc\r\n0\r\n\r\n",
        400,
        Broken,
    ),
    (
        "a chunk that is longer than its size",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcdef\r\n0\r\n\r\n",
        400,
        Broken,
    ),
    (
        "a chunk's size that ends with a bare line feed",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\nabc\r\n0\r\n\r\n",
        400,
        Broken,
    ),
    (
        "trailers that forge fields",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum, X-Forwarded-For, Content-Length, Host\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 7\r\nX-Forwarded-For: 6.6.6.6\r\nContent-Length: 90\r\nHost: evil\r\nX-Other: 1\r\n\r\n",
        200,
        These(&[
            "POST / HTTP/1.1\nhost: a\ntrailer: X-Sum, X-Forwarded-For, Content-Length, Host\ntransfer-encoding: chunked\n\n3\r\nabc\r\n0\r\nx-sum: 7\r\n\r\n",
        ]),
    ),
    (
        "an absolute target: its host wins",
        "GET http://b/c?d HTTP/1.1\r\nHost: a\r\n\r\n",
        200,
        These(&["GET /c?d HTTP/1.1\nhost: b\n\n"]),
    ),
    (
        "an absolute target with a name and a password",
        "GET http://u:p@b/c HTTP/1.1\r\nHost: a\r\n\r\n",
        400,
        Nothing,
    ),
    ("an authority as target", "GET b:80 HTTP/1.1\r\nHost: a\r\n\r\n", 400, Nothing),
    ("a tunnel", "CONNECT b:80 HTTP/1.1\r\nHost: b:80\r\n\r\n", 501, Nothing),
    ("two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, Nothing),
    ("no host", "GET / HTTP/1.1\r\n\r\n", 400, Nothing),
    ("a host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400, Nothing),
    ("a blank in the target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400, Nothing),
    ("HTTP/0.9", "GET /\r\n\r\n", 400, Nothing),
    ("NUL in a field", "GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n", 400, Nothing),
    (
        "line ends in the path, encoded",
        "GET /a%0d%0aX:%20y HTTP/1.1\r\nHost: a\r\n\r\n",
        200,
        These(&["GET /a%0d%0aX:%20y HTTP/1.1\nhost: a\n\n"]),
    ),
    (
        "a raw path with escapes, dots and slashes is kept",
        "GET //a%2Fb/../%2e%2e/c;d=e//?%7e&= HTTP/1.1\r\nHost: a\r\n\r\n",
        200,
        These(&["GET //a%2Fb/../%2e%2e/c;d=e//?%7e&= HTTP/1.1\nhost: a\n\n"]),
    ),
    (
        "an empty query is kept",
        "GET /a? HTTP/1.1\r\nHost: a\r\n\r\n",
        200,
        These(&["GET /a? HTTP/1.1\nhost: a\n\n"]),
    ),
    (
        "a connection's list that names what tells of the way",
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, X-Forwarded-For, Forwarded, Via, X-Request-ID, Host\r\nX-Forwarded-For: 6.6.6.6\r\n\r\n",
        200,
        These(&["GET / HTTP/1.1\nhost: a\n\n"]),
    ),
    (
        "a connection's list removes what it names",
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: X-One, x-two\r\nConnection: X-Three\r\nX-One: 1\r\nX-Two: 2\r\nX-Three: 3\r\nX-Four: 4\r\n\r\n",
        200,
        These(&["GET / HTTP/1.1\nhost: a\nx-four: 4\n\n"]),
    ),
    (
        "a connection's list that names the length",
        "POST / HTTP/1.1\r\nHost: a\r\nConnection: Content-Length\r\nContent-Length: 2\r\n\r\nab",
        200,
        These(&["POST / HTTP/1.1\ncontent-length: 2\nhost: a\n\nab"]),
    ),
    (
        "fields of one connection alone",
        "GET / HTTP/1.1\r\nHost: a\r\nKeep-Alive: 5\r\nProxy-Connection: close\r\nProxy-Authorization: x\r\nTE: gzip\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\nProxy: http://evil\r\n\r\n",
        200,
        These(&["GET / HTTP/1.1\nhost: a\n\n"]),
    ),
    (
        "an upgrade to h2c, through which anything could be asked",
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n",
        200,
        These(&["GET / HTTP/1.1\nhost: a\n\n"]),
    ),
    (
        "forged fields that tell of the way",
        "GET / HTTP/1.1\r\nHost: a\r\nForwarded: for=6.6.6.6;proto=https\r\nX-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: evil\r\nX-Forwarded-Port: 1\r\nX-Forwarded-Prefix: /evil\r\nX-Real-IP: 6.6.6.6\r\nX-Request-ID: evil\r\n\r\n",
        200,
        These(&["GET / HTTP/1.1\nhost: a\n\n"]),
    ),
    (
        "the same with underscores",
        "GET / HTTP/1.1\r\nHost: a\r\nX_Forwarded_For: 6.6.6.6\r\nX-Forwarded_Proto: https\r\nRemote_User: admin\r\nX-Fine: 1\r\n\r\n",
        200,
        These(&["GET / HTTP/1.1\nhost: a\nx-fine: 1\n\n"]),
    ),
    (
        "a GET with a body of a known length",
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab",
        200,
        These(&["GET / HTTP/1.1\ncontent-length: 2\nhost: a\n\nab"]),
    ),
    (
        "a GET with a body of an unknown length",
        "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
        200,
        These(&["GET / HTTP/1.1\nhost: a\ntransfer-encoding: chunked\n\n2\r\nab\r\n0\r\n\r\n"]),
    ),
    (
        "a POST without a body says so",
        "POST / HTTP/1.1\r\nHost: a\r\n\r\n",
        200,
        These(&["POST / HTTP/1.1\ncontent-length: 0\nhost: a\n\n"]),
    ),
    ("a body that ends early", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 20\r\n\r\nab", 0, Broken),
    (
        "two requests at once are two",
        "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n",
        200,
        These(&["GET /1 HTTP/1.1\nhost: a\n\n", "GET /2 HTTP/1.1\nhost: a\n\n"]),
    ),
    (
        "an empty line in front",
        "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        200,
        These(&["GET / HTTP/1.1\nhost: a\n\n"]),
    ),
    (
        "an unknown method is passed on as it is",
        "PURGE /a HTTP/1.1\r\nHost: a\r\n\r\n",
        200,
        These(&["PURGE /a HTTP/1.1\ncontent-length: 0\nhost: a\n\n"]),
    ),
    ("a method that is none", "G@T / HTTP/1.1\r\nHost: a\r\n\r\n", 400, Nothing),
    ("a field's name that is none", "GET / HTTP/1.1\r\nHost: a\r\nX(y): z\r\n\r\n", 400, Nothing),
];

#[tokio::test]
async fn nothing_is_smuggled_past_the_proxy() {
    let mut failed = Vec::new();
    for case in CASES {
        if let Err(error) = tokio::spawn(one(*case)).await {
            let panic = error.into_panic();
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            failed.push(format!("{}\n    {:?}\n    {}", case.0, case.1, text.unwrap_or_default()));
        }
    }
    assert!(failed.is_empty(), "{} of {} cases:\n{}", failed.len(), CASES.len(), failed.join("\n"));
    assert!(CASES.len() >= 60, "{} cases", CASES.len());
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
