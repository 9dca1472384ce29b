//! RFC 7692, permessage-deflate: what is offered and answered, and what a compressed message may be.

use flate2::{Compress, Compression, FlushCompress};

use crate::raw::{Raw, frame, handshake};
use crate::site::start;

const BOTH: &str = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

/// The rule, the offer, and the answer; an empty one is a declined offer, which refuses no handshake.
type Offer = (&'static str, &'static str, &'static str);

#[rustfmt::skip]
const OFFERS: &[Offer] = &[
    ("7.1: a plain offer", "permessage-deflate", BOTH),
    ("9.1 of 6455: names are tokens in any case", "PERMESSAGE-DEFLATE", BOTH),
    ("7.1: behind an unknown extension", "x-other; a=b, permessage-deflate", BOTH),
    ("7.1: in a second field", "x-other\r\nSec-WebSocket-Extensions: permessage-deflate", BOTH),
    ("7.1: the first that can be met", "permessage-deflate; server_max_window_bits=8, permessage-deflate; server_max_window_bits=12", "permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=12"),
    ("7.1: the first of two", "permessage-deflate; server_max_window_bits=10, permessage-deflate; server_max_window_bits=12", "permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=10"),
    ("7.1: a fallback behind a malformed offer", "permessage-deflate; foo, permessage-deflate", BOTH),
    ("7.1: whitespace around signs", "permessage-deflate ;\tserver_no_context_takeover ; client_max_window_bits", BOTH),
    ("7.1.1.1: server_no_context_takeover", "permessage-deflate; server_no_context_takeover", BOTH),
    ("7.1.1.1: with a value", "permessage-deflate; server_no_context_takeover=1", ""),
    ("7.1.1.1: twice", "permessage-deflate; server_no_context_takeover; server_no_context_takeover", ""),
    ("7.1.1.2: client_no_context_takeover", "permessage-deflate; client_no_context_takeover", BOTH),
    ("7.1.1.2: with a value", "permessage-deflate; client_no_context_takeover=true", ""),
    ("7.1.1.2: twice", "permessage-deflate; client_no_context_takeover; client_no_context_takeover", ""),
    ("7.1.2.1: the server's window of 8 bits", "permessage-deflate; server_max_window_bits=8", ""),
    ("7.1.2.1: the server's window of 9 bits", "permessage-deflate; server_max_window_bits=9", "permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=9"),
    ("7.1.2.1: the server's window of 15 bits", "permessage-deflate; server_max_window_bits=15", "permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=15"),
    ("7.1.2.1: in quotes", "permessage-deflate; server_max_window_bits=\"11\"", "permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=11"),
    ("7.1.2.1: without a value", "permessage-deflate; server_max_window_bits", ""),
    ("7.1.2.1: an empty value", "permessage-deflate; server_max_window_bits=", ""),
    ("7.1.2.1: 7 bits", "permessage-deflate; server_max_window_bits=7", ""),
    ("7.1.2.1: 16 bits", "permessage-deflate; server_max_window_bits=16", ""),
    ("7.1.2.1: a zero in front", "permessage-deflate; server_max_window_bits=09", ""),
    ("7.1.2.1: a sign", "permessage-deflate; server_max_window_bits=+9", ""),
    ("7.1.2.1: no number", "permessage-deflate; server_max_window_bits=ten", ""),
    ("7.1.2.1: an overflow", "permessage-deflate; server_max_window_bits=4294967306", ""),
    ("7.1.2.1: twice", "permessage-deflate; server_max_window_bits=9; server_max_window_bits=9", ""),
    ("7.1.2.2: the client's window, any", "permessage-deflate; client_max_window_bits", BOTH),
    ("7.1.2.2: the client's window of 8 bits", "permessage-deflate; client_max_window_bits=8", BOTH),
    ("7.1.2.2: the client's window of 15 bits", "permessage-deflate; client_max_window_bits=15", BOTH),
    ("7.1.2.2: an empty value", "permessage-deflate; client_max_window_bits=", ""),
    ("7.1.2.2: 16 bits", "permessage-deflate; client_max_window_bits=16", ""),
    ("7.1.2.2: twice", "permessage-deflate; client_max_window_bits; client_max_window_bits=9", ""),
    ("7.1: all four at once", "permessage-deflate; client_max_window_bits=10; server_max_window_bits=10; client_no_context_takeover; server_no_context_takeover", "permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=10"),
    ("7.1: an unknown parameter", "permessage-deflate; unknown", ""),
    ("7.1: an empty parameter", "permessage-deflate; ", ""),
    ("7.1: a parameter in another case", "permessage-deflate; SERVER_NO_CONTEXT_TAKEOVER", ""),
    ("7: an extension that only begins so", "permessage-deflate2", ""),
    ("7: the extension before it", "x-webkit-deflate-frame", ""),
    ("7: an empty field", "", ""),
    ("7: commas alone", ",,", ""),
];

/// How many cases this file's tables hold.
pub fn count() -> usize {
    OFFERS.len() + MESSAGES
}

#[tokio::test]
async fn offers() {
    assert_eq!(OFFERS.len(), 41);
    let server = start().await;
    let mut failed = Vec::new();
    for (rule, offer, answer) in OFFERS {
        let mut raw = Raw::connect(server.addresses()[0]).await;
        raw.send(handshake("/ws/", &format!("Sec-WebSocket-Extensions: {offer}\r\n"))).await;
        let head = raw.head().await;
        let found = head.header("sec-websocket-extensions").unwrap_or_default();
        if (head.status, found) != (101, answer) {
            failed.push(format!("{rule}: {offer:?} got {} {found:?}", head.status));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// What must come back: a text message, or a close frame with this code.
enum Expect {
    Text(Vec<u8>),
    Close(u16),
}

use Expect::{Close, Text};

fn deflate(text: &[u8], flush: FlushCompress) -> Vec<u8> {
    let mut output = Vec::with_capacity(text.len() + 100);
    Compress::new(Compression::default(), false).compress_vec(text, &mut output, flush).unwrap();
    output
}

/// A message's payload: up to the empty block that ends it, without its last four bytes (section 7.2.1).
fn payload(text: &[u8]) -> Vec<u8> {
    let mut output = deflate(text, FlushCompress::Sync);
    assert!(output.ends_with(&[0, 0, 0xff, 0xff]));
    output.truncate(output.len() - 4);
    output
}

/// A stored block, not the last one of its stream.
fn stored(text: &[u8]) -> Vec<u8> {
    let length = u16::try_from(text.len()).unwrap();
    [&[0][..], &length.to_le_bytes(), &(!length).to_le_bytes(), text].concat()
}

const MESSAGES: usize = 22;

#[rustfmt::skip]
fn messages() -> Vec<(&'static str, Vec<u8>, Expect)> {
    let hello = payload(b"Hello");
    let split = |at: usize| [frame(0x41, &hello[..at]), frame(0x80, &hello[at..])].concat();
    let finished = [deflate(b"Hello", FlushCompress::Finish), vec![0]].concat();
    vec![
        ("7.2.3.1: one block", frame(0xc1, &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]), Text(b"Hello".to_vec())),
        ("7.2.3.1: in two frames", [frame(0x41, &[0xf2, 0x48, 0xcd]), frame(0x80, &[0xc9, 0xc9, 0x07, 0x00])].concat(), Text(b"Hello".to_vec())),
        ("7.2.3.3: a block without compression", frame(0xc1, &[0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00]), Text(b"Hello".to_vec())),
        ("7.2.3.4: a final block", frame(0xc1, &[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00]), Text(b"Hello".to_vec())),
        ("7.2.3.5: two blocks", frame(0xc1, &[0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00]), Text(b"Hello".to_vec())),
        ("7.2.3.6: an empty message", frame(0xc1, &[0x00]), Text(Vec::new())),
        ("7.2.1: a final block of a compressor", frame(0xc1, &finished), Text(b"Hello".to_vec())),
        ("7.2.2: stored blocks, one behind another", frame(0xc1, &[stored(b"Hel"), stored(b"lo"), vec![0]].concat()), Text(b"Hello".to_vec())),
        ("6.1: the first fragment is empty", split(0), Text(b"Hello".to_vec())),
        ("6.1: the last fragment is empty", split(hello.len()), Text(b"Hello".to_vec())),
        ("6.1: a ping between fragments is not compressed", [frame(0x41, &hello[..2]), frame(0x8a, b"x"), frame(0x80, &hello[2..])].concat(), Text(b"Hello".to_vec())),
        ("6: a message that is not compressed", frame(0x81, b"Hello"), Text(b"Hello".to_vec())),
        ("6: one that is not, in fragments", [frame(0x01, b"Hel"), frame(0x80, b"lo")].concat(), Text(b"Hello".to_vec())),
        ("8.1 of 6455: a character across fragments", { let euro = payload("€".as_bytes()); [frame(0x41, &euro[..2]), frame(0x80, &euro[2..])].concat() }, Text("€".as_bytes().to_vec())),
        ("6.1: RSV1 on a continuation", [frame(0x41, &hello[..2]), frame(0xc0, &hello[2..])].concat(), Close(1002)),
        ("6: RSV1 on a ping", frame(0xc9, b""), Close(1002)),
        ("6: RSV1 on a close frame", frame(0xc8, b""), Close(1002)),
        ("5.2 of 6455: RSV2 beside RSV1", frame(0xe1, &hello), Close(1002)),
        ("7.2.2: a reserved kind of block", frame(0xc1, &[0x06, 0x00]), Close(1007)),
        ("7.2.2: a stored length that its complement denies", frame(0xc1, &[0x00, 0x05, 0x00, 0x00, 0x00, b'H']), Close(1007)),
        ("7.2.2: a distance before the start", frame(0xc1, &[0x02, 0x02, 0x00]), Close(1007)),
        ("8.1 of 6455: text that is not UTF-8 once inflated", frame(0xc1, &payload(b"\xff\xff")), Close(1007)),
    ]
}

#[tokio::test]
async fn compressed_messages() {
    let server = start().await;
    let cases = messages();
    assert_eq!(cases.len(), MESSAGES);
    for (rule, bytes, expect) in cases {
        let offer = "Sec-WebSocket-Extensions: permessage-deflate\r\n";
        let mut raw = Raw::websocket_with(server.addresses()[0], "/ws/", offer).await;
        raw.send(bytes).await;
        let found = raw.frame().await;
        match expect {
            Text(text) => assert_eq!((found.first, found.payload), (0x81, text), "{rule}"),
            Close(code) => {
                assert_eq!(found.close_code(), code, "{rule}");
                assert!(raw.ended().await, "{rule}: the stream ends");
            }
        }
    }
}

/// Section 7.2.3.2: a server that agreed to no context never refers to an earlier message.
#[tokio::test]
async fn no_message_refers_to_an_earlier_one() {
    let server = start().await;
    let offer = "Sec-WebSocket-Extensions: permessage-deflate\r\n";
    let mut raw = Raw::websocket_with(server.addresses()[0], "/ws/", offer).await;
    let text = "the same words again, ".repeat(40);
    let mut answers = Vec::new();
    for _ in 0..3 {
        raw.send(frame(0x81, text.as_bytes())).await;
        answers.push(raw.frame().await);
    }
    assert_eq!(answers[0].first, 0xc1, "long enough to be compressed");
    assert!(answers.iter().all(|answer| *answer == answers[0]));
}

/// Section 7.1.2.1: with a window of 9 bits nothing refers further back than 512 bytes.
#[tokio::test]
async fn a_small_window_is_kept_to() {
    let server = start().await;
    let offer = "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=9\r\n";
    let mut raw = Raw::websocket_with(server.addresses()[0], "/ws/", offer).await;
    let text: String =
        (0..400).map(|number| format!("{:x}", number * 7919 % 65_521)).collect::<String>().repeat(3);
    raw.send(frame(0x81, text.as_bytes())).await;
    let answer = raw.frame().await;
    assert_eq!(answer.first, 0xc1);
    let mut inflater = flate2::Decompress::new_with_window_bits(false, 9);
    let mut output = Vec::with_capacity(text.len() + 1);
    let input = [&answer.payload[..], &[0, 0, 0xff, 0xff]].concat();
    inflater.decompress_vec(&input, &mut output, flate2::FlushDecompress::Sync).unwrap();
    assert_eq!(output, text.as_bytes());
}
