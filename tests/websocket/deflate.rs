//! permessage-deflate on the wire: what is negotiated, read, and sent.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};

use crate::raw::{Frame, Raw, frame, handshake};
use crate::site::Site;

const OFFER: &str = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";

/// A client's compressor with a context of its own.
struct Deflater(Compress);

impl Deflater {
    fn new() -> Self {
        Self(Compress::new(Compression::default(), false))
    }

    fn message(&mut self, text: &[u8]) -> Vec<u8> {
        let mut output = Vec::with_capacity(text.len() + 100);
        self.0.compress_vec(text, &mut output, FlushCompress::Sync).unwrap();
        assert!(output.ends_with(&[0, 0, 0xff, 0xff]));
        output.truncate(output.len() - 4);
        output
    }
}

fn deflate(text: &[u8]) -> Vec<u8> {
    Deflater::new().message(text)
}

fn inflate(frame: &Frame) -> Vec<u8> {
    let mut input = frame.payload.clone();
    input.extend([0, 0, 0xff, 0xff]);
    let mut output = Vec::with_capacity(1 << 20);
    Decompress::new(false).decompress_vec(&input, &mut output, FlushDecompress::Sync).unwrap();
    output
}

async fn open(site: &Site, path: &str) -> Raw {
    Raw::websocket_with(site.address(), path, OFFER).await
}

#[tokio::test]
async fn k17_an_offer_is_answered_without_contexts() {
    let site = Site::start().await;
    let mut raw = Raw::connect(site.address()).await;
    raw.send(handshake("/ws/echo/", OFFER)).await;
    let head = raw.head().await;
    let answer = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
    assert_eq!(head.header("sec-websocket-extensions"), Some(answer));
}

#[tokio::test]
async fn a_key_turns_it_off() {
    let site = Site::with(|limits| limits.compression.enabled = false).await;
    let mut raw = Raw::connect(site.address()).await;
    raw.send(handshake("/ws/echo/", OFFER)).await;
    assert_eq!(raw.head().await.header("sec-websocket-extensions"), None);
}

#[tokio::test]
async fn long_messages_are_compressed_and_short_ones_are_not() {
    let site = Site::start().await;
    let mut raw = open(&site, "/ws/echo/").await;
    for length in [511, 512, 100_000] {
        let text = "solent ".repeat(length / 7 + 1)[..length].to_owned();
        raw.send(frame(0xc1, &deflate(text.as_bytes()))).await;
        let answer = raw.frame().await;
        if length < 512 {
            assert_eq!(answer.text(), text);
        } else {
            assert_eq!(answer.first, 0xc1, "{length}");
            assert!(answer.payload.len() < length / 4);
            assert_eq!(inflate(&answer), text.as_bytes());
        }
    }
}

#[tokio::test]
async fn what_does_not_get_smaller_is_sent_as_it_is() {
    let site = Site::start().await;
    let mut raw = open(&site, "/ws/echo/").await;
    let mut state = 1_u64;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    })
    .take(2000)
    .collect();
    raw.send(frame(0x82, &noise)).await;
    let answer = raw.frame().await;
    assert_eq!((answer.first, answer.payload), (0x82, noise));
}

#[tokio::test]
async fn a_compressed_message_may_be_fragmented_at_every_byte() {
    let site = Site::start().await;
    let mut raw = open(&site, "/ws/echo/").await;
    let compressed = deflate("fragmented κόσμε".as_bytes());
    let (first, rest) = compressed.split_at(1);
    raw.send(frame(0x41, first)).await;
    for byte in &rest[..rest.len() - 1] {
        raw.send(frame(0x00, &[*byte])).await;
        raw.send(frame(0x89, b"")).await;
        assert_eq!(raw.frame().await.first, 0x8a);
    }
    raw.send(frame(0x80, &rest[rest.len() - 1..])).await;
    assert_eq!(raw.text().await, "fragmented κόσμε");
}

#[tokio::test]
async fn a_client_that_may_keep_its_context_is_understood() {
    let site = Site::with(|limits| limits.compression.client_context_takeover = true).await;
    let mut raw = open(&site, "/ws/echo/").await;
    let mut deflater = Deflater::new();
    let first = deflater.message(b"the same words again");
    let second = deflater.message(b"the same words again");
    assert!(second.len() < first.len(), "the second refers to the first");
    for message in [first, second] {
        raw.send(frame(0xc1, &message)).await;
        assert_eq!(raw.text().await, "the same words again");
    }
}

/// Sends a frame and gives the close code.
async fn code(path: &str, bytes: Vec<u8>) -> u16 {
    let site = Site::start().await;
    let mut raw = open(&site, path).await;
    raw.send(bytes).await;
    raw.frame().await.close_code()
}

#[tokio::test]
async fn a_bomb_is_stopped_at_the_limit_with_1009() {
    assert_eq!(code("/ws/echo/", frame(0xc2, &deflate(&vec![0; 64 << 20]))).await, 1009);
    assert_eq!(code("/ws/small/", frame(0xc1, &deflate(&[b'x'; 17]))).await, 1009);
}

#[tokio::test]
async fn broken_data_closes_with_1007() {
    assert_eq!(code("/ws/echo/", frame(0xc1, &[0xff; 20])).await, 1007);
}

#[tokio::test]
async fn compressed_text_that_is_not_utf_8_closes_with_1007() {
    assert_eq!(code("/ws/echo/", frame(0xc1, &deflate(&[0xff, 0xfe]))).await, 1007);
}

#[tokio::test]
async fn rsv1_on_a_continuation_or_a_control_frame_closes_with_1002() {
    assert_eq!(code("/ws/echo/", [frame(0x01, b"a"), frame(0xc0, b"b")].concat()).await, 1002);
    assert_eq!(code("/ws/echo/", frame(0xc9, b"")).await, 1002);
}

#[tokio::test]
async fn a_final_block_inside_a_message_is_understood() {
    let site = Site::start().await;
    let mut raw = open(&site, "/ws/echo/").await;
    let mut output = Vec::with_capacity(100);
    Compress::new(Compression::default(), false)
        .compress_vec(b"final", &mut output, FlushCompress::Finish)
        .unwrap();
    // RFC 7692 section 7.2.3.4: a final block is followed by an empty one, whose header byte is sent.
    output.push(0);
    raw.send(frame(0xc1, &output)).await;
    assert_eq!(raw.text().await, "final");
}
