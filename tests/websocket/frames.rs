//! Messages, control frames and protocol errors, byte for byte.

use crate::raw::{Raw, close, frame};
use crate::site::Site;

/// Sends raw bytes on an echo socket and gives the server's close code; the stream must end after it.
async fn close_code_after(path: &str, bytes: impl AsRef<[u8]>) -> u16 {
    let site = Site::start().await;
    let mut raw = Raw::websocket(site.address(), path).await;
    raw.send(bytes).await;
    let code = raw.frame().await.close_code();
    assert!(raw.ended().await);
    code
}

#[tokio::test]
async fn text_comes_back_as_text_and_binary_as_binary() {
    let site = Site::start().await;
    let mut raw = Raw::websocket(site.address(), "/ws/echo/").await;
    raw.send(frame(0x81, "Hello, κόσμε".as_bytes())).await;
    assert_eq!(raw.frame().await.text(), "Hello, κόσμε");
    raw.send(frame(0x82, &[0, 255, 128])).await;
    let binary = raw.frame().await;
    assert_eq!((binary.first, binary.payload), (0x82, vec![0, 255, 128]));
}

#[tokio::test]
async fn k14_empty_messages_are_messages() {
    let site = Site::start().await;
    let mut raw = Raw::websocket(site.address(), "/ws/echo/").await;
    raw.send(frame(0x81, b"")).await;
    assert_eq!(raw.frame().await.text(), "");
}

#[tokio::test]
async fn messages_of_every_length_form_come_back() {
    let site = Site::start().await;
    let mut raw = Raw::websocket(site.address(), "/ws/echo/").await;
    for length in [1, 125, 126, 127, 65_535, 65_536, 1 << 20] {
        let payload = vec![b'x'; length];
        raw.send(frame(0x82, &payload)).await;
        assert!(raw.frame().await.payload == payload, "{length} bytes");
    }
}

#[tokio::test]
async fn a_message_arrives_whole_however_its_bytes_are_split() {
    let site = Site::start().await;
    let mut raw = Raw::websocket(site.address(), "/ws/echo/").await;
    for byte in frame(0x81, "spät".as_bytes()) {
        raw.send([byte]).await;
    }
    assert_eq!(raw.text().await, "spät");
}

#[tokio::test]
async fn many_messages_in_one_write_come_back_in_order() {
    let site = Site::start().await;
    let mut raw = Raw::websocket(site.address(), "/ws/echo/").await;
    let bytes: Vec<u8> = (0..500).flat_map(|number| frame(0x81, number.to_string().as_bytes())).collect();
    raw.send(bytes).await;
    for number in 0..500 {
        assert_eq!(raw.text().await, number.to_string());
    }
}

#[tokio::test]
async fn frames_sent_right_behind_the_handshake_are_heard() {
    let site = Site::start().await;
    let mut raw = Raw::connect(site.address()).await;
    let mut bytes = crate::raw::handshake("/ws/echo/", "").into_bytes();
    bytes.extend(frame(0x81, b"early"));
    raw.send(bytes).await;
    assert_eq!(raw.head().await.status, 101);
    assert_eq!(raw.text().await, "early");
}

#[tokio::test]
async fn fragments_make_one_message_and_control_frames_may_stand_between() {
    let site = Site::start().await;
    let mut raw = Raw::websocket(site.address(), "/ws/echo/").await;
    raw.send(frame(0x01, b"one ")).await;
    raw.send(frame(0x89, b"are you there")).await;
    raw.send(frame(0x00, b"two ")).await;
    raw.send(frame(0x80, b"three")).await;
    let pong = raw.frame().await;
    assert_eq!((pong.first, pong.payload), (0x8a, b"are you there".to_vec()));
    assert_eq!(raw.text().await, "one two three");
}

#[tokio::test]
async fn a_character_may_be_split_between_fragments() {
    let site = Site::start().await;
    let mut raw = Raw::websocket(site.address(), "/ws/echo/").await;
    raw.send(frame(0x01, &[0xce])).await;
    raw.send(frame(0x80, &[0xba])).await;
    assert_eq!(raw.text().await, "κ");
}

#[tokio::test]
async fn an_unasked_pong_is_ignored() {
    let site = Site::start().await;
    let mut raw = Raw::websocket(site.address(), "/ws/echo/").await;
    raw.send(frame(0x8a, b"")).await;
    raw.send_text("still here").await;
    assert_eq!(raw.text().await, "still here");
}

