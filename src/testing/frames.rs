//! A client's frames: written masked, read as a server sends them, which is never fragmented.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};

use crate::websocket::{CloseCode, CloseFrame, Message};

/// The mask of RFC 6455 section 5.7: a fixed one, so that every run writes the same bytes.
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

pub(super) const TEXT: u8 = 0x81;
pub(super) const BINARY: u8 = 0x82;
pub(super) const CLOSE: u8 = 0x88;
pub(super) const PING: u8 = 0x89;
pub(super) const PONG: u8 = 0x8a;

/// What a server sent.
#[derive(Debug)]
pub(super) enum Frame {
    Message(Message),
    Ping(Vec<u8>),
    Pong,
    Close(CloseFrame),
}

/// One masked frame; `first` is its first byte.
pub(super) fn encode(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(length @ 0..=125), _) => bytes.push(0x80 | length),
        (_, Ok(length)) => {
            bytes.push(0x80 | 126);
            bytes.extend(length.to_be_bytes());
        }
        _ => {
            bytes.push(0x80 | 127);
            bytes.extend((payload.len() as u64).to_be_bytes());
        }
    }
    bytes.extend(MASK);
    bytes.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

/// A message as one frame.
pub(super) fn message(message: &Message) -> Vec<u8> {
    encode(if message.is_text() { TEXT } else { BINARY }, message.as_bytes())
}

/// A close frame; code 1005 gives one without a code.
pub(super) fn close(frame: &CloseFrame) -> Vec<u8> {
    if frame.code == CloseCode::NO_STATUS {
        return encode(CLOSE, b"");
    }
    encode(CLOSE, &[&frame.code.0.to_be_bytes()[..], frame.reason.as_bytes()].concat())
}

/// The next frame.
///
/// # Errors
/// The stream's, its end included, and `InvalidData` for what no server may send to this client.
pub(super) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Frame> {
    let (first, second) = (stream.read_u8().await?, stream.read_u8().await?);
    let length = match second {
        126 => u64::from(stream.read_u16().await?),
        127 => stream.read_u64().await?,
        0..=125 => u64::from(second),
        _ => return Err(invalid("a masked frame")),
    };
    let mut payload = Vec::new();
    stream.take(length).read_to_end(&mut payload).await?;
    if payload.len() as u64 != length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    match first {
        TEXT => {
            let text = String::from_utf8(payload).map_err(|_| invalid("a text that is not UTF-8"))?;
            Ok(Frame::Message(Message::text(text)))
        }
        BINARY => Ok(Frame::Message(Message::binary(payload))),
        PING => Ok(Frame::Ping(payload)),
        PONG => Ok(Frame::Pong),
        CLOSE => read_close(&payload).map(Frame::Close),
        _ => Err(invalid("a fragment, or an extension that was not agreed on")),
    }
}

fn read_close(payload: &[u8]) -> io::Result<CloseFrame> {
    let Some((code, reason)) = payload.split_first_chunk::<2>() else {
        return Ok(CloseFrame::new(CloseCode::NO_STATUS, ""));
    };
    let reason = std::str::from_utf8(reason).map_err(|_| invalid("a reason that is not UTF-8"))?;
    Ok(CloseFrame::new(u16::from_be_bytes(*code), reason.to_owned()))
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
