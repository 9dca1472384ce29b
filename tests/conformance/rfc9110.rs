//! RFC 9110, HTTP semantics: methods, statuses, fields, content.

use crate::raw::{Head, Raw, handshake};
use crate::site::{Case, Closed, OneOf, Open, Refused, run, start};

/// Section 4 and 7: targets and routing.
#[rustfmt::skip]
const TARGETS: &[Case] = &[
    ("4.2.3: an escaped character is the character", "GET /%65cho HTTP/1.1\r\nHost: a\r\n\r\n", Open(&[200])),
    ("4.2.3: escapes in lower case", "GET /%6cello HTTP/1.1\r\nHost: a\r\n\r\n", Open(&[404])),
    ("4.1: an escape of one digit", "GET /echo%4 HTTP/1.1\r\nHost: a\r\n\r\n", Refused(&[400])),
    ("4.1: an escape that is no number", "GET /echo%zz HTTP/1.1\r\nHost: a\r\n\r\n", Refused(&[400])),
    ("4.1: an escape at the end", "GET /echo% HTTP/1.1\r\nHost: a\r\n\r\n", Refused(&[400])),
    ("4.1: an escaped NUL", "GET /echo%00 HTTP/1.1\r\nHost: a\r\n\r\n", Refused(&[400])),
    ("4.1: bytes that are not UTF-8", "GET /echo%ff HTTP/1.1\r\nHost: a\r\n\r\n", Refused(&[400])),
    ("4.1: an overlong slash", "GET /%c0%afecho HTTP/1.1\r\nHost: a\r\n\r\n", Refused(&[400])),
    ("4.1: a surrogate", "GET /%ed%a0%80 HTTP/1.1\r\nHost: a\r\n\r\n", Refused(&[400])),
    ("4.1: NUL itself", "GET /echo\0 HTTP/1.1\r\nHost: a\r\n\r\n", Refused(&[400])),
    ("4.1: a control character", "GET /echo\x07 HTTP/1.1\r\nHost: a\r\n\r\n", Refused(&[400])),
    ("4.1: a query may hold escapes of any bytes", "GET /echo?a=%ff%00 HTTP/1.1\r\nHost: a\r\n\r\n", Open(&[200])),
    ("4.1: a question mark in a query", "GET /echo?a=? HTTP/1.1\r\nHost: a\r\n\r\n", Open(&[200])),
    ("4.1: dot segments are not resolved into other resources", "GET /x/../echo HTTP/1.1\r\nHost: a\r\n\r\n", Open(&[404])),
    ("7.4: an unknown scheme in the target", "GET ftp://a/echo HTTP/1.1\r\nHost: a\r\n\r\n", OneOf(&[200, 400, 421])),
    ("7.8: an upgrade to an unknown protocol is ignored", "GET /hello HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: IRC/6.9\r\n\r\n", Open(&[200])),
    ("7.8: an upgrade to h2c is ignored", "GET /hello HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n", Open(&[200])),
    ("7.8: Upgrade without Connection is ignored", "GET /hello HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n", Open(&[200])),
    ("7.8: Upgrade in HTTP/1.0 is ignored", "GET /ws/ HTTP/1.0\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", Closed(&[426])),
];

