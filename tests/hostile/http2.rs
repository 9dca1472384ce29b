//! HTTP/2's own attacks, in frames built by hand.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::raw::PATIENCE;
use crate::site::{Neighbour, Site, memory};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

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

async fn open(site: &Site) -> TcpStream {
    let mut stream = TcpStream::connect(site.address()).await.unwrap();
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
    timeout(PATIENCE, async {
        tokio::select! { _ = reader.read_to_end(&mut rest) => {}, () = sending => {} }
    })
    .await
    .expect("the server ends the connection in time");
    sent
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rapid_reset_ends_the_connection() {
    let site = Site::with(|_| {}).await;
    let mut neighbour = Neighbour::new(&site).await;
    let stream = open(&site).await;
    let sent = until_ended(stream, 1_000_000, |number| {
        let id = u32::try_from(number).unwrap() * 2 + 1;
        let mut bytes = frame(HEADERS, END_HEADERS | END_STREAM, id, &get());
        bytes.extend(frame(RST_STREAM, 0, id, &8_u32.to_be_bytes()));
        bytes
    })
    .await;
    assert!(sent < 1_000_000, "{sent} resets were taken");
    neighbour.notices_nothing().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_continuation_flood_ends_the_connection() {
    let site = Site::with(|_| {}).await;
    let mut neighbour = Neighbour::new(&site).await;
    let before = memory();
    let mut stream = open(&site).await;
    stream.write_all(&frame(HEADERS, END_STREAM, 1, &get())).await.unwrap();
    // A literal field without indexing, over and over, and never the end of the headers.
    let mut field = vec![0x00, 1, b'a', 100];
    field.extend([b'x'; 100]);
    let block = field.repeat(100);
    let sent = until_ended(stream, 100_000, |_| frame(CONTINUATION, 0, 1, &block)).await;
    assert!(sent < 100_000, "{sent} continuations were taken");
    assert!(memory().saturating_sub(before) < 16 << 10);
    neighbour.notices_nothing().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_settings_flood_fills_no_memory() {
    let site = Site::with(|_| {}).await;
    let mut neighbour = Neighbour::new(&site).await;
    let before = memory();
    let mut stream = open(&site).await;
    let settings = frame(SETTINGS, 0, 0, &[]).repeat(1000);
    let flooding = async {
        for _ in 0..500 {
            // Nothing is read: the server stops reading once its acknowledgements do not leave.
            let wrote = timeout(std::time::Duration::from_millis(500), stream.write_all(&settings)).await;
            if !matches!(wrote, Ok(Ok(()))) {
                return;
            }
        }
    };
    tokio::join!(flooding, neighbour.notices_nothing());
    let grown = memory().saturating_sub(before);
    assert!(grown < 16 << 10, "{grown} KiB");
}
