//! A thousand sockets of one room at two processes.

/// What takes over half a minute: `tests/run --all`.
mod slow {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use std::time::{Duration, Instant};

    use serde_json::json;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;
    use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
    use tokio::sync::{Mutex, Notify};
    use tokio::time::timeout;

    use crate::raw::frame;
    use crate::two::{Two, first_frame, join, login, pong};

    const SOCKETS: usize = 500;
    const SENDERS: usize = 4;
    const EACH: usize = 250;
    const PATIENCE: Duration = Duration::from_secs(300);

    /// How far everyone is, so that senders can keep pace with the slowest.
    #[derive(Default)]
    struct Pace {
        heard: AtomicUsize,
        moved: Notify,
    }

    /// Reads one socket's messages: all of them, each once, each sender's in order.
    async fn reads(mut stream: OwnedReadHalf, writer: Arc<Mutex<OwnedWriteHalf>>, pace: Arc<Pace>) {
        let (mut unread, mut next, mut heard) = (Vec::with_capacity(32 << 10), [0; SENDERS], 0);
        while heard < SENDERS * EACH {
            let read = timeout(PATIENCE, stream.read_buf(&mut unread)).await.expect("in time").expect("open");
            assert!(read > 0, "the socket was dropped after {heard} messages");
            let mut at = 0;
            while let Some((first, payload, length)) = first_frame(&unread[at..]) {
                at += length;
                if first == 0x89 {
                    pong(&writer, payload).await;
                    continue;
                }
                assert_eq!(first, 0x81, "a text frame");
                let (sender, number) = said(std::str::from_utf8(payload).expect("UTF-8"));
                assert_eq!(number, next[sender], "sender {sender}: lost, twice or out of order");
                next[sender] += 1;
                heard += 1;
                if pace.heard.fetch_add(1, SeqCst) % 1000 == 999 {
                    pace.moved.notify_waiters();
                }
            }
            unread.drain(..at);
        }
        assert!(unread.is_empty(), "something came twice");
    }

    /// Who said it, and its number: the message is `sender:number`.
    fn said(text: &str) -> (usize, usize) {
        let rest = text.split("\"message\":\"").nth(1).unwrap_or_else(|| panic!("no message: {text}"));
        let (sender, number) = rest.split('"').next().unwrap_or_default().split_once(':').expect("a number");
        (sender.parse().expect("a sender"), number.parse().expect("a number"))
    }

    async fn raise_open_files() {
        let _ = rlimit::increase_nofile_limit(4096);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_thousand_messages_reach_a_thousand_sockets_of_two_processes_once_and_in_order() {
        crowd_on("redis-pubsub").await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_thousand_messages_reach_a_thousand_sockets_over_the_core_layer_too() {
        crowd_on("redis").await;
    }

    async fn crowd_on(backend: &str) {
        raise_open_files().await;
        let site = Two::start_on(backend);
        let pace = Arc::new(Pace::default());
        let (mut readers, mut senders) = (Vec::new(), Vec::new());
        for (address, name, password) in
            [(site.one.address, "alice", "wonderland-1"), (site.two.address, "bob", "builder-2")]
        {
            let cookies = login(address, name, password).await;
            for index in 0..SOCKETS {
                let stream: TcpStream = join(address, &cookies).await.stream;
                let (reader, writer) = stream.into_split();
                let writer = Arc::new(Mutex::new(writer));
                readers.push(tokio::spawn(reads(reader, writer.clone(), pace.clone())));
                if index < SENDERS / 2 {
                    senders.push(writer);
                }
            }
        }
        let start = Instant::now();
        let sending = senders.into_iter().enumerate().map(|(sender, writer)| {
            let pace = pace.clone();
            tokio::spawn(async move {
                for number in 0..EACH {
                    let text = json!({ "message": format!("{sender}:{number}") }).to_string();
                    let sent = writer.lock().await.write_all(&frame(0x81, text.as_bytes())).await;
                    sent.expect("the server reads");
                    // At most five messages of each sender are on their way.
                    loop {
                        let moved = pace.moved.notified();
                        let behind =
                            (number * SENDERS).saturating_sub(pace.heard.load(SeqCst) / (2 * SOCKETS));
                        if behind < 5 * SENDERS {
                            break;
                        }
                        timeout(PATIENCE, moved).await.expect("in time");
                    }
                }
            })
        });
        for sender in sending.collect::<Vec<_>>() {
            sender.await.expect("no panic");
        }
        for reader in readers {
            reader.await.expect("every message, once and in order");
        }
        println!("{} deliveries in {:?}", pace.heard.load(SeqCst), start.elapsed());
    }
}