/// Section 9: methods.
#[rustfmt::skip]
const METHODS: &[Case] = &[
    ("9.1: methods are case-sensitive", "get /hello HTTP/1.1\r\nHost: a\r\n\r\n", Open(&[405])),
    ("9.1: a method that the resource has not", "DELETE /hello HTTP/1.1\r\nHost: a\r\n\r\n", Open(&[405])),
    ("9.1: a method that nobody knows", "BREW /hello HTTP/1.1\r\nHost: a\r\n\r\n", Open(&[405])),
    ("9.1: a long method", "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHIJKLMNOPQRSTUVWXYZ /hello HTTP/1.1\r\nHost: a\r\n\r\n", Open(&[405])),
    ("9.1: a method with every character of a token", "M!#$%&'*+-.^_`|~9 /hello HTTP/1.1\r\nHost: a\r\n\r\n", Open(&[405])),
    ("9.3.2: HEAD", "HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\n", Open(&[200])),
    ("9.3.2: HEAD of what is not there", "HEAD /no HTTP/1.1\r\nHost: a\r\n\r\n", Open(&[404])),
    ("9.3.2: HEAD of a stream", "HEAD /stream HTTP/1.1\r\nHost: a\r\n\r\n", Open(&[200])),
    ("9.3.2: HEAD with HTTP/1.0", "HEAD /hello HTTP/1.0\r\n\r\n", Closed(&[200])),
    ("9.3.6: CONNECT", "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", Refused(&[501])),
    ("9.3.7: OPTIONS", "OPTIONS /hello HTTP/1.1\r\nHost: a\r\n\r\n", Open(&[200])),
    ("9.3.8: TRACE is not reflected", "TRACE /hello HTTP/1.1\r\nHost: a\r\n\r\n", Open(&[405])),
    ("9.1: a method of one letter", "X /hello HTTP/1.1\r\nHost: a\r\n\r\n", Open(&[405])),
    ("9.1: a method that nobody knows, of what is not there", "BREW /no HTTP/1.1\r\nHost: a\r\n\r\n", Open(&[404])),
    ("9.3.1: GET with a body that nobody reads", "GET /hello HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", Open(&[200])),
    ("9.3.7: OPTIONS with a body", "OPTIONS /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", Open(&[200])),
    ("9.3.3: POST without a body", "POST /echo HTTP/1.1\r\nHost: a\r\n\r\n", Open(&[200])),
];

/// Section 6 and 15: content and statuses.
#[rustfmt::skip]
const STATUSES: &[Case] = &[
    ("15.3.5: 204 has no content", "GET /full/204 HTTP/1.1\r\nHost: a\r\n\r\n", Open(&[204])),
    ("15.3.6: 205 has no content", "GET /full/205 HTTP/1.1\r\nHost: a\r\n\r\n", Open(&[205])),
    ("15.4.5: 304 has no content", "GET /full/304 HTTP/1.1\r\nHost: a\r\n\r\n", Open(&[304])),
    ("15.2: a view cannot end a request with 100", "GET /status/100 HTTP/1.1\r\nHost: a\r\n\r\n", OneOf(&[500])),
    ("15.2.2: a view cannot switch protocols that nobody asked to switch", "GET /status/101 HTTP/1.1\r\nHost: a\r\n\r\n", OneOf(&[500])),
    ("15.2: nor with 103", "GET /status/103 HTTP/1.1\r\nHost: a\r\n\r\n", OneOf(&[500])),
    ("15: a status that is not registered", "GET /status/299 HTTP/1.1\r\nHost: a\r\n\r\n", Open(&[299])),
    ("15: a status beyond 599", "GET /status/799 HTTP/1.1\r\nHost: a\r\n\r\n", Open(&[799])),
    ("15.5.18: an expectation that is not known", "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 200-maybe\r\nContent-Length: 0\r\n\r\n", OneOf(&[200, 417])),
    ("10.1.1: an expectation in a list", "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue, 100-continue\r\nContent-Length: 2\r\n\r\nab", OneOf(&[100, 200, 417])),
    ("10.1.1: an expectation of nothing", "POST /echo HTTP/1.1\r\nHost: a\r\nExpect:\r\nContent-Length: 2\r\n\r\nab", OneOf(&[200, 417])),
    ("10.1.1: an expectation with a body over the limit", "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 99999999\r\n\r\n", Refused(&[413, 417])),
    ("10.1.1: an expectation without a body", "GET /hello HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n", Open(&[200])),
    ("10.1.1: an expectation in HTTP/1.0", "POST /echo HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nab", Closed(&[200])),
];

/// How many cases this file's tables hold.
pub fn count() -> usize {
    TARGETS.len() + METHODS.len() + STATUSES.len()
}

#[tokio::test]
async fn targets() {
    run(TARGETS).await;
    assert_eq!(TARGETS.len(), 19);
}

#[tokio::test]
async fn methods() {
    run(METHODS).await;
    assert_eq!(METHODS.len(), 17);
}

