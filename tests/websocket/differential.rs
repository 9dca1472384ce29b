//! Frames by chance, read here and by tungstenite's own message layer: the same is heard, however the bytes come.

use std::cell::Cell;
use std::io::{self, Read, Write};

use proptest::prelude::*;
use solent::testing::fuzz::{Heard, hear};
use tungstenite::protocol::{Role, WebSocket, WebSocketConfig};
use tungstenite::{Error, Message};

const LIMIT: usize = 300;

/// A client's frame; what RFC 6455 forbids is among it.
#[derive(Debug, Clone)]
struct Sent {
    first: u8,
    masked: bool,
    payload: Vec<u8>,
}

impl Sent {
    fn bytes(&self) -> Vec<u8> {
        if self.masked {
            return crate::raw::frame(self.first, &self.payload);
        }
        let mut bytes = crate::raw::frame(self.first, &[]);
        bytes.truncate(1);
        bytes.push(u8::try_from(self.payload.len().min(125)).unwrap());
        bytes.extend(&self.payload[..self.payload.len().min(125)]);
        bytes
    }
}

fn payload() -> impl Strategy<Value = Vec<u8>> {
    let text = "[a-zκόσμε€😀]{0,40}".prop_map(String::into_bytes);
    let piece_of_text = ("[κόσμε€😀]{1,20}", 0..4_usize, 0..4_usize).prop_map(|(text, front, back)| {
        let bytes = text.into_bytes();
        let end = bytes.len().saturating_sub(back).max(front.min(bytes.len()));
        bytes[front.min(bytes.len())..end].to_vec()
    });
    let bytes = prop::collection::vec(any::<u8>(), 0..20);
    // No frame alone is over the limit: of two mistakes in one header, either may be found first.
    let long = (100..250_usize).prop_map(|length| vec![b'x'; length]);
    prop_oneof![5 => text, 2 => piece_of_text, 2 => bytes, 1 => long]
}

fn sent() -> impl Strategy<Value = Sent> {
    let usual = prop::sample::select(vec![0x81_u8, 0x82, 0x01, 0x02, 0x00, 0x00, 0x80, 0x80, 0x89, 0x8a]);
    let first = prop_oneof![30 => usual, 1 => any::<u8>().prop_filter("closes are made below", |first| *first != 0x88)];
    let data = (first, prop::bool::weighted(0.99), payload());
    let data = data.prop_map(|(first, masked, payload)| Sent { first, masked, payload });
    prop_oneof![15 => data, 1 => close()]
}

/// A close frame with at most one mistake: of two, either may be found first.
fn close() -> impl Strategy<Value = Sent> {
    let good = prop::sample::select(vec![1000_u16, 1003, 3000, 4999]);
    let cut = (good, "[a-zé]{0,10}", 0..4_usize).prop_map(|(code, reason, cut)| (code, reason, cut));
    // IANA has assigned 1014 since; tungstenite does not know it.
    let code = prop_oneof![990..1020_u16, any::<u16>()].prop_filter("1014", |code| *code != 1014);
    let odd = (code, "[a-z]{0,10}").prop_map(|(code, reason)| (code, reason, 0));
    prop_oneof![cut, odd].prop_map(|(code, reason, cut)| {
        let mut payload = [&code.to_be_bytes()[..], reason.as_bytes()].concat();
        payload.truncate(payload.len().saturating_sub(cut));
        Sent { first: 0x88, masked: true, payload }
    })
}

/// Bytes that come in pieces of at most `size`, with nothing to read in between.
struct Trickle<'a> {
    bytes: &'a [u8],
    size: usize,
    dry: Cell<bool>,
}

impl Read for Trickle<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.dry.replace(!self.dry.get()) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let length = self.size.min(buffer.len()).min(self.bytes.len());
        let (piece, rest) = self.bytes.split_at(length);
        buffer[..length].copy_from_slice(piece);
        self.bytes = rest;
        Ok(length)
    }
}

impl Write for Trickle<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What tungstenite hears.
fn theirs(bytes: &[u8], size: usize) -> Vec<Heard> {
    let config = WebSocketConfig::default()
        .max_message_size(Some(LIMIT))
        .max_frame_size(Some(LIMIT))
        .read_buffer_size(64);
    let trickle = Trickle { bytes, size, dry: Cell::new(false) };
    let mut socket = WebSocket::from_raw_socket(trickle, Role::Server, Some(config));
    let mut heard = Vec::new();
    loop {
        let next = match socket.read() {
            Ok(Message::Text(text)) => Heard::Text(text.as_str().to_owned()),
            Ok(Message::Binary(bytes)) => Heard::Binary(bytes.to_vec()),
            Ok(Message::Ping(payload)) => Heard::Ping(payload.to_vec()),
            Ok(Message::Pong(_)) => Heard::Pong,
            Ok(Message::Close(close)) => {
                Heard::Close(close.map(|close| (close.code.into(), close.reason.to_string())))
            }
            Ok(Message::Frame(_)) => unreachable!("only for writing"),
            Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => continue,
            Err(Error::Protocol(tungstenite::error::ProtocolError::ResetWithoutClosingHandshake)) => {
                return heard;
            }
            Err(Error::Protocol(_)) => Heard::Failed(1002),
            Err(Error::Utf8(_)) => Heard::Failed(1007),
            Err(Error::Capacity(_)) => Heard::Failed(1009),
            Err(error) => panic!("{error}"),
        };
        let ended = matches!(next, Heard::Close(_) | Heard::Failed(_));
        heard.push(next);
        if ended {
            return heard;
        }
    }
}

/// A close frame with a code that may not be sent is a protocol error here, and answered with 1002 by tungstenite.
fn leveled(mut heard: Vec<Heard>) -> Vec<Heard> {
    if let Some(last @ Heard::Close(Some((1002, _)))) = heard.last_mut() {
        *last = Heard::Failed(1002);
    }
    heard
}

/// Compares, but for one known difference: tungstenite finds text that is no UTF-8 at the end of a frame or message.
fn same(ours: &[Heard], theirs: &[Heard]) -> bool {
    let Some((Heard::Failed(1007), before)) = ours.split_last() else { return ours == theirs };
    let Some(late) = theirs.strip_prefix(before) else { return false };
    // Until then control frames are heard, or another mistake is found; never the message.
    late.iter()
        .all(|heard| matches!(heard, Heard::Ping(_) | Heard::Pong | Heard::Failed(_) | Heard::Close(_)))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_frames_are_heard_as_by_tungstenite_cut_at_every_byte(
        frames in prop::collection::vec(sent(), 1..9), size in 1..70_usize
    ) {
        let bytes: Vec<u8> = frames.iter().flat_map(Sent::bytes).collect();
        let ours = leveled(hear([&*bytes], LIMIT, false));
        for cut in 1..bytes.len() {
            let (front, back) = bytes.split_at(cut);
            prop_assert_eq!(&leveled(hear([front, back], LIMIT, false)), &ours, "cut at {}", cut);
        }
        prop_assert_eq!(&leveled(hear(bytes.chunks(1), LIMIT, false)), &ours, "byte by byte");
        for size in [1, size, bytes.len()] {
            let theirs = leveled(theirs(&bytes, size));
            prop_assert!(same(&ours, &theirs), "pieces of {}: {:?}, tungstenite {:?}", size, ours, theirs);
        }
    }
}
