//! HTTP/2 by hand: frames as bytes, header blocks without compression.
#![allow(dead_code, reason = "each test binary uses its own part")]

use std::net::SocketAddr;

use crate::raw::Raw;

pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const PRIORITY: u8 = 2;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const PUSH_PROMISE: u8 = 5;
pub const PING: u8 = 6;
pub const GOAWAY: u8 = 7;
pub const WINDOW_UPDATE: u8 = 8;
pub const CONTINUATION: u8 = 9;

/// Ends a stream (DATA, HEADERS); acknowledges (SETTINGS, PING).
pub const END_STREAM: u8 = 1;
pub const ACK: u8 = 1;
pub const END_HEADERS: u8 = 4;
pub const PADDED: u8 = 8;
pub const WITH_PRIORITY: u8 = 0x20;

pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A frame that the server sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    pub kind: u8,
    pub flags: u8,
    pub stream: u32,
    pub payload: Vec<u8>,
}

impl Frame {
    /// The error code of a RST_STREAM or GOAWAY.
    pub fn code(&self) -> u32 {
        let at = if self.kind == GOAWAY { 4 } else { 0 };
        u32::from_be_bytes(self.payload[at..at + 4].try_into().expect("a code"))
    }
}

/// A frame's bytes, whatever they mean.
pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = u32::try_from(payload.len()).expect("a short payload").to_be_bytes()[1..].to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// A header block of literals that are not indexed.
pub fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, value) in fields {
        bytes.push(0);
        for text in [name, value] {
            integer(&mut bytes, text.len());
            bytes.extend(text.as_bytes());
        }
    }
    bytes
}

/// HPACK's integer with a prefix of seven bits.
fn integer(bytes: &mut Vec<u8>, mut value: usize) {
    if value < 127 {
        return bytes.push(value as u8);
    }
    bytes.push(127);
    value -= 127;
    while value >= 128 {
        bytes.push((value % 128) as u8 | 128);
        value /= 128;
    }
    bytes.push(value as u8);
}

/// The fields of a good GET.
pub fn get(path: &str) -> [(&'static str, &str); 4] {
    [(":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", path)]
}

/// A whole request without a body.
pub fn request(stream: u32, fields: &[(&str, &str)]) -> Vec<u8> {
    frame(HEADERS, END_STREAM | END_HEADERS, stream, &block(fields))
}

/// One setting's bytes.
pub fn setting(id: u16, value: u32) -> Vec<u8> {
    [&id.to_be_bytes()[..], &value.to_be_bytes()].concat()
}

/// A connection after its prefaces.
pub struct Http2 {
    pub raw: Raw,
}

impl Http2 {
    pub async fn connect(address: SocketAddr) -> Self {
        let mut raw = Raw::connect(address).await;
        raw.send([PREFACE, &frame(SETTINGS, 0, 0, &[]), &frame(SETTINGS, ACK, 0, &[])].concat()).await;
        let mut own = Self { raw };
        assert_eq!(own.next().await.kind, SETTINGS, "the server's preface is a SETTINGS frame");
        own
    }

    pub async fn next(&mut self) -> Frame {
        let head = self.raw.bytes(9).await;
        let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
        let stream = u32::from_be_bytes(head[5..9].try_into().expect("four bytes")) & (u32::MAX >> 1);
        Frame { kind: head[3], flags: head[4], stream, payload: self.raw.bytes(length).await }
    }

    /// The next frame that is neither SETTINGS nor WINDOW_UPDATE.
    pub async fn answer(&mut self) -> Frame {
        loop {
            let frame = self.next().await;
            if !matches!(frame.kind, SETTINGS | WINDOW_UPDATE) {
                return frame;
            }
        }
    }
}
