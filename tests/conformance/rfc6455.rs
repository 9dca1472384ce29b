//! RFC 6455, WebSocket: the handshake, frames, and the end.

use crate::raw::{ACCEPT, KEY, Raw, close, frame, handshake};
use crate::site::start;

/// A handshake that differs from a good one: which text stands in place of which.
type Handshake = (&'static str, &'static str, &'static str, u16);

/// Section 4.2.1: what a client must send.
#[rustfmt::skip]
const HANDSHAKES: &[Handshake] = &[
    ("4.2.1: a good one", "", "", 101),
    ("4.2.1: POST", "GET /", "POST /", 405),
    ("4.2.1: HTTP/1.0 is too old for an upgrade", "HTTP/1.1", "HTTP/1.0", 426),
    ("4.2.1: no Host", "Host: 127.0.0.1\r\n", "", 400),
    ("4.2.1: two Hosts", "Host: 127.0.0.1\r\n", "Host: 127.0.0.1\r\nHost: 127.0.0.1\r\n", 400),
    ("4.2.1: no Upgrade", "Upgrade: websocket\r\n", "", 426),
    ("4.2.1: an Upgrade to something else", "Upgrade: websocket", "Upgrade: smoke-signals", 426),
    ("4.2.1: Upgrade in any case", "Upgrade: websocket", "Upgrade: WebSocket", 101),
    ("4.2.1: Upgrade among others", "Upgrade: websocket", "Upgrade: foo/1, websocket", 101),
    ("4.2.1: Upgrade in two fields", "Upgrade: websocket", "Upgrade: foo\r\nUpgrade: websocket", 101),
    ("4.2.1: Upgrade that only contains the word", "Upgrade: websocket", "Upgrade: websocket2", 426),
    ("4.2.1: no Connection", "Connection: Upgrade\r\n", "", 426),
    ("4.2.1: Connection in any case", "Connection: Upgrade", "Connection: uPGRADE", 101),
    ("4.2.1: Connection among others", "Connection: Upgrade", "Connection: keep-alive, Upgrade", 101),
    ("4.2.1: Connection in two fields", "Connection: Upgrade", "Connection: keep-alive\r\nConnection: Upgrade", 101),
    ("4.2.1: Connection without the token", "Connection: Upgrade", "Connection: keep-alive", 426),
    ("4.2.1: no key", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", "", 400),
    ("4.2.1: an empty key", "dGhlIHNhbXBsZSBub25jZQ==", "", 400),
    ("4.2.1: a key of 15 bytes", "dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25j", 400),
    ("4.2.1: a key of 17 bytes", "dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZWU=", 400),
    ("4.2.1: a key without padding", "dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQ", 400),
    ("4.2.1: a key in another alphabet", "dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25j-_==", 400),
    ("11.3.1: two keys", "Sec-WebSocket-Key: ", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Key: ", 400),
    ("4.4: no version", "Sec-WebSocket-Version: 13\r\n", "", 426),
    ("4.4: version 8", "Version: 13", "Version: 8", 426),
    ("4.4: version 14", "Version: 13", "Version: 14", 426),
    ("4.4: a version that is no number", "Version: 13", "Version: x", 426),
    ("4.4: a version with a zero in front", "Version: 13", "Version: 013", 426),
    ("11.3.5: two versions", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Version: 13", 400),
    ("4.1: a body", "Connection: Upgrade", "Content-Length: 4\r\nConnection: Upgrade", 400),
    ("4.1: a chunked body", "Connection: Upgrade", "Transfer-Encoding: chunked\r\nConnection: Upgrade", 400),
    ("4.2.2: a resource that is no socket", "GET /ws/", "GET /no", 404),
    ("4.2.2: a subprotocol that nobody speaks is left out", "Connection: Upgrade", "Sec-WebSocket-Protocol: x\r\nConnection: Upgrade", 101),
    ("9.1: an extension that nobody knows is left out", "Connection: Upgrade", "Sec-WebSocket-Extensions: x-foo; a=b\r\nConnection: Upgrade", 101),
    ("4.2.1: Upgrade beside HTTP/2", "Upgrade: websocket", "Upgrade: h2c, websocket", 101),
    ("4.2.1: Upgrade with a version", "Upgrade: websocket", "Upgrade: websocket/13", 426),
    ("4.2.1: HEAD", "GET /", "HEAD /", 405),
    ("4.2.1: Connection with a blank in the token", "Connection: Upgrade", "Connection: Up grade", 426),
    ("4.2.1: blanks around the key", "Key: dGhl", "Key: \t dGhl", 101),
    ("4.2.1: a key of 16 bytes and more", "dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQ==dGhl", 400),
    ("4.2.1: a key that is no base64", "dGhlIHNhbXBsZSBub25jZQ==", "the sample nonce, as it is!", 400),
    ("4.4: a list of versions", "Version: 13", "Version: 8, 13", 426),
    ("4.4: version 0", "Version: 13", "Version: 0", 426),
    ("4.4: a version beyond 255", "Version: 13", "Version: 256", 426),
    ("4.4: a negative version", "Version: 13", "Version: -13", 426),
    ("4.4: a version with a sign", "Version: 13", "Version: +13", 426),
    ("4.1: a body of nothing", "Connection: Upgrade", "Content-Length: 0\r\nConnection: Upgrade", 101),
    ("4.2.2: an offer of a subprotocol twice", "Connection: Upgrade", "Sec-WebSocket-Protocol: x, x\r\nConnection: Upgrade", 101),
    ("9.1: an offer of nothing", "Connection: Upgrade", "Sec-WebSocket-Extensions:\r\nConnection: Upgrade", 101),
    ("3: a path that is no UTF-8", "GET /ws/", "GET /ws/%ff", 400),
    ("3: an escaped path is the path", "GET /ws/", "GET /%77s/", 101),
    ("3: a query", "GET /ws/", "GET /ws/?a=b", 101),
    ("3: an absolute target", "GET /ws/", "GET http://127.0.0.1/ws/", 101),
];

pub const FRAMES: usize = 97;

/// The longest payload of a control frame.
const A125: &str = match std::str::from_utf8(&[b'a'; 125]) {
    Ok(text) => text,
    Err(_) => "",
};

/// How many cases this file's tables hold.
pub fn count() -> usize {
    HANDSHAKES.len() + FRAMES
}

#[tokio::test]
async fn handshakes() {
    let server = start().await;
    for (rule, good, instead, status) in HANDSHAKES {
        let mut raw = Raw::connect(server.addresses()[0]).await;
        let request = handshake("/ws/", "");
        assert!(request.contains(good), "{rule}");
        raw.send(request.replacen(good, instead, 1)).await;
        let head = raw.head().await;
        assert_eq!(head.status, *status, "{rule}: {}", head.text);
        if *status == 101 {
            assert_eq!(head.header("sec-websocket-accept"), Some(ACCEPT), "{rule}");
            assert_eq!(head.header("sec-websocket-protocol"), None, "{rule}");
            assert_eq!(head.header("sec-websocket-extensions"), None, "{rule}");
        }
    }
    assert_eq!(HANDSHAKES.len(), 53);
}

/// Section 4.4: a refused version is answered with those that are spoken.
#[tokio::test]
async fn a_refused_version_is_told_which_is_spoken() {
    let server = start().await;
    let mut raw = Raw::connect(server.addresses()[0]).await;
    raw.send(handshake("/ws/", "").replace("Version: 13", "Version: 25")).await;
    assert_eq!(raw.head().await.header("sec-websocket-version"), Some("13"));
}

/// Section 4.2.2: one of the subprotocols on offer, or none; offers in one field or several.
#[tokio::test]
async fn subprotocols() {
    let server = start().await;
    for (offer, chosen) in [
        ("Sec-WebSocket-Protocol: chat.v1\r\n", Some("chat.v1")),
        ("Sec-WebSocket-Protocol: chat.v1, chat.v2\r\n", Some("chat.v2")),
        ("Sec-WebSocket-Protocol: chat.v1\r\nSec-WebSocket-Protocol: chat.v2\r\n", Some("chat.v2")),
        ("Sec-WebSocket-Protocol: CHAT.V1\r\n", None),
        ("Sec-WebSocket-Protocol: \r\n", None),
    ] {
        let mut raw = Raw::connect(server.addresses()[0]).await;
        raw.send(handshake("/ws/spoken/", offer)).await;
        let head = raw.head().await;
        assert_eq!((head.status, head.header("sec-websocket-protocol")), (101, chosen), "{offer}");
    }
}

/// What must come back for the frames of a case.
pub enum Expect {
    /// These frames: first byte and payload.
    Frames(&'static [(u8, &'static str)]),
    /// A close frame with this code (0: without one), then the end of the stream.
    Close(u16),
}

use Expect::{Close, Frames};

/// A close frame with any payload.
fn closing(payload: &[u8]) -> Vec<u8> {
    frame(0x88, payload)
}

/// Section 5: frames; section 7: the end; section 8: text.
#[rustfmt::skip]
pub fn frames() -> Vec<(&'static str, Vec<u8>, Expect)> {
    let join = |parts: &[&[u8]]| parts.concat();
    vec![
        ("5.1: an unmasked frame", vec![0x81, 1, b'a'], Close(1002)),
        ("5.1: an unmasked close frame", vec![0x88, 0], Close(1002)),
        ("5.2: RSV1 that nobody negotiated", frame(0xc1, b"a"), Close(1002)),
        ("5.2: RSV2", frame(0xa1, b"a"), Close(1002)),
        ("5.2: RSV3", frame(0x91, b"a"), Close(1002)),
        ("5.2: RSV1 on a control frame", frame(0xc9, b""), Close(1002)),
        ("5.2: opcode 3", frame(0x83, b""), Close(1002)),
        ("5.2: opcode 4", frame(0x84, b""), Close(1002)),
        ("5.2: opcode 5", frame(0x85, b""), Close(1002)),
        ("5.2: opcode 6", frame(0x86, b""), Close(1002)),
        ("5.2: opcode 7", frame(0x87, b""), Close(1002)),
        ("5.2: opcode 11", frame(0x8b, b""), Close(1002)),
        ("5.2: opcode 12", frame(0x8c, b""), Close(1002)),
        ("5.2: opcode 13", frame(0x8d, b""), Close(1002)),
        ("5.2: opcode 14", frame(0x8e, b""), Close(1002)),
        ("5.2: opcode 15", frame(0x8f, b""), Close(1002)),
        ("5.2: a length of 125 in 16 bits", vec![0x81, 0xfe, 0, 125, 0, 0, 0, 0], Close(1002)),
        ("5.2: a length of 1 in 64 bits", vec![0x81, 0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0], Close(1002)),
        ("5.2: a length of 65,535 in 64 bits", vec![0x81, 0xff, 0, 0, 0, 0, 0, 0, 255, 255, 0, 0, 0, 0], Close(1002)),
        ("5.2: a length with its highest bit set", vec![0x82, 0xff, 128, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0], Close(1002)),
        ("5.2: a length of 0 in 16 bits", vec![0x81, 0xfe, 0, 0, 0, 0, 0, 0], Close(1002)),
        ("5.2: all three RSV bits", frame(0xf1, b"a"), Close(1002)),
        ("5.2: RSV1 on an empty message", frame(0xc1, b""), Close(1002)),
        ("5.2: a reserved opcode inside a message", join(&[&frame(0x01, b"a"), &frame(0x83, b"")]), Close(1002)),
        ("5.2: a reserved control opcode inside a message", join(&[&frame(0x01, b"a"), &frame(0x8b, b"")]), Close(1002)),
        ("5.3: a mask of zeros", vec![0x81, 0x81, 0, 0, 0, 0, b'a'], Frames(&[(0x81, "a")])),
        ("5.4: fragments", join(&[&frame(0x01, b"a"), &frame(0x00, b"b"), &frame(0x80, b"c")]), Frames(&[(0x81, "abc")])),
        ("5.4: empty fragments", join(&[&frame(0x01, b""), &frame(0x00, b""), &frame(0x80, b"")]), Frames(&[(0x81, "")])),
        ("5.4: fragments of bytes", join(&[&frame(0x02, b"a"), &frame(0x80, b"b")]), Frames(&[(0x82, "ab")])),
        ("5.4: a ping between fragments", join(&[&frame(0x01, b"a"), &frame(0x89, b"p"), &frame(0x80, b"b")]), Frames(&[(0x8a, "p"), (0x81, "ab")])),
        ("5.4: a message inside another", join(&[&frame(0x01, b"a"), &frame(0x81, b"b")]), Close(1002)),
        ("5.4: a first fragment inside another message", join(&[&frame(0x01, b"a"), &frame(0x01, b"b")]), Close(1002)),
        ("5.4: a continuation of nothing", frame(0x80, b"a"), Close(1002)),
        ("5.4: a continuation of nothing that is to be continued", frame(0x00, b"a"), Close(1002)),
        ("5.5: a control frame in fragments", frame(0x09, b"a"), Close(1002)),
        ("5.5: a close frame in fragments", frame(0x08, b""), Close(1002)),
        ("5.5: a control frame of 126 bytes", frame(0x89, &[b'a'; 126]), Close(1002)),
        ("5.5: a ping of 125 bytes", frame(0x89, &[b'a'; 125]), Frames(&[(0x8a, A125)])),
        ("5.5: a pong of 126 bytes", frame(0x8a, &[b'a'; 126]), Close(1002)),
        ("5.5: a close frame of 126 bytes", closing(&[&[3, 232][..], &[b'a'; 124]].concat()), Close(1002)),
        ("5.5: a pong in fragments", frame(0x0a, b""), Close(1002)),
        ("5.5: a control frame's length in 16 bits", vec![0x89, 0xfe, 0, 1, 0, 0, 0, 0, b'a'], Close(1002)),
        ("5.5.1: close inside a message", join(&[&frame(0x01, b"a"), &close(1000, "")]), Close(1000)),
        ("5.5.1: close without a code", closing(b""), Close(0)),
        ("5.5.1: close with half a code", closing(b"\x03"), Close(1002)),
        ("5.5.1: close with a code", close(1000, ""), Close(1000)),
        ("5.5.1: close with a reason", close(1000, "bye"), Close(1000)),
        ("5.5.1: a reason of 123 bytes", close(1000, &"r".repeat(123)), Close(1000)),
        ("5.5.1: nothing behind close is answered", join(&[&close(1000, ""), &frame(0x81, b"a"), &frame(0x89, b"b")]), Close(1000)),
        ("5.5.2: a ping", frame(0x89, b""), Frames(&[(0x8a, "")])),
        ("5.5.2: a ping with data", frame(0x89, b"data"), Frames(&[(0x8a, "data")])),
        ("5.5.3: two pings", join(&[&frame(0x89, b"1"), &frame(0x89, b"2"), &frame(0x81, b"m")]), Frames(&[(0x8a, "1"), (0x8a, "2"), (0x81, "m")])),
        ("5.5.3: a pong that nobody asked for", join(&[&frame(0x8a, b"x"), &frame(0x81, b"m")]), Frames(&[(0x81, "m")])),
        ("5.6: bytes", frame(0x82, b"a"), Frames(&[(0x82, "a")])),
        ("5.6: text", frame(0x81, "héllo".as_bytes()), Frames(&[(0x81, "héllo")])),
        ("7.4.1: 1001", close(1001, ""), Close(1001)),
        ("7.4.1: 1002", close(1002, ""), Close(1002)),
        ("7.4.1: 1003", close(1003, ""), Close(1003)),
        ("7.4.1: 1004 is reserved", close(1004, ""), Close(1002)),
        ("7.4.1: 1005 is never sent", close(1005, ""), Close(1002)),
        ("7.4.1: 1006 is never sent", close(1006, ""), Close(1002)),
        ("7.4.1: 1007", close(1007, ""), Close(1007)),
        ("7.4.1: 1008", close(1008, ""), Close(1008)),
        ("7.4.1: 1009", close(1009, ""), Close(1009)),
        ("7.4.1: 1010", close(1010, ""), Close(1010)),
        ("7.4.1: 1011", close(1011, ""), Close(1011)),
        ("7.4.1: 1012", close(1012, ""), Close(1012)),
        ("7.4.1: 1013", close(1013, ""), Close(1013)),
        ("7.4.1: 1014", close(1014, ""), Close(1014)),
        ("7.4.1: 1015 is never sent", close(1015, ""), Close(1002)),
        ("7.4.2: 0", close(0, ""), Close(1002)),
        ("7.4.2: 999", close(999, ""), Close(1002)),
        ("7.4.2: 1016 is not assigned", close(1016, ""), Close(1002)),
        ("7.4.2: 1100 is not assigned", close(1100, ""), Close(1002)),
        ("7.4.2: 2000 is for extensions", close(2000, ""), Close(1002)),
        ("7.4.2: 2999 is for extensions", close(2999, ""), Close(1002)),
        ("7.4.2: 3000 is for libraries", close(3000, ""), Close(3000)),
        ("7.4.2: 3999 is for libraries", close(3999, ""), Close(3999)),
        ("7.4.2: 4000 is private", close(4000, ""), Close(4000)),
        ("7.4.2: 4999 is private", close(4999, ""), Close(4999)),
        ("7.4.2: 5000", close(5000, ""), Close(1002)),
        ("7.4.2: 65,535", close(65_535, ""), Close(1002)),
        ("8.1: a byte that is never UTF-8", frame(0x81, b"a\xff"), Close(1007)),
        ("8.1: a continuation byte alone", frame(0x81, b"\x80"), Close(1007)),
        ("8.1: an overlong form", frame(0x81, b"\xc0\xaf"), Close(1007)),
        ("8.1: a surrogate", frame(0x81, b"\xed\xa0\x80"), Close(1007)),
        ("8.1: beyond U+10FFFF", frame(0x81, b"\xf4\x90\x80\x80"), Close(1007)),
        ("8.1: a character that does not end", frame(0x81, b"\xe2\x82"), Close(1007)),
        ("8.1: a character across fragments", join(&[&frame(0x01, b"\xe2\x82"), &frame(0x80, b"\xac")]), Frames(&[(0x81, "€")])),
        ("8.1: a character that the next fragment breaks", join(&[&frame(0x01, b"\xe2\x82"), &frame(0x80, b"a")]), Close(1007)),
        ("8.1: a wrong byte in a fragment, with no end in sight", frame(0x01, b"\xff"), Close(1007)),
        ("8.1: NUL is a character", frame(0x81, b"\0"), Frames(&[(0x81, "\0")])),
        ("8.1: a byte order mark is a character", frame(0x81, b"\xef\xbb\xbf"), Frames(&[(0x81, "\u{feff}")])),
        ("8.1: a close reason that is not UTF-8", closing(b"\x03\xe8\xff"), Close(1007)),
        ("10.4: a message over the limit", frame(0x81, &[b'a'; 1001]), Close(1009)),
        ("10.4: fragments over the limit", join(&[&frame(0x01, &[b'a'; 600]), &frame(0x80, &[b'a'; 600])]), Close(1009)),
        ("10.4: a length over the limit, before the bytes", vec![0x82, 0xff, 0, 0, 0, 255, 255, 255, 255, 255, 1, 2, 3, 4], Close(1009)),
    ]
}

#[tokio::test]
async fn frames_and_closes() {
    let server = start().await;
    let cases = frames();
    assert_eq!(cases.len(), FRAMES);
    for (rule, bytes, expect) in cases {
        let mut raw = Raw::websocket(server.addresses()[0], "/ws/small/").await;
        raw.send(bytes).await;
        match expect {
            Frames(frames) => {
                for (first, payload) in frames {
                    let frame = raw.frame().await;
                    assert_eq!((frame.first, &*frame.payload), (*first, payload.as_bytes()), "{rule}");
                }
            }
            Close(code) => {
                let frame = raw.frame().await;
                assert_eq!(frame.first, 0x88, "{rule}: {frame:?}");
                assert!(frame.payload.len() <= 125, "{rule}");
                let found = frame.payload.get(..2).map_or(0, |code| u16::from_be_bytes([code[0], code[1]]));
                assert_eq!(found, code, "{rule}");
                assert!(std::str::from_utf8(frame.payload.get(2..).unwrap_or_default()).is_ok(), "{rule}");
                assert!(raw.ended().await, "{rule}: the stream ends");
            }
        }
    }
}

/// Section 5.2: the shortest length form is the server's too.
#[tokio::test]
async fn a_servers_lengths_are_in_their_shortest_form() {
    let server = start().await;
    for (length, header) in [
        (0_usize, vec![0x82, 0]),
        (125, vec![0x82, 125]),
        (126, vec![0x82, 126, 0, 126]),
        (65_535, vec![0x82, 126, 255, 255]),
        (65_536, vec![0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
    ] {
        let mut raw = Raw::websocket(server.addresses()[0], "/ws/").await;
        raw.send(frame(0x82, &vec![7; length])).await;
        assert_eq!(raw.bytes(header.len()).await, header, "{length} bytes");
        assert!(raw.bytes(length).await.iter().all(|byte| *byte == 7));
    }
}

/// Section 5.3: every mask, from every offset.
#[tokio::test]
async fn any_mask_is_undone() {
    let server = start().await;
    let mut raw = Raw::websocket(server.addresses()[0], "/ws/").await;
    for mask in [[0xff; 4], [1, 0, 0, 0], [0, 0, 0, 1], [0x80, 0x40, 0x20, 0x10]] {
        for length in 1..40_u8 {
            let payload: Vec<u8> = (0..length).collect();
            let mut bytes = vec![0x82, 0x80 | length];
            bytes.extend(mask);
            bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
            raw.send(bytes).await;
            assert_eq!(raw.frame().await.payload, payload);
        }
    }
}

/// Section 1.3: the answer to a key is fixed by the RFC.
#[tokio::test]
async fn the_keys_answer_is_that_of_the_rfc() {
    assert_eq!((KEY, ACCEPT), ("dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
}
