//! A small collector: takes what `POST /v1/traces` brings, and reads the spans in it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// How long spans may take: the exporter sends every five seconds, and at its end.
const PATIENCE: Duration = Duration::from_secs(30);

/// A span, as far as the tests ask for it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Span {
    pub trace: String,
    pub id: String,
    pub parent: String,
    pub name: String,
    pub kind: u64,
    /// 2 is an error.
    pub status: u64,
    pub attributes: Vec<(String, String)>,
}

impl Span {
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }
}

type Shelf = Arc<(Mutex<(Vec<Span>, Vec<String>)>, Condvar)>;

pub struct Collector {
    pub address: SocketAddr,
    shelf: Shelf,
}

impl Collector {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shelf = Shelf::default();
        let taker = Arc::clone(&shelf);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                take(stream, &taker);
            }
        });
        Self { address, shelf }
    }

    /// Waits for the span that fits.
    pub fn span(&self, fits: impl Fn(&Span) -> bool) -> Span {
        let (shelf, changed) = &*self.shelf;
        let all = shelf.lock().unwrap();
        let lacks = |all: &mut (Vec<Span>, Vec<String>)| !all.0.iter().any(&fits);
        let (all, _) = changed.wait_timeout_while(all, PATIENCE, lacks).unwrap();
        all.0
            .iter()
            .find(|span| fits(span))
            .cloned()
            .unwrap_or_else(|| panic!("no such span among {:#?}", all.0))
    }

    /// What batches said of who sent them.
    pub fn services(&self) -> Vec<String> {
        self.shelf.0.lock().unwrap().1.clone()
    }
}

/// One request: its body is read whole, and an empty answer says that all is well.
fn take(mut stream: std::net::TcpStream, shelf: &Shelf) {
    let mut read = Vec::new();
    let mut piece = [0; 4096];
    let end = loop {
        let count = stream.read(&mut piece).unwrap();
        assert!(count > 0, "the exporter left within a request");
        read.extend_from_slice(&piece[..count]);
        if let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
    };
    let head = String::from_utf8(read[..end].to_vec()).unwrap().to_ascii_lowercase();
    assert!(head.starts_with("post /v1/traces http/1.1\r\n"), "{head}");
    assert!(head.contains("content-type: application/x-protobuf"), "{head}");
    let length = head.split("content-length: ").nth(1).expect("a length").lines().next().unwrap();
    let mut body = read[end..].to_vec();
    let rest = length.parse::<usize>().unwrap() - body.len();
    let start = body.len();
    body.resize(start + rest, 0);
    stream.read_exact(&mut body[start..]).unwrap();
    stream
        .write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\n\r\n")
        .unwrap();
    let (shelf, changed) = &**shelf;
    let mut shelf = shelf.lock().unwrap();
    for resource_spans in inside(&body, 1) {
        for resource in inside(&resource_spans, 1) {
            let attributes = inside(&resource, 1).map(|attribute| pair(&attribute));
            shelf.1.extend(attributes.filter(|(name, _)| name == "service.name").map(|(_, value)| value));
        }
        for scope_spans in inside(&resource_spans, 2) {
            shelf.0.extend(inside(&scope_spans, 2).map(|span| span_of(&span)));
        }
    }
    changed.notify_all();
}

/// A field of a protobuf message: its number, and what it is.
enum Field {
    Number(u64),
    Bytes(Vec<u8>),
}

/// The fields of a message, in order.
fn fields(mut rest: &[u8]) -> Vec<(u64, Field)> {
    let mut fields = Vec::new();
    while !rest.is_empty() {
        let key = varint(&mut rest);
        let field = match key & 7 {
            0 => Field::Number(varint(&mut rest)),
            1 => Field::Bytes(bytes(&mut rest, 8)),
            2 => {
                let length = usize::try_from(varint(&mut rest)).unwrap();
                Field::Bytes(bytes(&mut rest, length))
            }
            5 => Field::Bytes(bytes(&mut rest, 4)),
            other => panic!("wire type {other}"),
        };
        fields.push((key >> 3, field));
    }
    fields
}

fn varint(rest: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = bytes(rest, 1)[0];
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return value;
        }
    }
    panic!("a number without end")
}

fn bytes(rest: &mut &[u8], length: usize) -> Vec<u8> {
    let (first, behind) = rest.split_at(length);
    *rest = behind;
    first.to_vec()
}

/// The messages, texts or bytes under a number.
fn inside(message: &[u8], number: u64) -> impl Iterator<Item = Vec<u8>> {
    fields(message).into_iter().filter_map(move |(found, field)| match field {
        Field::Bytes(bytes) if found == number => Some(bytes),
        _ => None,
    })
}

fn number(message: &[u8], number: u64) -> u64 {
    let found = fields(message).into_iter().find_map(|(found, field)| match field {
        Field::Number(value) if found == number => Some(value),
        _ => None,
    });
    found.unwrap_or_default()
}

fn text(message: &[u8], number: u64) -> String {
    inside(message, number).next().map(|bytes| String::from_utf8(bytes).unwrap()).unwrap_or_default()
}

fn hex(message: &[u8], number: u64) -> String {
    inside(message, number).flatten().map(|byte| format!("{byte:02x}")).collect()
}

/// A KeyValue, whose value is a text or a whole number here.
fn pair(attribute: &[u8]) -> (String, String) {
    let value = inside(attribute, 2).next().unwrap_or_default();
    let text = match inside(&value, 1).next() {
        Some(text) => String::from_utf8(text).unwrap(),
        None => number(&value, 3).to_string(),
    };
    (self::text(attribute, 1), text)
}

fn span_of(span: &[u8]) -> Span {
    Span {
        trace: hex(span, 1),
        id: hex(span, 2),
        parent: hex(span, 4),
        name: text(span, 5),
        kind: number(span, 6),
        status: inside(span, 15).next().map(|status| number(&status, 3)).unwrap_or_default(),
        attributes: inside(span, 9).map(|attribute| pair(&attribute)).collect(),
    }
}