#[tokio::test]
async fn invalid_utf_8_closes_with_1007() {
    assert_eq!(close_code_after("/ws/echo/", frame(0x81, &[0xff])).await, 1007);
}

#[tokio::test]
async fn text_that_ends_inside_a_character_closes_with_1007() {
    assert_eq!(close_code_after("/ws/echo/", frame(0x81, &[0xce])).await, 1007);
}

#[tokio::test]
async fn invalid_utf_8_is_noticed_before_the_fragment_ends() {
    let mut bytes = frame(0x01, b"abc\xff-and-more-that-never-comes");
    bytes.truncate(12);
    assert_eq!(close_code_after("/ws/echo/", bytes).await, 1007);
}

#[tokio::test]
async fn j9_a_message_over_the_limit_closes_with_1009() {
    assert_eq!(close_code_after("/ws/small/", frame(0x81, &[b'x'; 17])).await, 1009);
}

#[tokio::test]
async fn a_declared_length_over_the_limit_closes_with_1009_before_its_bytes_come() {
    let huge = [0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4];
    assert_eq!(close_code_after("/ws/echo/", huge).await, 1009);
}

#[tokio::test]
async fn fragments_that_together_pass_the_limit_close_with_1009() {
    let bytes = [frame(0x01, &[b'x'; 10]), frame(0x80, &[b'x'; 10])].concat();
    assert_eq!(close_code_after("/ws/small/", bytes).await, 1009);
}

#[tokio::test]
async fn a_frame_has_a_limit_of_its_own_unless_its_route_says_how_large_messages_are() {
    let site = Site::with(|limits| limits.frame_bytes = Some(10)).await;
    let mut raw = Raw::websocket(site.address(), "/ws/echo/").await;
    raw.send(frame(0x01, &[b'x'; 10])).await;
    raw.send(frame(0x80, &[b'y'; 10])).await;
    assert_eq!(raw.frame().await.payload.len(), 20, "a message may have many frames");
    raw.send(frame(0x81, &[b'x'; 11])).await;
    let closed = raw.frame().await;
    assert_eq!((closed.close_code(), &closed.payload[2..]), (1009, &b"frame over the limit of 10 bytes"[..]));

    let mut raw = Raw::websocket(site.address(), "/ws/small/").await;
    raw.send(frame(0x81, &[b'x'; 16])).await;
    assert_eq!(raw.frame().await.payload.len(), 16);

    let site = Site::with(|limits| limits.message_bytes = 3 << 20).await;
    let mut raw = Raw::websocket(site.address(), "/ws/echo/").await;
    raw.send(frame(0x82, &vec![0; 2 << 20])).await;
    assert_eq!(raw.frame().await.payload.len(), 2 << 20, "unless set, a frame may be as large as a message");
}

#[tokio::test]
async fn protocol_errors_close_with_1002() {
    let unmasked = vec![0x81, 0x01, b'x'];
    let cases = [
        ("an unmasked frame", unmasked),
        ("RSV1 without an extension", frame(0xc1, b"x")),
        ("RSV2", frame(0xa1, b"x")),
        ("RSV3", frame(0x91, b"x")),
        ("a reserved data opcode", frame(0x83, b"x")),
        ("a reserved control opcode", frame(0x8b, b"x")),
        ("a fragmented ping", frame(0x09, b"x")),
        ("a ping over 125 bytes", frame(0x89, &[b'x'; 126])),
        ("a continuation of nothing", frame(0x80, b"x")),
        ("a new message inside another", [frame(0x01, b"x"), frame(0x81, b"y")].concat()),
        ("a close frame of one byte", frame(0x88, b"x")),
        ("a close code that may not be sent", close(1005, "")),
        ("a close code below 1000", close(999, "")),
        ("an unassigned close code", close(1016, "")),
        ("a length in a longer form than it needs", vec![0x81, 0xfe, 0, 1, 0, 0, 0, 0, b'x']),
    ];
    for (what, bytes) in cases {
        assert_eq!(close_code_after("/ws/echo/", bytes).await, 1002, "{what}");
    }
}

#[tokio::test]
async fn a_close_reason_that_is_not_utf_8_closes_with_1007() {
    assert_eq!(close_code_after("/ws/echo/", frame(0x88, &[0x03, 0xe8, 0xff])).await, 1007);
}
