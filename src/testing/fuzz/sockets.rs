//! WebSockets under any bytes: frames, compression, the handshake's headers.

use ::http::header::{CONNECTION, HeaderName, SEC_WEBSOCKET_EXTENSIONS, UPGRADE};
use ::http::{HeaderMap, HeaderValue, Method};

use super::choice;
use crate::websocket::decoder::{Decoder, Incoming};
use crate::websocket::deflate::{Agreed, negotiate};
use crate::websocket::{Acceptance, Compression, Message, handshake as opening};

/// What a socket made of some bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// A text message.
    Text(String),
    /// A binary message.
    Binary(Vec<u8>),
    /// A ping.
    Ping(Vec<u8>),
    /// A pong.
    Pong,
    /// A close frame, with its code and reason; nothing follows.
    Close(Option<(u16, String)>),
    /// The bytes were refused with this close code; nothing follows.
    Failed(u16),
}

fn agreed() -> Option<Agreed> {
    let mut headers = HeaderMap::new();
    headers.insert(SEC_WEBSOCKET_EXTENSIONS, HeaderValue::from_static("permessage-deflate"));
    negotiate(&headers, &Compression { client_context_takeover: true, ..Compression::default() })
}

/// Reads a client's bytes, in the pieces in which they come, with messages up to `limit` bytes.
pub fn hear<'a>(pieces: impl IntoIterator<Item = &'a [u8]>, limit: usize, compressed: bool) -> Vec<Heard> {
    let agreed = compressed.then(agreed).flatten();
    let mut decoder = Decoder::new(limit, limit, agreed.as_ref());
    let mut heard = Vec::new();
    for mut piece in pieces {
        loop {
            let next = match decoder.decode(&mut piece) {
                Ok(None) => break,
                Ok(Some(incoming)) => told(incoming),
                Err(close) => Heard::Failed(close.code.0),
            };
            let ended = matches!(next, Heard::Close(_) | Heard::Failed(_));
            heard.push(next);
            if ended {
                return heard;
            }
        }
    }
    heard
}

fn told(incoming: Incoming) -> Heard {
    match incoming {
        Incoming::Message(Message::Text(text)) => Heard::Text(text.as_str().to_owned()),
        Incoming::Message(Message::Binary(bytes)) => Heard::Binary(bytes.to_vec()),
        Incoming::Ping(payload) => Heard::Ping(payload.to_vec()),
        Incoming::Pong => Heard::Pong,
        Incoming::Close(close) => Heard::Close(close.map(|close| (close.code.0, close.reason.into_owned()))),
    }
}

/// Frames: what is heard does not depend on the pieces in which the bytes come, and keeps the limit.
///
/// # Panics
/// When that does not hold.
pub fn frames(data: &[u8]) {
    const LIMIT: usize = 4096;
    let (options, bytes) = choice(data);
    let compressed = options & 1 == 1;
    let size = usize::from(options >> 1) % 17 + 1;
    let mut whole = hear([bytes], LIMIT, compressed);
    let mut pieces = hear(bytes.chunks(size), LIMIT, compressed);
    for heard in &whole {
        match heard {
            Heard::Text(text) => assert!(text.len() <= LIMIT),
            Heard::Binary(bytes) => assert!(bytes.len() <= LIMIT),
            _ => {}
        }
    }
    if compressed {
        // Of two mistakes in one compressed piece, too many bytes and no text, either may be found first.
        for heard in [&mut whole, &mut pieces] {
            if let Some(Heard::Failed(code @ (1007 | 1009))) = heard.last_mut() {
                *code = 0;
            }
        }
    }
    assert_eq!(whole, pieces, "in pieces of {size}");
}

/// Compression: what is compressed inflates to itself, and any other bytes to no more than the limit.
///
/// # Panics
/// When that does not hold.
#[cfg(feature = "deflate")]
pub fn deflate(data: &[u8]) {
    let (options, payload) = choice(data);
    let bits = options % 7 + 9;
    let mut headers = HeaderMap::new();
    let offer = format!("permessage-deflate; server_max_window_bits={bits}");
    headers.insert(SEC_WEBSOCKET_EXTENSIONS, HeaderValue::try_from(offer).expect("a header"));
    let level = options / 7 % 9 + 1;
    let compression = Compression { min_size: 0, level, ..Compression::default() };
    let agreed = negotiate(&headers, &compression).expect("a good offer");
    let frame = crate::websocket::frame::message(&Message::from(payload.to_vec()), agreed.encoding);
    let heard = hear([&*masked(&frame)], payload.len(), true);
    assert_eq!(heard, [Heard::Binary(payload.to_vec())], "window of {bits}, level {level}");

    let mut garbage = vec![0xc2];
    push_length(&mut garbage, payload.len());
    garbage.extend([0; 4]);
    garbage.extend(payload);
    for limit in [16, 1000, 100_000] {
        if let [Heard::Binary(bytes), ..] = &*hear([&*garbage], limit, true) {
            assert!(bytes.len() <= limit);
        }
    }
}

/// A server's frame as a client would send it, with a mask of zeros.
#[cfg(feature = "deflate")]
fn masked(frame: &[u8]) -> Vec<u8> {
    let header = match frame[1] & 0x7f {
        126 => 4,
        127 => 10,
        _ => 2,
    };
    let mut masked = frame[..header].to_vec();
    masked[1] |= 0x80;
    masked.extend([0; 4]);
    masked.extend(&frame[header..]);
    masked
}

#[cfg(feature = "deflate")]
fn push_length(frame: &mut Vec<u8>, length: usize) {
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(length @ ..126), _) => frame.push(0x80 | length),
        (_, Ok(length)) => {
            frame.push(0x80 | 126);
            frame.extend(length.to_be_bytes());
        }
        _ => {
            frame.push(0x80 | 127);
            frame.extend((length as u64).to_be_bytes());
        }
    }
}

/// Handshake headers, one per line: what is accepted has all that RFC 6455 asks for, and can be answered.
///
/// # Panics
/// When that does not hold.
pub fn handshake(data: &[u8]) {
    let mut headers = HeaderMap::new();
    for line in data.split(|byte| *byte == b'\n').take(100) {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let name = HeaderName::from_bytes(&line[..colon]);
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(&line[colon + 1..])) {
            headers.append(name, value);
        }
    }
    let asks = opening::wants_websocket(&headers);
    assert!(!asks || headers.contains_key(CONNECTION) && headers.contains_key(UPGRADE));
    let compression = Compression::default();
    match opening::check(&Method::GET, &headers, &compression) {
        Ok(accepted) => {
            assert_eq!(headers.get_all("sec-websocket-key").iter().count(), 1);
            assert_eq!(headers.get_all("sec-websocket-version").iter().count(), 1);
            let subprotocol = accepted.subprotocols.first().cloned();
            let acceptance = Acceptance { subprotocol, ..Acceptance::default() };
            let answer = opening::accepted(&accepted, acceptance).expect("what was offered can be answered");
            assert_eq!(answer.status(), 101);
        }
        Err(denial) => assert!(opening::refused(&denial).status().is_client_error()),
    }
    // The same without a key.
    let _ = opening::check_http2(&headers, &compression);
}
