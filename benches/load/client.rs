//! Clients that cost as little as can be: they count bytes, and know how many to expect.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Instant;

use crate::measure::Server;

const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// What a sender sends: 100 bytes of JSON.
const MESSAGE: &str = "{\"message\":\"";

/// Whom the server sees: nobody, or the one user that it has.
#[derive(Clone)]
pub struct Visitor {
    address: SocketAddr,
    cookie: String,
}

impl Visitor {
    /// Logs in where the server's kind has sessions.
    pub fn of(server: &Server, kind: &[&str]) -> Self {
        let mut visitor = Self { address: server.address, cookie: String::new() };
        if kind[0] == "solent" && kind[1] != "anonymous" {
            let mut stream = visitor.connect();
            let head = visitor.ask(&mut stream, "/enter/", "");
            let cookie = head.lines().find_map(|line| line.strip_prefix("set-cookie: sessionid="));
            let cookie = cookie.and_then(|cookie| cookie.split(';').next()).expect("a session");
            visitor.cookie = format!("Cookie: sessionid={cookie}\r\n");
        }
        visitor
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).expect("the server listens");
        stream.set_nodelay(true).expect("TCP");
        stream
    }

    fn request(&self, path: &str, headers: &str) -> String {
        format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{}{headers}\r\n", self.cookie)
    }

    /// Sends a request and reads its answer's head.
    fn ask(&self, stream: &mut TcpStream, path: &str, headers: &str) -> String {
        stream.write_all(self.request(path, headers).as_bytes()).expect("the server reads");
        let mut head = Vec::new();
        let mut buffer = [0; 512];
        while !head.windows(4).any(|end| end == b"\r\n\r\n") {
            let read = stream.read(&mut buffer).expect("the server answers");
            assert!(read > 0, "the server hung up: {}", String::from_utf8_lossy(&head));
            head.extend_from_slice(&buffer[..read]);
        }
        String::from_utf8_lossy(&head).into_owned()
    }
}

/// One open WebSocket.
pub struct Socket {
    stream: TcpStream,
}

impl Socket {
    pub fn open(visitor: &Visitor, room: u32) -> Self {
        Self::open_with(visitor, room, false)
    }

    pub fn open_with(visitor: &Visitor, room: u32, deflate: bool) -> Self {
        let offer = if deflate { "Sec-WebSocket-Extensions: permessage-deflate\r\n" } else { "" };
        let headers = format!(
            "Origin: http://127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n{offer}"
        );
        let mut stream = visitor.connect();
        let head = visitor.ask(&mut stream, &format!("/ws/room/{room}/"), &headers);
        assert!(head.starts_with("HTTP/1.1 101"), "{head}");
        assert!(head.ends_with("\r\n\r\n"), "nothing is sent before the first message: {head}");
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
    pub fn join(server: &Server, kind: &[&str], room: u32, members: usize) -> Self {
        let visitor = Visitor::of(server, kind);
        let members: Vec<_> = (0..members).map(|_| Socket::open(&visitor, room)).collect();
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

    /// Sends `messages`, at most `in_flight` at once, and waits until every member has all of them. Adds how long each
    /// delivery took, in microseconds.
    pub fn run(&mut self, messages: usize, in_flight: usize, latencies: &mut Vec<u32>) {
        for _ in 0..messages / in_flight {
            let start = Instant::now();
            self.send(in_flight);
            self.hear(in_flight, start, latencies);
        }
    }

    /// The same when someone else sends: `send` is told how many.
    pub fn run_by(&mut self, messages: usize, in_flight: usize, mut send: impl FnMut(usize)) {
        for _ in 0..messages / in_flight {
            send(in_flight);
            self.hear(in_flight, Instant::now(), &mut Vec::new());
        }
    }

    /// Waits until every member has so many messages, sent at `start`.
    fn hear(&mut self, messages: usize, start: Instant, latencies: &mut Vec<u32>) {
        let expected = self.length * messages;
        for member in &mut self.members {
            read(&mut member.stream, &mut self.buffer[..expected]);
            latencies.push(u32::try_from(start.elapsed().as_micros()).unwrap_or(u32::MAX));
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

/// The value below which that share of them lies; they are taken.
pub fn percentile(values: &mut Vec<u32>, share: f64) -> f64 {
    let mut values = std::mem::take(values);
    values.sort_unstable();
    let index = (values.len() as f64 * share) as usize;
    values.get(index).or(values.last()).copied().map_or(0.0, f64::from)
}

/// Kept connections that fetch one page over and over.
pub struct Pages {
    streams: Vec<TcpStream>,
    request: Vec<u8>,
    // How many bytes an answer is; learnt from the first.
    length: usize,
    buffer: Vec<u8>,
}

impl Pages {
    pub fn open(visitor: &Visitor, path: &str, connections: usize) -> Self {
        let mut streams: Vec<_> = (0..connections).map(|_| visitor.connect()).collect();
        let length = length_of_answer(visitor, path);
        let request = visitor.request(path, "").into_bytes();
        let mut pages = Self { streams: Vec::new(), request, length, buffer: vec![0; 64 << 10] };
        pages.streams.append(&mut streams);
        pages
    }

    pub fn fetch(&mut self, requests: usize) {
        for _ in 0..requests / self.streams.len() {
            for stream in &mut self.streams {
                stream.write_all(&self.request).expect("the server reads");
            }
            for stream in &mut self.streams {
                read(stream, &mut self.buffer[..self.length]);
            }
        }
    }
}

/// Head and body of one answer, in bytes.
fn length_of_answer(visitor: &Visitor, path: &str) -> usize {
    let mut stream = visitor.connect();
    stream.write_all(visitor.request(path, "Connection: close\r\n").as_bytes()).expect("the server reads");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("the server answers");
    let text = String::from_utf8_lossy(&answer);
    assert!(text.starts_with("HTTP/1.1 200"), "{text}");
    // A kept connection's answer lacks the line that says otherwise.
    answer.len() - "connection: close\r\n".len()
}
