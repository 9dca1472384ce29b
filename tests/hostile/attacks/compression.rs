//! Clients that want compression, and as much of the server's memory as it has for them.

use std::net::SocketAddr;

use flate2::{Compress, Compression, FlushCompress};
use tokio::net::TcpSocket;
use tokio::task::JoinSet;

use crate::raw::{Raw, frame, handshake};

const OFFER: &str = "Sec-WebSocket-Extensions: permessage-deflate\r\n";

/// How many there are of each kind.
pub const TALKERS: usize = 500;
pub const GREEDY: usize = 40;

/// The bound that greedy clients meet.
pub const MESSAGE: usize = 256 << 10;

/// A message's compressed payload (RFC 7692 section 7.2.1).
fn deflated(text: &[u8]) -> Vec<u8> {
    let mut output = Vec::with_capacity(text.len() + 100);
    Compress::new(Compression::fast(), false).compress_vec(text, &mut output, FlushCompress::Sync).unwrap();
    output.truncate(output.len() - 4);
    output
}

/// Each waits to be told, says something, hears it again, and stays: both ways compressed.
pub async fn talkers(address: SocketAddr) {
    let mut all = JoinSet::new();
    for number in 0..TALKERS {
        let mut raw = Raw::websocket_with(address, "/ws/", OFFER).await;
        all.spawn(async move {
            assert_eq!(raw.frame().await.json()["text"], "speak");
            let said = frame(0xc1, &deflated(format!("{number} ").repeat(500).as_bytes()));
            for _ in 0..2 {
                raw.send(&said).await;
                assert_eq!(raw.frame().await.first, 0xc1, "the answer is compressed");
            }
            raw
        });
    }
    let _open = all.join_all().await;
    std::future::pending::<()>().await;
}

/// Half of them begin a message that inflates to all that is allowed and do not end it; the others say the largest message
/// again and again and never read what comes back.
pub async fn greedy(address: SocketAddr) {
    let bomb = frame(0x42, &deflated(&vec![0; MESSAGE - 1]));
    let noise: Vec<u8> =
        (0..MESSAGE as u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let noise = frame(0x82, &noise);
    let (mut beginning, mut saying) = (Vec::new(), Vec::new());
    for _ in 0..GREEDY / 2 {
        beginning.push(deaf(address, OFFER).await);
        // Nothing is tried to be made smaller for them, which would only take time.
        saying.push(deaf(address, "").await);
    }
    for raw in &mut beginning {
        raw.send(&bomb).await;
    }
    let saying = saying.into_iter().map(|mut raw| {
        let noise = noise.clone();
        async move {
            loop {
                raw.send(&noise).await;
            }
        }
    });
    saying.collect::<JoinSet<()>>().join_all().await;
}

/// A socket whose client's side takes little of what it does not read.
async fn deaf(address: SocketAddr, offer: &str) -> Raw {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(8 << 10).unwrap();
    let mut raw = Raw::over(socket.connect(address).await.unwrap());
    raw.send(handshake("/ws/", offer)).await;
    assert_eq!(raw.head().await.status, 101);
    raw.send_text("join greedy").await;
    raw
}
