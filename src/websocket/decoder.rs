//! Frames from bytes, and messages from frames: RFC 6455 section 5 as a server must read it, and a client.
//!
//! tungstenite parses the frame header; everything above it is here, because its own message layer has no door
//! for extensions and notices invalid UTF-8 only at a frame's end. An idle decoder owns no memory: header bytes
//! wait in place, and a message's buffer exists only while it is incomplete.

use std::io::Cursor;

use bytes::Bytes;
use tungstenite::protocol::frame::FrameHeader;
use tungstenite::protocol::frame::coding::{Control, Data, OpCode};

use super::assembly::{Assembly, too_big, unmask};
use super::deflate::{Agreed, Inflater};
use super::{CloseCode, CloseFrame, Message};

/// The longest header of a client's frame: 2 bytes, 8 of length, 4 of mask.
const HEADER: usize = 14;

/// What a client sent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Incoming {
    /// A whole data message.
    Message(Message),
    /// A ping, to be answered with the same payload.
    Ping(Bytes),
    /// A pong.
    Pong,
    /// A close frame; `None` when it had no code.
    Close(Option<CloseFrame>),
}

/// Reads the frames of one client, or of a server behind.
#[derive(Debug)]
pub(crate) struct Decoder {
    header: [u8; HEADER],
    header_length: u8,
    frame: Option<Frame>,
    message: Option<Box<Assembly>>,
    control: Vec<u8>,
    message_limit: usize,
    frame_limit: usize,
    /// Whether the peer is a server, which masks nothing.
    unmasked: bool,
    deflate: Deflate,
}

/// How compressed messages are read.
#[derive(Debug)]
enum Deflate {
    /// Nothing was agreed: RSV1 is an error.
    Off,
    /// Each message stands alone.
    Alone,
    /// The client's context lives on in its own inflater, from the first compressed message on.
    Kept(Option<Box<Inflater>>),
}

/// A frame whose payload is still coming in.
#[derive(Debug, Clone, Copy)]
struct Frame {
    opcode: OpCode,
    is_final: bool,
    mask: [u8; 4],
    remaining: u64,
}

impl Decoder {
    pub(crate) fn new(message_limit: usize, frame_limit: usize, agreed: Option<&Agreed>) -> Self {
        Self {
            header: [0; HEADER],
            header_length: 0,
            frame: None,
            message: None,
            control: Vec::new(),
            message_limit,
            frame_limit,
            unmasked: false,
            deflate: match agreed {
                None => Deflate::Off,
                Some(agreed) if agreed.client_context => Deflate::Kept(None),
                Some(_) => Deflate::Alone,
            },
        }
    }

    /// The same for a server's frames.
    pub(crate) fn of_server(self) -> Self {
        Self { unmasked: true, ..self }
    }

    /// Reads from `input` up to the end of the next message or control frame; what follows stays in `input`.
    /// `None` when all of it was taken and more is needed.
    ///
    /// # Errors
    /// The close frame to answer with; the decoder must not be used after that.
    pub(crate) fn decode(&mut self, input: &mut &[u8]) -> Result<Option<Incoming>, CloseFrame> {
        loop {
            if self.frame.is_none() && !self.read_header(input)? {
                return Ok(None);
            }
            if !self.read_payload(input)? {
                return Ok(None);
            }
            if let Some(incoming) = self.finish_frame()? {
                return Ok(Some(incoming));
            }
        }
    }

    /// Takes header bytes until a header is whole. `false` when `input` ended before.
    fn read_header(&mut self, input: &mut &[u8]) -> Result<bool, CloseFrame> {
        loop {
            let have = usize::from(self.header_length);
            let length = header_length(&self.header[..have]);
            if have == length {
                break;
            }
            if input.is_empty() {
                return Ok(false);
            }
            let (bytes, rest) = input.split_at((length - have).min(input.len()));
            self.header[have..have + bytes.len()].copy_from_slice(bytes);
            self.header_length += bytes.len() as u8;
            *input = rest;
        }
        let have = usize::from(std::mem::take(&mut self.header_length));
        let parsed = FrameHeader::parse(&mut Cursor::new(&self.header[..have]));
        let whole = parsed.map_err(|error| protocol(error.to_string()))?;
        let (header, length) = whole.ok_or_else(|| protocol("a header that does not end"))?;
        self.frame = Some(self.check_header(&header, length, have)?);
        Ok(true)
    }

    fn check_header(
        &mut self,
        header: &FrameHeader,
        length: u64,
        header_length: usize,
    ) -> Result<Frame, CloseFrame> {
        let starts_message = matches!(header.opcode, OpCode::Data(Data::Text | Data::Binary));
        let compressed = header.rsv1 && starts_message && !matches!(self.deflate, Deflate::Off);
        if header.rsv2 || header.rsv3 || header.rsv1 && !compressed {
            return Err(protocol("a reserved bit is set"));
        }
        let mask = match (header.mask, self.unmasked) {
            (Some(mask), false) => mask,
            (None, true) => [0; 4],
            (None, false) => return Err(protocol("a client's frame must be masked")),
            (Some(_), true) => return Err(protocol("a server's frame must not be masked")),
        };
        if header.len(length) != header_length || length >> 63 != 0 {
            return Err(protocol("the payload length is not in its shortest form"));
        }
        match header.opcode {
            OpCode::Control(_) if !header.is_final => return Err(protocol("a fragmented control frame")),
            OpCode::Control(_) if length > 125 => return Err(protocol("a control frame over 125 bytes")),
            OpCode::Control(_) => {}
            OpCode::Data(kind) => self.check_data(kind, length, compressed)?,
        }
        Ok(Frame { opcode: header.opcode, is_final: header.is_final, mask, remaining: length })
    }

