//! RFC 9113, HTTP/2: frames and streams by hand, and what the server says to a client that breaks the rules.

use crate::http2::*;
use crate::site::start;

/// What must come back.
#[derive(Debug, Clone, Copy)]
enum Expect {
    /// An answer on stream 1, by the index of its status in HPACK's table.
    Status(u8),
    /// The stream or the connection ends with one of these codes; which of the two is the server's choice
    /// (section 5.4).
    Error(&'static [u32]),
    /// The connection ends with one of these codes.
    GoAway(&'static [u32]),
    /// A PING's answer.
    Pong,
}

use Expect::{Error, GoAway, Pong, Status};

const OK: u8 = 0x88;
const BAD_REQUEST: u8 = 0x8c;
const NOT_FOUND: u8 = 0x8d;
/// A status that the table has not, such as 426.
const UNLISTED: u8 = 0x48;

const PROTOCOL_ERROR: u32 = 1;

/// The h2 crate ends a connection with the general code where a frame's parser fails; the RFC has a special one for
/// each of these. What counts is that the connection ends. (docs/conformance.md says so.)
const UNPARSED: &[u32] = &[PROTOCOL_ERROR, FLOW_CONTROL_ERROR, FRAME_SIZE_ERROR, COMPRESSION_ERROR];

const FLOW_CONTROL_ERROR: u32 = 3;
const STREAM_CLOSED: u32 = 5;
const FRAME_SIZE_ERROR: u32 = 6;
const COMPRESSION_ERROR: u32 = 9;

/// A good GET whose field `name` has another value.
fn with<'a>(name: &'a str, value: &'a str) -> Vec<u8> {
    let mut fields: Vec<(&str, &str)> = get("/hello").to_vec();
    match fields.iter_mut().find(|(known, _)| *known == name) {
        Some(field) => field.1 = value,
        None => fields.push((name, value)),
    }
    request(1, &fields)
}

fn without(name: &str) -> Vec<u8> {
    let fields: Vec<_> = get("/hello").into_iter().filter(|(known, _)| *known != name).collect();
    request(1, &fields)
}

fn hello() -> Vec<u8> {
    request(1, &get("/hello"))
}

fn post(fields: &[(&str, &str)]) -> Vec<u8> {
    let head = [(":method", "POST"), (":scheme", "http"), (":authority", "a"), (":path", "/echo")];
    frame(HEADERS, END_HEADERS, 1, &block(&[&head, fields].concat()))
}

fn join(parts: &[Vec<u8>]) -> Vec<u8> {
    parts.concat()
}

type Case = (&'static str, Vec<u8>, Expect);

const FRAMING: usize = 33;
const FRAMES: usize = 37;
const MESSAGES: usize = 71;

/// How many cases this file's tables hold.
pub fn count() -> usize {
    FRAMING + FRAMES + MESSAGES
}

#[rustfmt::skip]
fn framing() -> Vec<Case> {
    let half = block(&get("/hello"));
    let (front, back) = half.split_at(10);
    vec![
        ("4.1: a frame of unknown type is ignored", join(&[frame(0xfe, 0xff, 0, b"x"), hello()]), Status(OK)),
        ("4.1: unknown flags are ignored", frame(HEADERS, END_STREAM | END_HEADERS | 0x42, 1, &half), Status(OK)),
        ("4.1: the reserved bit is ignored", frame(HEADERS, END_STREAM | END_HEADERS, 1 | 1 << 31, &half), Status(OK)),
        ("4.2: a frame over the limit", join(&[post(&[]), frame(DATA, 0, 1, &[0; 16_385])]), Error(&[FRAME_SIZE_ERROR])),
        ("4.3: a block that is not HPACK", frame(HEADERS, END_STREAM | END_HEADERS, 1, &[0xff; 9]), GoAway(UNPARSED)),
        ("4.3: an index beyond the table", frame(HEADERS, END_STREAM | END_HEADERS, 1, &[0xfe]), GoAway(UNPARSED)),
        ("4.3: the index 0", frame(HEADERS, END_STREAM | END_HEADERS, 1, &[0x80]), GoAway(UNPARSED)),
        ("4.3: a block in two frames", join(&[frame(HEADERS, END_STREAM, 1, front), frame(CONTINUATION, END_HEADERS, 1, back)]), Status(OK)),
        ("4.3: another frame inside a block", join(&[frame(HEADERS, END_STREAM, 1, front), frame(PING, 0, 0, &[0; 8])]), GoAway(&[PROTOCOL_ERROR])),
        ("4.3: another stream's frame inside a block", join(&[frame(HEADERS, END_STREAM, 1, front), frame(CONTINUATION, END_HEADERS, 3, back)]), GoAway(&[PROTOCOL_ERROR])),
        ("5.1: DATA on an idle stream", frame(DATA, END_STREAM, 1, b"x"), GoAway(&[PROTOCOL_ERROR])),
        ("5.1: RST_STREAM on an idle stream", frame(RST_STREAM, 0, 1, &[0; 4]), GoAway(&[PROTOCOL_ERROR])),
        ("5.1: WINDOW_UPDATE on an idle stream", frame(WINDOW_UPDATE, 0, 1, &[0, 0, 0, 1]), GoAway(&[PROTOCOL_ERROR])),
        ("5.1: CONTINUATION of nothing", frame(CONTINUATION, END_HEADERS, 1, &half), GoAway(&[PROTOCOL_ERROR])),
        ("5.1: DATA behind the end of a stream", join(&[post(&[]), frame(DATA, END_STREAM, 1, b""), frame(DATA, END_STREAM, 1, b"x")]), Error(&[STREAM_CLOSED, PROTOCOL_ERROR])),
        ("5.1: HEADERS behind the end of a stream", join(&[hello(), request(1, &get("/hello"))]), Error(&[STREAM_CLOSED, PROTOCOL_ERROR])),
        ("5.1: WINDOW_UPDATE behind the end of a stream", join(&[hello(), frame(WINDOW_UPDATE, 0, 1, &[0, 0, 0, 1])]), Status(OK)),
        ("5.1.1: an even stream", request(2, &get("/hello")), GoAway(&[PROTOCOL_ERROR])),
        ("5.1.1: a stream below an earlier one", join(&[request(5, &get("/stream")), request(3, &get("/hello"))]), GoAway(&[PROTOCOL_ERROR, STREAM_CLOSED])),
        ("4.1: a frame of unknown type on a stream is ignored", join(&[post(&[]), frame(0xfe, 0, 1, b"x"), frame(DATA, END_STREAM, 1, b"")]), Status(OK)),
        ("4.3: a frame of unknown type inside a block", join(&[frame(HEADERS, END_STREAM, 1, front), frame(0xfe, 0, 1, b"x"), frame(CONTINUATION, END_HEADERS, 1, back)]), GoAway(&[PROTOCOL_ERROR])),
        ("4.3: a block in many frames", join(&[frame(HEADERS, END_STREAM, 1, &front[..1]), frame(CONTINUATION, 0, 1, &front[1..]), frame(CONTINUATION, 0, 1, b""), frame(CONTINUATION, END_HEADERS, 1, back)]), Status(OK)),
        ("4.3: a table size over the one that was told", frame(HEADERS, END_STREAM | END_HEADERS, 1, &[&[0x3f, 0xe2, 0xff, 0x03][..], &half].concat()), GoAway(UNPARSED)),
        ("4.3: a table size within it", frame(HEADERS, END_STREAM | END_HEADERS, 1, &[&[0x20][..], &half].concat()), Status(OK)),
        ("4.3: a table size in the middle of a block", frame(HEADERS, END_STREAM | END_HEADERS, 1, &[&half[..], &[0x20]].concat()), GoAway(UNPARSED)),
        ("4.3: a Huffman code that is none", frame(HEADERS, END_STREAM | END_HEADERS, 1, &[0x00, 0x84, 0xff, 0xff, 0xff, 0xff, 0x01, b'a']), GoAway(UNPARSED)),
        ("4.3: a block that ends in the middle", frame(HEADERS, END_STREAM | END_HEADERS, 1, &half[..half.len() - 2]), GoAway(UNPARSED)),
        ("5.1: DATA on a stream that the client reset", join(&[post(&[]), frame(RST_STREAM, 0, 1, &[0, 0, 0, 8]), frame(DATA, END_STREAM, 1, b"x")]), Error(&[STREAM_CLOSED, PROTOCOL_ERROR])),
        ("5.1: CONTINUATION behind the end of a block", join(&[hello(), frame(CONTINUATION, END_HEADERS, 1, b"")]), GoAway(&[PROTOCOL_ERROR, STREAM_CLOSED])),
        ("5.1: PRIORITY on an idle stream", join(&[frame(PRIORITY, 0, 99, &[0, 0, 0, 0, 9]), hello()]), Status(OK)),
        ("5.1.1: the stream 0", request(0, &get("/hello")), GoAway(&[PROTOCOL_ERROR])),
        ("5.3.1: a stream that depends on itself", frame(HEADERS, END_STREAM | END_HEADERS | WITH_PRIORITY, 1, &[&[0, 0, 0, 1, 9][..], &half].concat()), Error(&[PROTOCOL_ERROR])),
        ("5.5: an unknown setting is ignored", join(&[frame(SETTINGS, 0, 0, &setting(0xff, 7)), hello()]), Status(OK)),
    ]
}

#[rustfmt::skip]
fn frames() -> Vec<Case> {
    let settings = |id, value| frame(SETTINGS, 0, 0, &setting(id, value));
    vec![
        ("6.1: DATA on stream 0", frame(DATA, 0, 0, b"x"), GoAway(&[PROTOCOL_ERROR])),
        ("6.1: padding longer than the frame", join(&[post(&[]), frame(DATA, PADDED | END_STREAM, 1, &[9, 0])]), GoAway(&[PROTOCOL_ERROR])),
        ("6.1: padded data", join(&[post(&[("content-length", "1")]), frame(DATA, PADDED | END_STREAM, 1, b"\x02a\0\0")]), Status(OK)),
        ("6.2: HEADERS on stream 0", frame(HEADERS, END_STREAM | END_HEADERS, 0, &block(&get("/hello"))), GoAway(&[PROTOCOL_ERROR])),
        ("6.2: padding longer than the header block", frame(HEADERS, END_STREAM | END_HEADERS | PADDED, 1, &[200, 0x82]), GoAway(&[PROTOCOL_ERROR])),
        ("6.2: padded headers with a priority", frame(HEADERS, END_STREAM | END_HEADERS | PADDED | WITH_PRIORITY, 1, &[&[1, 0, 0, 0, 0, 9][..], &block(&get("/hello")), &[0]].concat()), Status(OK)),
        ("6.3: PRIORITY is taken and means nothing", join(&[frame(PRIORITY, 0, 3, &[0, 0, 0, 1, 9]), hello()]), Status(OK)),
        ("6.3: PRIORITY on stream 0", frame(PRIORITY, 0, 0, &[0, 0, 0, 1, 9]), GoAway(&[PROTOCOL_ERROR])),
        ("6.3: PRIORITY of the wrong size", frame(PRIORITY, 0, 1, &[0; 4]), Error(UNPARSED)),
        ("6.4: RST_STREAM on stream 0", frame(RST_STREAM, 0, 0, &[0; 4]), GoAway(&[PROTOCOL_ERROR])),
        ("6.4: RST_STREAM of the wrong size", join(&[post(&[]), frame(RST_STREAM, 0, 1, &[0; 3])]), GoAway(UNPARSED)),
        ("6.5: SETTINGS on a stream", frame(SETTINGS, 0, 1, &[]), GoAway(&[PROTOCOL_ERROR])),
        ("6.5: SETTINGS of the wrong size", frame(SETTINGS, 0, 0, &[0; 5]), GoAway(UNPARSED)),
        ("6.5: an acknowledgement with a payload", frame(SETTINGS, ACK, 0, &setting(3, 1)), GoAway(UNPARSED)),
        ("6.5.2: push that is neither on nor off", settings(2, 2), GoAway(&[PROTOCOL_ERROR])),
        ("6.5.2: a window over 2^31-1", settings(4, 1 << 31), GoAway(UNPARSED)),
        ("6.5.2: a frame size below 2^14", settings(5, 16_383), GoAway(&[PROTOCOL_ERROR])),
        ("6.5.2: a frame size over 2^24-1", settings(5, 1 << 24), GoAway(&[PROTOCOL_ERROR])),
        ("6.5.2: a table of 0 bytes", join(&[settings(1, 0), hello()]), Status(OK)),
        ("6.5.2: push that is off", join(&[settings(2, 0), hello()]), Status(OK)),
        ("6.5.2: the largest window", join(&[settings(4, (1 << 31) - 1), hello()]), Status(OK)),
        ("6.5.2: the largest frames", join(&[settings(5, (1 << 24) - 1), hello()]), Status(OK)),
        ("6.5.3: the same setting twice: the last counts", join(&[frame(SETTINGS, 0, 0, &[setting(4, 1), setting(4, 65_535)].concat()), hello()]), Status(OK)),
        ("6.5: settings of nothing", join(&[frame(SETTINGS, 0, 0, &[]), hello()]), Status(OK)),
        ("3 of 8441: extended CONNECT that is neither on nor off", settings(8, 2), GoAway(&[PROTOCOL_ERROR])),
        ("6.9.2: a window that a setting makes overflow", join(&[post(&[]), frame(WINDOW_UPDATE, 0, 1, &[0, 1, 0, 0]), settings(4, (1 << 31) - 1)]), Error(&[FLOW_CONTROL_ERROR])),
        ("6.6: a client promises nothing", frame(PUSH_PROMISE, END_HEADERS, 1, &[0, 0, 0, 2]), GoAway(&[PROTOCOL_ERROR])),
        ("6.7: PING", frame(PING, 0, 0, b"12345678"), Pong),
        ("6.7: an answer to no PING is ignored", join(&[frame(PING, ACK, 0, b"12345678"), hello()]), Status(OK)),
        ("6.7: PING on a stream", frame(PING, 0, 1, &[0; 8]), GoAway(&[PROTOCOL_ERROR])),
        ("6.7: PING of the wrong size", frame(PING, 0, 0, &[0; 7]), GoAway(UNPARSED)),
        ("6.8: GOAWAY on a stream", frame(GOAWAY, 0, 1, &[0; 8]), GoAway(&[PROTOCOL_ERROR])),
        ("6.9: WINDOW_UPDATE of nothing", frame(WINDOW_UPDATE, 0, 0, &[0; 4]), GoAway(&[PROTOCOL_ERROR])),
        ("6.9: WINDOW_UPDATE of nothing on a stream", join(&[post(&[]), frame(WINDOW_UPDATE, 0, 1, &[0; 4])]), Error(&[PROTOCOL_ERROR])),
        ("6.9: WINDOW_UPDATE of the wrong size", frame(WINDOW_UPDATE, 0, 0, &[0; 3]), GoAway(UNPARSED)),
        ("6.9.1: a window over 2^31-1 by updates", frame(WINDOW_UPDATE, 0, 0, &[0x7f, 255, 255, 255]), GoAway(&[FLOW_CONTROL_ERROR])),
        ("6.9.1: a stream's window over 2^31-1", join(&[post(&[]), frame(WINDOW_UPDATE, 0, 1, &[0x7f, 255, 255, 255])]), Error(&[FLOW_CONTROL_ERROR])),
    ]
}

#[rustfmt::skip]
fn messages() -> Vec<Case> {
    let body = |fields: &[(&str, &str)], data: &[u8]| join(&[post(fields), frame(DATA, END_STREAM, 1, data)]);
    vec![
        ("8.1: a request", hello(), Status(OK)),
        ("8.1: a request with a body", body(&[], b"abc"), Status(OK)),
        ("8.1: trailers", join(&[post(&[]), frame(DATA, 0, 1, b"abc"), frame(HEADERS, END_STREAM | END_HEADERS, 1, &block(&[("x", "y")]))]), Status(OK)),
        ("8.1: trailers that do not end the stream", join(&[post(&[]), frame(DATA, 0, 1, b"abc"), frame(HEADERS, END_HEADERS, 1, &block(&[("x", "y")]))]), Error(&[PROTOCOL_ERROR])),
        ("8.1: a pseudo-field in trailers is dropped (h2 does not refuse it)", join(&[post(&[]), frame(DATA, 0, 1, b"abc"), frame(HEADERS, END_STREAM | END_HEADERS, 1, &block(&[(":path", "/")]))]), Status(OK)),
        ("8.1.1: a length that fits", body(&[("content-length", "3")], b"abc"), Status(OK)),
        ("8.1.1: a length that is too long", body(&[("content-length", "4")], b"abc"), Error(&[PROTOCOL_ERROR])),
        ("8.1.1: a length that is too short", body(&[("content-length", "2")], b"abc"), Error(&[PROTOCOL_ERROR])),
        ("8.1.1: a length without a body", with("content-length", "3"), Error(&[PROTOCOL_ERROR])),
        ("8.2.1: a name in upper case", with("X-Upper", "a"), Error(&[PROTOCOL_ERROR])),
        ("8.2.1: a name with a space", with("x y", "a"), Error(&[PROTOCOL_ERROR])),
        ("8.2.1: a line's end in a value", with("x", "a\r\nb: c"), Error(&[PROTOCOL_ERROR])),
        ("8.2.1: NUL in a value", with("x", "a\0b"), Error(&[PROTOCOL_ERROR])),
        ("8.2.2: connection", with("connection", "close"), Error(&[PROTOCOL_ERROR])),
        ("8.2.2: keep-alive", with("keep-alive", "1"), Error(&[PROTOCOL_ERROR])),
        ("8.2.2: transfer-encoding", with("transfer-encoding", "chunked"), Error(&[PROTOCOL_ERROR])),
        ("8.2.2: upgrade", with("upgrade", "websocket"), Error(&[PROTOCOL_ERROR])),
        ("8.2.2: te with anything but trailers", with("te", "gzip"), Error(&[PROTOCOL_ERROR])),
        ("8.2.2: te with trailers", with("te", "trailers"), Status(OK)),
        ("8.3: an unknown pseudo-field", with(":unknown", "a"), Error(&[PROTOCOL_ERROR])),
        ("8.3: a pseudo-field of answers", with(":status", "200"), Error(&[PROTOCOL_ERROR])),
        ("8.3: a pseudo-field behind a field", request(1, &[(":method", "GET"), (":scheme", "http"), ("x", "y"), (":path", "/hello")]), Error(&[PROTOCOL_ERROR])),
        ("8.3: a pseudo-field twice", request(1, &[(":method", "GET"), (":method", "GET"), (":scheme", "http"), (":path", "/hello")]), Error(&[PROTOCOL_ERROR])),
        ("8.3.1: no method", without(":method"), Error(&[PROTOCOL_ERROR])),
        ("8.3.1: no scheme", without(":scheme"), Error(&[PROTOCOL_ERROR])),
        ("8.3.1: no path", without(":path"), Error(&[PROTOCOL_ERROR])),
        ("8.3.1: a path without its slash", with(":path", "hello"), Error(&[PROTOCOL_ERROR])),
        ("8.3.1: a path with a fragment", with(":path", "/hello#a"), Status(OK)),
        ("8.3.1: an empty path", with(":path", ""), Error(&[PROTOCOL_ERROR])),
        ("8.3.1: Host and authority that agree", with("host", "a"), Status(OK)),
        ("8.3.1: Host and authority that do not", with("host", "b"), Status(BAD_REQUEST)),
        ("8.3.1: a malformed authority", with(":authority", "a b"), Error(&[PROTOCOL_ERROR])),
        ("8.3.1: user information in the authority", with(":authority", "me@a"), Status(BAD_REQUEST)),
        ("8.3.1: a path that is not there", with(":path", "/no"), Status(NOT_FOUND)),
        ("8.3.1: an escape that is none", with(":path", "/%zz"), Status(BAD_REQUEST)),
        ("8.3.1: neither authority nor Host", without(":authority"), Status(BAD_REQUEST)),
        ("8.3.1: Host in place of an authority", request(1, &[(":method", "GET"), (":scheme", "http"), (":path", "/hello"), ("host", "a")]), Status(OK)),
        ("8.3.1: an empty authority", with(":authority", ""), Error(&[PROTOCOL_ERROR])),
        ("8.3.1: two Hosts", request(1, &[(":method", "GET"), (":scheme", "http"), (":path", "/hello"), ("host", "a"), ("host", "a")]), Status(BAD_REQUEST)),
        ("8.3.1: a malformed Host", request(1, &[(":method", "GET"), (":scheme", "http"), (":path", "/hello"), ("host", "a b")]), Status(BAD_REQUEST)),
        ("8.3.1: an empty method", with(":method", ""), Error(&[PROTOCOL_ERROR])),
        ("8.3.1: a method that is no token", with(":method", "G T"), Error(&[PROTOCOL_ERROR])),
        ("8.3.1: an authority twice", request(1, &[(":method", "GET"), (":scheme", "http"), (":authority", "a"), (":authority", "a"), (":path", "/hello")]), Error(&[PROTOCOL_ERROR])),
        ("8.3.1: a path twice", request(1, &[(":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", "/hello"), (":path", "/hello")]), Error(&[PROTOCOL_ERROR])),
        ("8.3.1: OPTIONS of the server", request(1, &[(":method", "OPTIONS"), (":scheme", "http"), (":authority", "a"), (":path", "*")]), Status(OK)),
        ("8.3.1: the asterisk with another method", with(":path", "*"), Status(BAD_REQUEST)),
        ("8.2.1: an empty name", with("", "a"), Error(&[PROTOCOL_ERROR])),
        ("8.2.1: a name with a colon inside", with("x:y", "a"), Error(&[PROTOCOL_ERROR])),
        ("8.2.1: CR in a value", with("x", "a\rb"), Error(&[PROTOCOL_ERROR])),
        ("8.2.1: LF in a value", with("x", "a\nb"), Error(&[PROTOCOL_ERROR])),
        ("8.2.1: an empty value", with("x", ""), Status(OK)),
        ("8.2.2: proxy-connection", with("proxy-connection", "keep-alive"), Error(&[PROTOCOL_ERROR])),
        ("8.2.2: te with trailers and more", with("te", "trailers, gzip"), Error(&[PROTOCOL_ERROR])),
        ("8.1.1: a length that is no number", body(&[("content-length", "x")], b"abc"), Error(&[PROTOCOL_ERROR])),
        ("8.1.1: two lengths", body(&[("content-length", "3"), ("content-length", "4")], b"abc"), Error(&[PROTOCOL_ERROR])),
        ("8.1.1: a length that the data passes in a later frame", join(&[post(&[("content-length", "3")]), frame(DATA, 0, 1, b"abc"), frame(DATA, END_STREAM, 1, b"d")]), Error(&[PROTOCOL_ERROR])),
        ("8.1.1: a length of nothing", body(&[("content-length", "0")], b""), Status(OK)),
        ("8.1: a name in upper case in trailers", join(&[post(&[]), frame(DATA, 0, 1, b"abc"), frame(HEADERS, END_STREAM | END_HEADERS, 1, &block(&[("X-Upper", "y")]))]), Error(&[PROTOCOL_ERROR])),
        ("8.1: a field of one connection in trailers", join(&[post(&[]), frame(DATA, 0, 1, b"abc"), frame(HEADERS, END_STREAM | END_HEADERS, 1, &block(&[("connection", "close")]))]), Error(&[PROTOCOL_ERROR])),
        ("8.5: CONNECT of a tunnel", request(1, &[(":method", "CONNECT"), (":authority", "a:80")]), Status(UNLISTED)),
        ("8.5: CONNECT without an authority", request(1, &[(":method", "CONNECT")]), Status(BAD_REQUEST)),
        ("8.5: CONNECT with a scheme", request(1, &[(":method", "CONNECT"), (":scheme", "http"), (":authority", "a:80")]), Error(&[PROTOCOL_ERROR])),
        ("4 of 8441: a protocol with another method", with(":protocol", "websocket"), Error(&[PROTOCOL_ERROR])),
        ("4 of 8441: a protocol without a path", request(1, &[(":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "http"), (":authority", "a")]), Error(&[PROTOCOL_ERROR])),
        ("4 of 8441: a protocol without a scheme", request(1, &[(":method", "CONNECT"), (":protocol", "websocket"), (":path", "/ws/"), (":authority", "a")]), Error(&[PROTOCOL_ERROR])),
        ("4 of 8441: a protocol that is not known", request(1, &[(":method", "CONNECT"), (":protocol", "smoke"), (":scheme", "http"), (":path", "/ws/"), (":authority", "a")]), Status(UNLISTED)),
        ("5 of 8441: a WebSocket", frame(HEADERS, END_HEADERS, 1, &block(&[(":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "http"), (":path", "/ws/"), (":authority", "a"), ("sec-websocket-version", "13")])), Status(OK)),
        ("5 of 8441: a WebSocket with Upgrade", frame(HEADERS, END_HEADERS, 1, &block(&[(":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "http"), (":path", "/ws/"), (":authority", "a"), ("sec-websocket-version", "13"), ("upgrade", "websocket")])), Error(&[PROTOCOL_ERROR])),
        ("5 of 8441: no version", frame(HEADERS, END_HEADERS, 1, &block(&[(":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "http"), (":path", "/ws/"), (":authority", "a")])), Status(UNLISTED)),
        ("5 of 8441: a socket that is not there", frame(HEADERS, END_HEADERS, 1, &block(&[(":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "http"), (":path", "/no"), (":authority", "a"), ("sec-websocket-version", "13")])), Status(NOT_FOUND)),
        ("8.5: CONNECT with a path", with(":method", "CONNECT"), Error(&[PROTOCOL_ERROR])),
    ]
}

async fn run(cases: Vec<Case>) {
    let server = start().await;
    let address = server.addresses()[0];
    let mut failed = Vec::new();
    let count = cases.len();
    for (rule, bytes, expect) in cases {
        if let Err(error) = tokio::spawn(case(address, bytes, expect)).await {
            failed.push(format!("{rule}: {}", crate::site::text(error)));
        }
    }
    assert!(failed.is_empty(), "{} of {count} cases:\n{}", failed.len(), failed.join("\n"));
}

async fn case(address: std::net::SocketAddr, bytes: Vec<u8>, expect: Expect) {
    let mut client = Http2::connect(address).await;
    client.raw.send(bytes).await;
    let found = client.answer().await;
    match expect {
        Status(index) => {
            // A change of the table's size may stand in front.
            let status = found.payload.iter().find(|byte| **byte & 0xe0 != 0x20);
            assert_eq!((found.kind, found.stream, status), (HEADERS, 1, Some(&index)), "{found:?}");
        }
        Pong => assert_eq!((found.kind, found.flags, &*found.payload), (PING, ACK, &b"12345678"[..])),
        Error(codes) => {
            assert!(matches!(found.kind, RST_STREAM | GOAWAY), "{found:?}");
            assert!(codes.contains(&found.code()), "{found:?}");
        }
        GoAway(codes) => {
            let mut found = found;
            // What was answered before the mistake may come first.
            while found.kind != GOAWAY {
                found = client.answer().await;
            }
            assert!(codes.contains(&found.code()), "{found:?}");
            client.raw.rest().await;
        }
    }
}

#[tokio::test]
async fn frames_and_streams() {
    let cases = framing();
    assert_eq!(cases.len(), FRAMING);
    run(cases).await;
}

#[tokio::test]
async fn each_kind_of_frame() {
    let cases = frames();
    assert_eq!(cases.len(), FRAMES);
    run(cases).await;
}

#[tokio::test]
async fn requests() {
    let cases = messages();
    assert_eq!(cases.len(), MESSAGES);
    run(cases).await;
}

/// Section 3.4: what looks like a preface and is none is not HTTP/2.
#[tokio::test]
async fn a_broken_preface_ends_the_connection() {
    let server = start().await;
    let mut raw = crate::raw::Raw::connect(server.addresses()[0]).await;
    raw.send("PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n").await;
    raw.rest().await;
}

/// Section 5.1.2: streams over the limit that was told are refused, and those below go on.
#[tokio::test]
async fn streams_over_the_limit_are_refused() {
    let server = start().await;
    let mut client = Http2::connect(server.addresses()[0]).await;
    let post = |stream| {
        let fields = [(":method", "POST"), (":scheme", "http"), (":authority", "a"), (":path", "/echo")];
        frame(HEADERS, END_HEADERS, stream, &block(&fields))
    };
    for number in 0..=200 {
        client.raw.send(post(2 * number + 1)).await;
    }
    let refused = client.answer().await;
    assert_eq!((refused.kind, refused.stream, refused.code()), (RST_STREAM, 401, 7));
    client.raw.send(frame(DATA, END_STREAM, 1, b"x")).await;
    let answer = client.answer().await;
    assert_eq!((answer.kind, answer.stream, answer.payload[0]), (HEADERS, 1, OK));
}

/// Section 8.2.3: cookies that were split are one field again.
#[tokio::test]
async fn cookies_are_joined() {
    let server = start().await;
    let mut client = Http2::connect(server.addresses()[0]).await;
    client.raw.send(request(1, &[&get("/echo")[..], &[("cookie", "a=b"), ("cookie", "c=d")]].concat())).await;
    assert_eq!(client.answer().await.kind, HEADERS);
    let body = String::from_utf8(client.answer().await.payload).unwrap();
    assert!(body.contains("cookie: a=b; c=d"), "{body}");
}

/// Section 10.5.1: a header block over the limit that was told is refused, whether in one field or in many.
#[tokio::test]
async fn too_large_a_header_block_is_refused() {
    let (long, short) = ("x".repeat(10_000), "y".repeat(100));
    for (value, count) in [(&long, 8), (&short, 700)] {
        let server = start().await;
        let mut client = Http2::connect(server.addresses()[0]).await;
        let names: Vec<_> = (0..count).map(|number| format!("x-{number}")).collect();
        let fields = names.iter().map(|name| (&**name, &**value));
        let whole = block(&get("/hello").into_iter().chain(fields).collect::<Vec<_>>());
        let mut parts = whole.chunks(16_384).peekable();
        let mut bytes = frame(HEADERS, END_STREAM, 1, parts.next().unwrap());
        while let Some(part) = parts.next() {
            let flags = if parts.peek().is_none() { END_HEADERS } else { 0 };
            bytes.extend(frame(CONTINUATION, flags, 1, part));
        }
        client.raw.send(bytes).await;
        let found = client.answer().await;
        let status = found.payload.iter().find(|byte| **byte & 0xe0 != 0x20);
        match found.kind {
            HEADERS => assert_eq!(status, Some(&UNLISTED), "431, not 200: {found:?}"),
            kind => assert!(matches!(kind, RST_STREAM | GOAWAY), "{found:?}"),
        }
    }
}
