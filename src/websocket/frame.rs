//! Bytes of the frames that are sent, never fragmented: a server's unmasked, a client's masked.

use bytes::{BufMut, Bytes, BytesMut};
use tungstenite::protocol::frame::FrameHeader;
use tungstenite::protocol::frame::coding::{Control, Data, OpCode};

use super::assembly::unmask;
use super::deflate::Encoding;
use super::{CloseFrame, Message};
use crate::layers::{EncodingKey, Event, EventError};

/// A data message as one frame, header and payload in one buffer, ready to be shared by many sockets.
pub(crate) fn message(message: &Message, encoding: Encoding) -> Bytes {
    let opcode = if message.is_text() { Data::Text } else { Data::Binary };
    data(opcode, message.as_bytes(), encoding)
}

/// Text that is already UTF-8, as one frame.
pub(crate) fn text(text: &[u8], encoding: Encoding) -> Bytes {
    data(Data::Text, text, encoding)
}

/// An event as a JSON text frame, made once for all sockets of one encoding.
///
/// # Errors
/// When the event holds what JSON can't.
pub(crate) fn event<T>(event: &Event<T>, encoding: Encoding) -> Result<Bytes, EventError> {
    // Asked first, since it is the usual answer and this runs once per delivery.
    if !encoding.compresses() || !encoding.applies(event.json()?.len()) {
        return event.encoded(EncodingKey::TEXT_FRAME, || Ok(text(&event.json()?, Encoding::default())));
    }
    event.encoded(EncodingKey::new(encoding.key()), || Ok(text(&event.json()?, encoding)))
}

fn data(opcode: Data, payload: &[u8], encoding: Encoding) -> Bytes {
    let opcode = OpCode::Data(opcode);
    match encoding.applies(payload.len()).then(|| encoding.compress(payload)).flatten() {
        Some(compressed) => frame(opcode, &compressed, true),
        None => frame(opcode, payload, false),
    }
}

/// A ping without payload.
pub(super) fn ping() -> Bytes {
    Bytes::from_static(&[0x89, 0x00])
}

/// The answer to a ping.
pub(super) fn pong(payload: &[u8]) -> Bytes {
    frame(OpCode::Control(Control::Pong), payload, false)
}

/// A close frame. Codes that may not stand in one give a frame without a code.
pub(super) fn close(close: &CloseFrame) -> Bytes {
    frame(OpCode::Control(Control::Close), &close_payload(close), false)
}

fn close_payload(close: &CloseFrame) -> Vec<u8> {
    if !close.code.is_sendable() {
        return Vec::new();
    }
    [&close.code.0.to_be_bytes()[..], close.reason.as_bytes()].concat()
}

/// A client's close frame.
pub(super) fn masked_close(close: &CloseFrame) -> Bytes {
    masked(OpCode::Control(Control::Close), &close_payload(close))
}

/// One final frame of a client.
pub(super) fn masked(opcode: OpCode, payload: &[u8]) -> Bytes {
    let mask = rand::random();
    let header = FrameHeader { opcode, mask: Some(mask), ..FrameHeader::default() };
    let length = payload.len() as u64;
    let start = header.len(length);
    let mut bytes = BytesMut::with_capacity(start + payload.len()).writer();
    header.format(length, &mut bytes).expect("writing into memory does not fail");
    let mut bytes = bytes.into_inner();
    bytes.extend_from_slice(payload);
    unmask(&mut bytes[start..], mask);
    bytes.freeze()
}

/// One final frame. `compressed` sets RSV1 (RFC 7692 section 6).
pub(super) fn frame(opcode: OpCode, payload: &[u8], compressed: bool) -> Bytes {
    let header = FrameHeader { opcode, rsv1: compressed, ..FrameHeader::default() };
    let length = payload.len() as u64;
    let mut bytes = BytesMut::with_capacity(header.len(length) + payload.len()).writer();
    header.format(length, &mut bytes).expect("writing into memory does not fail");
    let mut bytes = bytes.into_inner();
    bytes.extend_from_slice(payload);
    bytes.freeze()
}

#[cfg(all(test, feature = "deflate"))]
mod tests {
    use ::http::header::SEC_WEBSOCKET_EXTENSIONS;
    use ::http::{HeaderMap, HeaderValue};

    use super::*;
    use crate::layers::Value;
    use crate::websocket::Compression;
    use crate::websocket::deflate::negotiate;

    /// What a handshake with this offer agrees on.
    fn agreed(offer: &'static str) -> Encoding {
        let headers = HeaderMap::from_iter([(SEC_WEBSOCKET_EXTENSIONS, HeaderValue::from_static(offer))]);
        negotiate(&headers, &Compression::default()).map(|agreed| agreed.encoding).unwrap_or_default()
    }

    #[test]
    fn a_broadcast_is_compressed_once_per_set_of_parameters() {
        let text = "many words ".repeat(100);
        let broadcast: Event<Value> = Event::new(&serde_json::json!({"type": "told", "text": text})).unwrap();
        let frame = |offer| event(&broadcast, agreed(offer)).unwrap();
        let first = frame("permessage-deflate");
        assert_eq!(first[0], 0xc1);
        // The very same bytes, for every member whose parameters are the same, however it offered them.
        for offer in ["permessage-deflate", "permessage-deflate; client_max_window_bits"] {
            assert_eq!(frame(offer).as_ptr(), first.as_ptr(), "{offer}");
        }
        let narrow = frame("permessage-deflate; server_max_window_bits=9");
        assert_eq!(narrow[0], 0xc1);
        assert_ne!(narrow.as_ptr(), first.as_ptr(), "another window is another frame");
        assert_eq!(frame("permessage-deflate; server_max_window_bits=9").as_ptr(), narrow.as_ptr());
        let plain = frame("");
        assert_eq!((plain[0], frame("x-other").as_ptr()), (0x81, plain.as_ptr()));
    }
}