    fn check_data(&mut self, kind: Data, length: u64, compressed: bool) -> Result<(), CloseFrame> {
        match (kind, &self.message) {
            (Data::Continue, None) => return Err(protocol("a continuation of nothing")),
            (Data::Continue, Some(_)) => {}
            (_, Some(_)) => return Err(protocol("a new message inside a fragmented one")),
            (kind, None) => {
                let inflater = compressed.then(|| self.deflate.start());
                self.message =
                    Some(Box::new(Assembly::new(kind == Data::Text, self.message_limit, inflater)));
            }
        }
        if length > self.frame_limit as u64 {
            return Err(too_big("frame", self.frame_limit));
        }
        let room = self.message.as_ref().map_or(0, |message| message.room());
        if length > room as u64 { Err(too_big("message", self.message_limit)) } else { Ok(()) }
    }

    /// Takes payload bytes. `false` when `input` ended before the frame did.
    fn read_payload(&mut self, input: &mut &[u8]) -> Result<bool, CloseFrame> {
        let Some(frame) = &mut self.frame else { return Ok(false) };
        let here = usize::try_from(frame.remaining).unwrap_or(usize::MAX).min(input.len());
        let (piece, rest) = input.split_at(here);
        *input = rest;
        let mask = frame.mask;
        frame.remaining -= here as u64;
        frame.mask.rotate_left(here % 4);
        match (frame.opcode, &mut self.message) {
            (OpCode::Data(_), Some(message)) => {
                message.push(piece, mask)?;
            }
            _ => {
                let start = self.control.len();
                self.control.extend_from_slice(piece);
                unmask(&mut self.control[start..], mask);
            }
        }
        Ok(frame.remaining == 0)
    }

    fn finish_frame(&mut self) -> Result<Option<Incoming>, CloseFrame> {
        let Some(frame) = self.frame.take() else { return Ok(None) };
        match frame.opcode {
            OpCode::Data(_) if !frame.is_final => Ok(None),
            OpCode::Data(_) => match self.message.take() {
                Some(message) => self.finish_message(*message).map(Some),
                None => Ok(None),
            },
            OpCode::Control(kind) => self.finish_control(kind).map(Some),
        }
    }

    fn finish_message(&mut self, mut message: Assembly) -> Result<Incoming, CloseFrame> {
        match &mut self.deflate {
            Deflate::Kept(kept) => {
                if let Some(inflater) = message.finish_compressed(true)? {
                    *kept = Some(Box::new(inflater));
                }
            }
            Deflate::Alone | Deflate::Off => drop(message.finish_compressed(false)?),
        }
        message.finish().map(Incoming::Message)
    }

    fn finish_control(&mut self, kind: Control) -> Result<Incoming, CloseFrame> {
        let payload = std::mem::take(&mut self.control);
        match kind {
            Control::Ping => Ok(Incoming::Ping(payload.into())),
            Control::Pong => Ok(Incoming::Pong),
            Control::Close => read_close(&payload).map(Incoming::Close),
            Control::Reserved(_) => Err(protocol("a reserved opcode")),
        }
    }
}

impl Deflate {
    fn start(&mut self) -> Inflater {
        match self {
            Self::Kept(kept) => Inflater::start(kept.take().map(|kept| *kept)),
            Self::Alone | Self::Off => Inflater::start(None),
        }
    }
}

fn read_close(payload: &[u8]) -> Result<Option<CloseFrame>, CloseFrame> {
    let Some((code, reason)) = payload.split_first_chunk::<2>() else {
        return if payload.is_empty() { Ok(None) } else { Err(protocol("a close frame of one byte")) };
    };
    let code = CloseCode(u16::from_be_bytes(*code));
    if !code.is_sendable() {
        return Err(protocol(format!("close code {code} may not be sent")));
    }
    match std::str::from_utf8(reason) {
        Ok(reason) => Ok(Some(CloseFrame::new(code, reason.to_owned()))),
        Err(_) => Err(CloseFrame::new(CloseCode::INVALID_TEXT, "the close reason is not UTF-8")),
    }
}

/// How long a header is, as far as its first bytes tell.
fn header_length(start: &[u8]) -> usize {
    let &[_, second, ..] = start else { return 2 };
    let length = match second & 0x7f {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    2 + length + if second & 0x80 == 0 { 0 } else { 4 }
}

fn protocol(reason: impl Into<std::borrow::Cow<'static, str>>) -> CloseFrame {
    CloseFrame::new(CloseCode::PROTOCOL, reason)
}