#[tokio::test]
async fn statuses() {
    run(STATUSES).await;
    assert_eq!(STATUSES.len(), 14);
}

/// The answer to one request on a connection of its own.
async fn answer(method: &str, request: &str) -> (Head, String) {
    let server = start().await;
    let mut raw = Raw::connect(server.addresses()[0]).await;
    raw.send(request).await;
    raw.answer(method).await
}

/// Section 6.6.1: an origin server with a clock sends Date with every 2xx, 3xx and 4xx.
#[tokio::test]
async fn every_answer_has_a_date() {
    for path in ["/hello", "/no", "/full/304", "/full/204"] {
        let (head, _) = answer("GET", &format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")).await;
        let date = head.header("date").expect("a date");
        assert!(date.ends_with(" GMT") && date.len() == 29, "{date}");
    }
}

/// Section 6.6.1 again: also where no application was asked.
#[tokio::test]
async fn a_refusal_of_the_servers_own_has_a_date() {
    for bytes in ["GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", "BAD\r\n\r\n"] {
        let (head, _) = answer("GET", bytes).await;
        assert!(head.header("date").is_some(), "{}", head.text);
    }
}

/// Section 8.6: no Content-Length with 1xx and 204, and with none a coding either.
#[tokio::test]
async fn a_204_has_neither_framing() {
    for path in ["/full/204", "/status/204"] {
        let (head, _) = answer("GET", &format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")).await;
        assert_eq!((head.header("content-length"), head.header("transfer-encoding")), (None, None));
    }
}

/// Section 15.3.6: whatever the view gives, a 205 has no content.
#[tokio::test]
async fn a_205_is_empty() {
    let (head, body) = answer("GET", "GET /full/205 HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!((head.status, head.header("content-length"), &*body), (205, Some("0"), ""));
}

/// Section 9.3.2: the fields of HEAD are those of GET.
#[tokio::test]
async fn head_has_the_fields_of_get() {
    for path in ["/hello", "/stream", "/no", "/status/200"] {
        let (get, _) = answer("GET", &format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")).await;
        let (head, _) = answer("HEAD", &format!("HEAD {path} HTTP/1.1\r\nHost: a\r\n\r\n")).await;
        assert_eq!(
            (get.status, get.header("content-type")),
            (head.status, head.header("content-type")),
            "{path}"
        );
        // A body that is only made for GET may have no length in HEAD.
        if let Some(length) = head.header("content-length") {
            assert_eq!(get.header("content-length"), Some(length), "{path}");
        }
    }
}

/// Section 15.5.6: 405 carries Allow.
#[tokio::test]
async fn a_405_says_what_is_allowed() {
    let (head, _) = answer("PUT", "PUT /hello HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!((head.status, head.header("allow")), (405, Some("GET, HEAD, OPTIONS")));
}

/// Section 9.3.7: OPTIONS says it too.
#[tokio::test]
async fn options_says_what_is_allowed() {
    let (head, _) = answer("OPTIONS", "OPTIONS /hello HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!((head.status, head.header("allow")), (200, Some("GET, HEAD, OPTIONS")));
}

/// Section 15.5.22: 426 carries Upgrade.
#[tokio::test]
async fn a_426_says_to_what() {
    let (head, _) = answer("GET", "GET /ws/ HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!((head.status, head.header("upgrade")), (426, Some("websocket")));
}

/// Section 7.8: who sends Upgrade names it in Connection.
#[tokio::test]
async fn upgrade_is_named_in_connection() {
    let version = handshake("/ws/", "").replace("Version: 13", "Version: 12");
    for request in ["GET /ws/ HTTP/1.1\r\nHost: a\r\n\r\n", &version] {
        let (head, _) = answer("GET", request).await;
        assert_eq!((head.status, head.header("upgrade")), (426, Some("websocket")));
        let options = head.header("connection").unwrap_or_default().to_ascii_lowercase();
        assert!(options.split(',').any(|option| option.trim() == "upgrade"), "{}", head.text);
    }
}

/// Section 9.3.7: OPTIONS of the server has no content, and says so.
#[tokio::test]
async fn options_of_the_server_is_empty() {
    let (head, _) = answer("OPTIONS", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!((head.status, head.header("content-length")), (200, Some("0")));
}

/// Section 9.3.8: nothing of a TRACE comes back, neither its fields nor its content.
#[tokio::test]
async fn trace_echoes_nothing() {
    for path in ["/hello", "/no", "/ws/"] {
        let request =
            format!("TRACE {path} HTTP/1.1\r\nHost: a\r\nCookie: secret=1\r\nMax-Forwards: 0\r\n\r\n");
        let (head, body) = answer("TRACE", &request).await;
        assert!(matches!(head.status, 404 | 405 | 426 | 501), "{}", head.text);
        assert!(!body.contains("secret") && !head.text.contains("secret"), "{body}");
    }
}

/// Section 5.6.7: dates have one form, and are not of tomorrow.
#[tokio::test]
async fn dates_are_in_the_preferred_form() {
    let (head, _) = answer("GET", "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let text = head.header("date").unwrap();
    let date = httpdate::parse_http_date(text).unwrap();
    assert_eq!(httpdate::fmt_http_date(date), text);
    assert!(date <= std::time::SystemTime::now());
}

/// Section 15.5.6: whatever refuses the method, the answer names those that are allowed.
#[tokio::test]
async fn every_405_has_allow() {
    let post = handshake("/ws/", "").replacen("GET", "POST", 1);
    let put = "PUT /hello HTTP/1.1\r\nHost: a\r\n\r\n".to_owned();
    let brew = "BREW /hello HTTP/1.1\r\nHost: a\r\n\r\n".to_owned();
    for request in [post, put, brew] {
        let (head, _) = answer("POST", &request).await;
        assert_eq!(head.status, 405, "{}", head.text);
        assert!(head.header("allow").is_some_and(|allow| allow.contains("GET")), "{}", head.text);
    }
}

/// Section 10.1.1: 100 comes before the body is sent, once the body is wanted.
#[tokio::test]
async fn a_client_that_waits_for_100_gets_it() {
    let server = start().await;
    let mut raw = Raw::connect(server.addresses()[0]).await;
    raw.send("POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 3\r\n\r\n").await;
    assert_eq!(raw.head().await.text, "HTTP/1.1 100 Continue\r\n\r\n");
    raw.send("abc").await;
    let (head, body) = raw.answer("POST").await;
    assert_eq!(head.status, 200);
    assert!(body.contains(r#""body":"abc""#), "{body}");
}

/// Section 10.1.1: a final status may come without 100; then the body is never asked for.
#[tokio::test]
async fn a_view_that_wants_no_body_sends_no_100() {
    let server = start().await;
    let mut raw = Raw::connect(server.addresses()[0]).await;
    raw.send("POST /ignore HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n").await;
    let (head, body) = raw.answer("POST").await;
    assert_eq!((head.status, &*body), (200, "ignored"));
    assert!(
        raw.ended().await,
        "whether the body still comes is not known: the connection can't be used further"
    );
}

/// Section 7.8: the answer to an upgrade has Upgrade, and Connection names it.
#[tokio::test]
async fn a_101_names_the_protocol() {
    let (head, _) = answer("GET", &handshake("/ws/", "")).await;
    assert_eq!((head.status, head.header("upgrade")), (101, Some("websocket")));
    assert!(head.header("connection").unwrap().eq_ignore_ascii_case("upgrade"));
}

/// Section 5.4 and 15.5.15: what is too large is refused, not cut off.
#[tokio::test]
async fn too_large_a_head_is_refused() {
    let long = "x".repeat(80 << 10);
    let many = "X: y\r\n".repeat(101);
    for (request, statuses) in [
        (format!("GET /{long} HTTP/1.1\r\nHost: a\r\n\r\n"), [414, 431]),
        (format!("GET / HTTP/1.1\r\nHost: a\r\nX: {long}\r\n\r\n"), [431, 431]),
        (format!("GET / HTTP/1.1\r\nHost: a\r\n{many}\r\n"), [431, 431]),
    ] {
        let (head, _) = answer("GET", &request).await;
        assert!(statuses.contains(&head.status), "{}", head.text);
    }
}
