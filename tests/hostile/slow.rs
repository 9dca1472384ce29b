//! Clients that take their time: dripping heads, half-open handshakes, readers that never read.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::raw::PATIENCE;
use crate::site::{Neighbour, Site, memory};

/// Waits until the server has closed the connection.
async fn closed(stream: &mut TcpStream) {
    let mut rest = Vec::new();
    // A reset is as good an end as any.
    let _ = timeout(PATIENCE, stream.read_to_end(&mut rest)).await.expect("closed in time");
}

#[tokio::test]
async fn a_head_that_drips_is_cut_off_at_the_header_time() {
    let site = Site::with(|limits| limits.header_time = Duration::from_millis(300)).await;
    let mut neighbour = Neighbour::new(&site).await;
    let mut stream = TcpStream::connect(site.address()).await.unwrap();
    let (mut reader, mut writer) = stream.split();
    let drip = async {
        writer.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n").await.unwrap();
        let mut pace = tokio::time::interval(Duration::from_millis(20));
        loop {
            pace.tick().await;
            if writer.write_all(b"x").await.is_err() {
                return;
            }
        }
    };
    let mut rest = Vec::new();
    tokio::select! {
        () = drip => {}
        read = timeout(PATIENCE, reader.read_to_end(&mut rest)) => drop(read.expect("cut off in time")),
    }
    neighbour.notices_nothing().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_thousand_half_open_handshakes_are_dropped_in_time_and_leave_no_memory() {
    let site = Site::with(|limits| limits.header_time = Duration::from_secs(1)).await;
    let mut neighbour = Neighbour::new(&site).await;
    let before = memory();
    let mut streams = Vec::with_capacity(5000);
    for _ in 0..5000 {
        let mut stream = TcpStream::connect(site.address()).await.unwrap();
        stream.write_all(b"GET /ws/ HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n").await.unwrap();
        streams.push(stream);
    }
    neighbour.notices_nothing().await;
    let during = memory().saturating_sub(before);
    // Both ends are in this process. hyper reads heads into a buffer of 8 KiB; measured are 22 KiB for both ends.
    assert!(during < 5000 * 32, "{during} KiB for 5,000 half-open handshakes");
    for stream in &mut streams {
        closed(stream).await;
    }
    neighbour.notices_nothing().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_never_reads_costs_its_outbox_and_is_dropped() {
    let site = Site::with(|limits| {
        limits.outbox_stall = Duration::from_millis(500);
        limits.close_time = Duration::from_millis(200);
    })
    .await;
    let mut neighbour = Neighbour::new(&site).await;
    let mut deaf = site.websocket().await;
    let sockets = site.running.env().sockets.clone();
    let before = memory();
    let text = "x".repeat(10_000);
    let flood = async {
        // The kernel takes a few megabytes, the outbox 256 KiB, and then nothing moves.
        while sockets.len() > 1 {
            site.tell_all(&text).await;
            tokio::task::yield_now().await;
        }
    };
    let listen = async {
        // The neighbour is in the same group and reads.
        let mut raw = site.websocket().await;
        loop {
            raw.frame().await;
        }
    };
    let watch = async {
        loop {
            if sockets.len() <= 2 {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, async {
        tokio::select! { () = flood => {}, () = listen => {}, () = watch => {} }
    })
    .await
    .expect("the deaf reader is dropped in time");
    let grown = memory().saturating_sub(before);
    assert!(grown < 64 << 10, "{grown} KiB");
    let _ = &mut deaf;
    let _ = &mut neighbour;
}
