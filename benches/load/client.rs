//! Clients that cost as little as can be: they count bytes, and know how many to expect.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Instant;

use crate::measure::Server;

const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// How a sender's JSON begins.
const MESSAGE: &str = "{\"message\":\"";

/// The usual size of a message, in bytes.
const PAYLOAD: u16 = 100;

/// Whom the server sees: nobody, or the one user that it has.
#[derive(Clone)]
pub struct Visitor {
    address: SocketAddr,
    origin: &'static str,
    cookie: String,
}

impl Visitor {
    /// Nobody in particular.
    pub fn at(address: SocketAddr) -> Self {
        Self { address, origin: "http://127.0.0.1", cookie: String::new() }
    }

    /// Logs in where the server's kind has sessions.
    pub fn of(server: &Server, kind: &[&str]) -> Self {
        let mut visitor = Self { address: server.address, origin: "http://127.0.0.1", cookie: String::new() };
        if kind[0] == "solent" && kind[1] != "anonymous" {
            let mut stream = visitor.connect();
            visitor.log_in(&mut stream);
        }
        visitor
    }

    /// Who comes over TLS, and logs in over `stream`.
    pub fn over_tls(server: &Server, stream: &mut (impl Read + Write)) -> Self {
        let mut visitor =
            Self { address: server.address, origin: "https://127.0.0.1", cookie: String::new() };
        visitor.log_in(stream);
        visitor
    }

