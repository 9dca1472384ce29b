//! Clients that cost as little as can be: they count bytes, and know how many to expect.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;

use crate::measure::Server;

const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// What a sender sends: 100 bytes of JSON.
const MESSAGE: &str = "{\"message\":\"";

/// One open WebSocket.
pub struct Socket {
    stream: TcpStream,
}

impl Socket {
    pub fn open(server: &Server) -> Self {
        Self::open_with(server, false)
    }

    pub fn open_with(server: &Server, deflate: bool) -> Self {
        let mut stream = TcpStream::connect(server.address).expect("the server listens");
        stream.set_nodelay(true).expect("TCP");
        let offer = if deflate { "Sec-WebSocket-Extensions: permessage-deflate\r\n" } else { "" };
        let request = format!(
            "GET /ws/room/1/ HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n{offer}\r\n"
        );
        stream.write_all(request.as_bytes()).expect("the server reads");
        let mut head = Vec::new();
        let mut byte = [0; 512];
        while !head.ends_with(b"\r\n\r\n") {
            let read = stream.read(&mut byte).expect("the server answers");
            assert!(read > 0, "the server hung up");
            head.extend_from_slice(&byte[..read]);
        }
        assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
        Self { stream }
    }
}

/// A masked text frame of 100 bytes of payload.
fn frame() -> Vec<u8> {
    let text = format!("{MESSAGE}{}\"}}", "x".repeat(100 - MESSAGE.len() - 2));
    let mask = [1, 2, 3, 4];
    let mut bytes = vec![0x81, 0x80 | 100];
    bytes.extend(mask);
    bytes.extend(text.bytes().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

/// Members of one room; the first one sends.
pub struct Room {
    members: Vec<Socket>,
    frame: Vec<u8>,
    // How many bytes one message is for a member; learnt from the first.
    length: usize,
    buffer: Vec<u8>,
}

impl Room {
    pub fn join(server: &Server, members: usize) -> Self {
        let members: Vec<_> = (0..members).map(|_| Socket::open(server)).collect();
        let mut room = Self { members, frame: frame(), length: 0, buffer: vec![0; 64 << 10] };
        room.learn();
        room
    }

    /// Sends one message and sees how long it is at the other end.
    fn learn(&mut self) {
        self.send(1);
        let mut head = [0; 4];
        let stream = &mut self.members[0].stream;
        stream.read_exact(&mut head[..2]).expect("a frame");
        let (extra, length) = match head[1] {
            126 => {
                stream.read_exact(&mut head[2..]).expect("a length");
                (2, usize::from(u16::from_be_bytes([head[2], head[3]])))
            }
            length => (0, usize::from(length)),
        };
        stream.read_exact(&mut self.buffer[..length]).expect("a payload");
        self.length = 2 + extra + length;
        let total = self.length;
        for member in &mut self.members[1..] {
            member.stream.read_exact(&mut self.buffer[..total]).expect("a frame");
        }
    }

    fn send(&mut self, times: usize) {
        let bytes = self.frame.repeat(times);
        self.members[0].stream.write_all(&bytes).expect("the server reads");
    }

    /// A pong from everyone, which nobody asked for: the server counts it as life and sends no pings, whose bytes
    /// nobody here expects.
    pub fn breathe(&mut self) {
        for member in &mut self.members {
            member.stream.write_all(&[0x8a, 0x80, 0, 0, 0, 0]).expect("the server reads");
        }
    }

    /// Sends `messages`, at most `in_flight` at once, and waits until every member has all of them.
    pub fn run(&mut self, messages: usize, in_flight: usize) {
        for _ in 0..messages / in_flight {
            self.send(in_flight);
            let expected = self.length * in_flight;
            for member in &mut self.members {
                read(&mut member.stream, &mut self.buffer[..expected]);
            }
        }
    }
}

/// One message from every room of one, then all answers.
pub fn round_trips(rooms: &mut [Room]) {
    rooms.iter_mut().for_each(|room| room.send(1));
    for room in rooms {
        let length = room.length;
        read(&mut room.members[0].stream, &mut room.buffer[..length]);
    }
}

fn read(stream: &mut TcpStream, buffer: &mut [u8]) {
    match stream.read_exact(buffer) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => panic!("the server hung up"),
        Err(error) => panic!("{error}"),
    }
}
