//! Answers that are late or never come: found by time-out, and the connection that they were to come on is given up.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use solent::layers::{LayerError, MailboxOptions};
use tokio::net::TcpListener;

use crate::layer_suite::{channel, group, next, within};
use crate::proxy::{Mode, Proxy};
use crate::redis_server::RedisServer;
use crate::waiting::{Pace, eventually};
use crate::weather::{layer, member, numbered, settings};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_accepts_and_never_answers_is_an_error_at_the_start() {
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = silent.local_addr().expect("an address");
    for kind in ["pubsub", "core"] {
        let layer = layer(kind, settings(&format!("redis://{address}")));
        let start = Instant::now();
        let refused = within(layer.start()).await;
        assert!(
            matches!(&refused, Err(LayerError::Unavailable { host, .. }) if *host == address.to_string()),
            "{kind}: {refused:?}"
        );
        assert!(start.elapsed() < Duration::from_secs(4), "{kind}: {:?}", start.elapsed());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_refuses_is_an_error_at_the_start_that_names_it() {
    let mut server = RedisServer::start();
    server.kill();
    for kind in ["pubsub", "core"] {
        let refused = within(layer(kind, settings(&server.url())).start()).await;
        let expected = format!("127.0.0.1:{}", server.port());
        assert!(
            matches!(&refused, Err(LayerError::Unavailable { host, .. }) if *host == expected),
            "{kind}: {refused:?}"
        );
    }
}

/// Attempts to connect become fewer, and two processes do not come in step.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attempts_to_connect_are_spread_and_do_not_hammer() {
    const SEEN: Duration = Duration::from_secs(4);
    for kind in ["pubsub", "core"] {
        let refusing = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let mut settings = settings(&format!("redis://{}", refusing.local_addr().expect("an address")));
        settings.start_without_layer = true;
        let layer = layer(kind, settings);
        within(layer.start()).await.expect("it may");
        let (start, mut attempts) = (Instant::now(), Vec::new());
        while let Ok(accepted) =
            tokio::time::timeout(SEEN.saturating_sub(start.elapsed()), refusing.accept()).await
        {
            drop(accepted);
            attempts.push(start.elapsed());
        }
        // Pub/sub has two connections. Waits double from 50 ms to a second, and last half of that at least.
        let connections = if kind == "core" { 1 } else { 2 };
        let (few, many) = (4 * connections, 14 * connections);
        assert!((few..=many).contains(&attempts.len()), "{kind}: {attempts:?}");
        let late = attempts.iter().filter(|at| **at > SEEN / 2).count();
        assert!(late <= 5 * connections, "{kind}: {attempts:?}");
        assert!(!layer.is_ready());
    }
}

/// The numbers of a server's connections, but that of the one that asks.
fn connections(server: &RedisServer) -> HashSet<String> {
    let told: String = server.run(&["CLIENT", "LIST"]);
    let others = told.lines().filter(|line| !line.contains("cmd=client|list"));
    others.filter_map(|line| line.split(' ').next().map(str::to_owned)).collect()
}

/// Silence for longer than any answer, a blocking read's included, may take.
async fn no_connection_outlives_a_silence(kind: &str) {
    let server = RedisServer::start();
    let proxy = Proxy::start(server.port()).await;
    let layer = layer(kind, settings(&proxy.url()));
    layer.start().await.expect("connected");
    let room = group("room");
    let mut mailbox = member(&layer, &room).await;
    let mut worker = layer.listen(&channel("work"), MailboxOptions::default()).await.expect("a listener");
    layer.group_send(&room, numbered(0)).await.expect("sent");
    assert_eq!(next(&mut mailbox).await, numbered(0));
    layer.send(&channel("work"), numbered(0)).await.expect("sent");
    assert_eq!(next(&mut worker).await, numbered(0));
    let before = connections(&server);
    assert!(before.len() >= 2, "{before:?}");
    proxy.set(Mode::Stall);
    // A blocking read waits 5 s, an idle connection is tried after 5 s, and an answer may take half a second.
    Pace::every(Duration::from_secs(7)).next().await;
    assert!(!layer.is_ready());
    proxy.set(Mode::Pass);
    eventually("ready again", || layer.is_ready()).await;
    eventually("the old connections are gone", || connections(&server).is_disjoint(&before)).await;
    // What was answered on them late is nobody's answer now.
    for number in 1..50 {
        layer.send(&channel("work"), numbered(number)).await.expect("sent");
        assert_eq!(next(&mut worker).await, numbered(number), "{kind}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_connection_outlives_a_silence_over_pubsub() {
    no_connection_outlives_a_silence("pubsub").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_connection_outlives_a_silence_over_core() {
    no_connection_outlives_a_silence("core").await;
}

/// A read that blocks may take longer than an answer may: it is not given up, and what comes meanwhile is not lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_waits_in_redis_for_longer_than_an_answer_may_take() {
    let server = RedisServer::start();
    let mut settings = settings(&server.url());
    settings.response_time = Duration::from_millis(200);
    let (here, there) = (layer("core", settings.clone()), layer("core", settings));
    let mut mailbox = here.new_channel("specific", MailboxOptions::default()).await.expect("a mailbox");
    let mut worker = here.listen(&channel("work"), MailboxOptions::default()).await.expect("a listener");
    for number in 0..3 {
        // Both readers have waited for so long, and go on.
        eventually("both wait", || {
            let told: String = server.run(&["CLIENT", "LIST"]);
            let waiting = told.lines().filter(|line| line.contains(" flags=b "));
            waiting.filter(|line| line.contains(" idle=1 ")).count() == 2
        })
        .await;
        there.send(mailbox.name(), numbered(number)).await.expect("sent");
        there.send(&channel("work"), numbered(number)).await.expect("sent");
        assert_eq!(next(&mut mailbox).await, numbered(number));
        assert_eq!(next(&mut worker).await, numbered(number));
    }
    assert_eq!(here.stats().reconnects, 0, "a connection was given up");
}