    fn log_in(&mut self, stream: &mut (impl Read + Write)) {
        let head = self.ask(stream, "/enter/", "");
        let cookie = head.lines().find_map(|line| line.strip_prefix("set-cookie: sessionid="));
        let cookie = cookie.and_then(|cookie| cookie.split(';').next()).expect("a session");
        self.cookie = format!("Cookie: sessionid={cookie}\r\n");
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
    pub fn ask(&self, stream: &mut (impl Read + Write), path: &str, headers: &str) -> String {
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
        let mut stream = visitor.connect();
        visitor.upgrade(&mut stream, room, deflate);
        Self { stream }
    }

    /// The next message's bytes, whatever their number.
    fn skip_message(&mut self, buffer: &mut [u8]) -> usize {
        read(&mut self.stream, &mut buffer[..2]);
        let (extra, length) = match buffer[1] {
            126 => {
                read(&mut self.stream, &mut buffer[2..4]);
                (2, usize::from(u16::from_be_bytes([buffer[2], buffer[3]])))
            }
            length => (0, usize::from(length)),
        };
        read(&mut self.stream, &mut buffer[..length]);
        2 + extra + length
    }
}

impl Visitor {
    /// Opens a WebSocket over a stream.
    pub fn upgrade(&self, stream: &mut (impl Read + Write), room: u32, deflate: bool) {
        let offer = if deflate { "Sec-WebSocket-Extensions: permessage-deflate\r\n" } else { "" };
        let headers = format!(
            "Origin: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n{offer}",
            self.origin
        );
        let head = self.ask(stream, &format!("/ws/room/{room}/"), &headers);
        assert!(head.starts_with("HTTP/1.1 101"), "{head}");
        assert!(head.ends_with("\r\n\r\n"), "nothing is sent before the first message: {head}");
    }
}

/// A masked text frame with some bytes of payload: words, so that compression has something to do.
fn frame(payload: u16) -> Vec<u8> {
    let words = "the quick brown fox jumps over the lazy dog ".chars().cycle();
    let words: String = words.take(usize::from(payload) - MESSAGE.len() - 2).collect();
    let text = format!("{MESSAGE}{words}\"}}");
    let mask = [1, 2, 3, 4];
    let mut bytes = match u8::try_from(payload).ok().filter(|short| *short < 126) {
        Some(short) => vec![0x81, 0x80 | short],
        None => [&[0x81, 0x80 | 126][..], &payload.to_be_bytes()].concat(),
    };
    bytes.extend(mask);
    bytes.extend(text.bytes().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

/// Members of one room; the first one sends.
pub struct Room {
    members: Vec<Socket>,
    frame: Vec<u8>,
    // How many bytes one message is for a member; learnt from the first. `None` where messages differ in length.
    length: Option<usize>,
    buffer: Vec<u8>,
}

impl Room {
    pub fn join(server: &Server, kind: &[&str], room: u32, members: usize) -> Self {
        Self::join_as(&Visitor::of(server, kind), room, members)
    }

    pub fn join_as(visitor: &Visitor, room: u32, members: usize) -> Self {
        let mut room = Self::of(visitor, room, members, PAYLOAD, false);
        room.learn();
        room
    }

    /// A room whose messages have more bytes, compressed or not.
    pub fn join_for_long(visitor: &Visitor, room: u32, members: usize, payload: u16, deflate: bool) -> Self {
        Self::of(visitor, room, members, payload, deflate)
    }

    fn of(visitor: &Visitor, room: u32, members: usize, payload: u16, deflate: bool) -> Self {
        let members = (0..members).map(|_| Socket::open_with(visitor, room, deflate)).collect();
        Self { members, frame: frame(payload), length: None, buffer: vec![0; 64 << 10] }
    }

    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Sends one message and sees how long it is at the other end.
    fn learn(&mut self) {
        self.send(1);
        for member in &mut self.members {
            self.length = Some(member.skip_message(&mut self.buffer));
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

    /// Answers a ping of every member's, which may be a while in coming.
    pub fn answer_pings(&mut self) {
        for member in &mut self.members {
            read(&mut member.stream, &mut self.buffer[..2]);
            assert_eq!(self.buffer[..2], [0x89, 0], "an idle member gets pings and nothing else");
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
        for member in &mut self.members {
            match self.length {
                Some(length) => read(&mut member.stream, &mut self.buffer[..length * messages]),
                None => (0..messages).for_each(|_| {
                    member.skip_message(&mut self.buffer);
                }),
            }
            latencies.push(u32::try_from(start.elapsed().as_micros()).unwrap_or(u32::MAX));
        }
    }
}

/// One message in every room, then whatever its members get.
pub fn say_in_all(rooms: &mut [Room]) {
    rooms.iter_mut().for_each(|room| room.send(1));
    for room in rooms {
        let length = room.length.expect("rooms know the length of their messages");
        for member in &mut room.members {
            read(&mut member.stream, &mut room.buffer[..length]);
        }
    }
}

/// One message from every room of one, then all answers.
pub fn round_trips(rooms: &mut [Room]) {
    rooms.iter_mut().for_each(|room| room.send(1));
    for room in rooms {
        let length = room.length.expect("rooms know the length of their messages");
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
        let streams = (0..connections).map(|_| visitor.connect()).collect();
        let length = length_of_answer(visitor, path);
        let request = visitor.request(path, "").into_bytes();
        let mut pages = Self { streams, request, length, buffer: vec![0; 64 << 10] };
        // A connection that says nothing at first is soon closed; a kept one may wait for its turn.
        pages.fetch(connections);
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
        self.expect_silence();
    }

    /// Every byte was counted: an answer whose length was learnt wrongly would let the client run ahead of the server.
    fn expect_silence(&self) {
        for stream in &self.streams {
            stream.set_nonblocking(true).expect("TCP");
            let more = stream.peek(&mut [0]);
            assert!(
                more.is_err_and(|error| error.kind() == ErrorKind::WouldBlock),
                "an answer is longer than the first"
            );
            stream.set_nonblocking(false).expect("TCP");
        }
    }
}

/// Head and body of one answer, in bytes, on a connection that is kept: servers differ in how they say that it is.
fn length_of_answer(visitor: &Visitor, path: &str) -> usize {
    let mut stream = visitor.connect();
    stream.write_all(visitor.request(path, "").as_bytes()).expect("the server reads");
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        read(&mut stream, &mut byte);
        answer.extend(byte);
    }
    let head = String::from_utf8_lossy(&answer).to_ascii_lowercase();
    assert!(head.starts_with("http/1.1 200"), "{head}");
    let body = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    answer.len() + body.and_then(|body| body.parse::<usize>().ok()).expect("an answer of known length")
}
