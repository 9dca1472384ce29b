//! Bad weather: Redis refused, killed, restarted, silent, full. Mailboxes live on, sends fail at once, and afterwards
//! nothing is missing.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use serde_json::json;
use solent::layers::redis::{Host, RedisChannelLayer, RedisPubSubChannelLayer, RedisSettings};
use solent::layers::{
    ChannelLayer, Delivery, DropCause, Event, GroupName, LayerError, LayerGap, Mailbox, MailboxOptions,
};

use crate::layer_suite::{channel, event, group, next, within};
use crate::proxy::{Mode, Proxy};
use crate::redis_server::RedisServer;
use crate::waiting::{Pace, eventually};

pub(crate) fn numbered(number: i64) -> Event {
    event(&json!({"n": number}))
}

pub(crate) fn settings(url: &str) -> RedisSettings {
    let mut settings = RedisSettings::of(Host::parse(url).expect("a host"));
    settings.connect_time = Duration::from_secs(1);
    settings.response_time = Duration::from_millis(500);
    settings
}

pub(crate) fn layer(kind: &str, settings: RedisSettings) -> Arc<dyn ChannelLayer> {
    match kind {
        "core" => Arc::new(RedisChannelLayer::new(settings).expect("settings")),
        _ => Arc::new(RedisPubSubChannelLayer::new(settings).expect("settings")),
    }
}

async fn started(kind: &str, url: &str) -> Arc<dyn ChannelLayer> {
    let layer = layer(kind, settings(url));
    layer.start().await.expect("connected");
    layer
}

pub(crate) async fn member(layer: &Arc<dyn ChannelLayer>, room: &GroupName) -> Mailbox {
    let options = MailboxOptions { events: 10_000, ..MailboxOptions::default() };
    let mailbox = layer.new_channel("specific", options).await.expect("a mailbox");
    layer.group_add(room, &mailbox).await.expect("joined");
    mailbox
}

/// Sends something new until the mailbox hears it; says how long that took, and which gaps were told before it.
async fn until_heard(
    layer: &Arc<dyn ChannelLayer>,
    room: &GroupName,
    mailbox: &mut Mailbox,
) -> (Duration, Vec<LayerGap>) {
    static MARKERS: AtomicUsize = AtomicUsize::new(0);
    let marker = event(&json!({"type": "marker", "n": MARKERS.fetch_add(1, Relaxed)}));
    let (start, mut gaps) = (Instant::now(), Vec::new());
    within(async {
        loop {
            let _ = layer.group_send(room, marker.clone()).await;
            let patience = Instant::now() + Duration::from_millis(50);
            while let Ok(found) = tokio::time::timeout_at(patience.into(), mailbox.recv()).await {
                match found {
                    Delivery::Event(found) if found == marker => return,
                    Delivery::Gap(gap) => gaps.push(gap),
                    _ => {}
                }
            }
        }
    })
    .await;
    (start.elapsed(), gaps)
}

async fn assert_fails_at_once(layer: &Arc<dyn ChannelLayer>, room: &GroupName) {
    eventually("the loss is noticed", || !layer.is_ready()).await;
    let start = Instant::now();
    for _ in 0..50 {
        let failed = layer.group_send(room, numbered(0)).await;
        assert!(matches!(failed, Err(LayerError::Unavailable { .. })), "{failed:?}");
        let failed = layer.send(&channel("work"), numbered(0)).await;
        assert!(matches!(failed, Err(LayerError::Unavailable { .. })), "{failed:?}");
    }
    assert!(start.elapsed() < Duration::from_secs(1), "100 sends took {:?}", start.elapsed());
    assert!(layer.stats().dropped(DropCause::Disconnected) >= 100);
}

async fn killed_and_restarted(kind: &str) {
    let mut server = RedisServer::start();
    let layer = started(kind, &server.url()).await;
    let (room, quiet) = (group("room"), group("quiet"));
    let (mut mailbox, mut leaves) = (member(&layer, &room).await, member(&layer, &room).await);
    layer.group_add(&quiet, &mailbox).await.expect("joined");
    let load = tokio::spawn({
        let (layer, room) = (layer.clone(), room.clone());
        async move {
            let mut pace = Pace::every(Duration::from_millis(1));
            loop {
                let _ = layer.group_send(&room, numbered(1)).await;
                pace.next().await;
            }
        }
    });
    assert_eq!(next(&mut mailbox).await, numbered(1));
    for _ in 0..3 {
        server.kill();
        assert_fails_at_once(&layer, &room).await;
        let refused = layer.group_add(&group("new"), &mailbox).await;
        assert!(matches!(refused, Err(LayerError::Unavailable { .. })), "{refused:?}");
        assert!(!mailbox.groups().contains(&group("new")), "a failed join is no membership");
        server.restart();
        let (took, mut gaps) = until_heard(&layer, &room, &mut mailbox).await;
        assert!(took < Duration::from_secs(2), "messages flowed after {took:?}");
        assert_eq!(gaps.len(), 1, "told before what came after it: {gaps:?}");
        gaps[0].groups.sort();
        assert_eq!(gaps[0].groups, [quiet.clone(), room.clone()]);
        eventually("ready again", || layer.is_ready()).await;
        let told_again =
            std::iter::from_fn(|| mailbox.try_recv()).find(|found| matches!(found, Delivery::Gap(_)));
        assert_eq!(told_again, None);
    }
    load.abort();
    // Who leaves during an outage is not brought back by the end of it.
    server.kill();
    eventually("the loss is noticed", || !layer.is_ready()).await;
    layer.group_discard(&room, &leaves).await.expect("leaving always succeeds");
    leaves.try_recv();
    while leaves.try_recv().is_some() {}
    drop(mailbox);
    server.restart();
    eventually("ready again", || layer.is_ready()).await;
    drop(leaves);
    if kind == "core" {
        eventually("no membership is left", || server.keys().is_empty()).await;
    } else {
        eventually("no subscription is left", || server.subscriptions().0.is_empty()).await;
    }
    let stats = layer.stats();
    assert_eq!((stats.mailboxes, stats.groups, stats.memberships), (0, 0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pubsub_survives_a_redis_that_is_killed_and_restarted_under_load() {
    killed_and_restarted("pubsub").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn core_survives_a_redis_that_is_killed_and_restarted_under_load() {
    killed_and_restarted("core").await;
}

async fn clients_killed(kind: &str) {
    let server = RedisServer::start();
    let layer = started(kind, &server.url()).await;
    let room = group("room");
    let mut mailbox = member(&layer, &room).await;
    for round in 0..5 {
        for class in ["normal", "pubsub"] {
            let _: redis::RedisResult<i64> =
                server.try_run(&["CLIENT", "KILL", "TYPE", class, "SKIPME", "yes"]);
        }
        let (took, _) = until_heard(&layer, &room, &mut mailbox).await;
        assert!(took < Duration::from_secs(2), "round {round}: {took:?}");
        eventually("ready again", || layer.is_ready()).await;
    }
    // Nothing is lost for good: the next messages come, once each and in order.
    while mailbox.try_recv().is_some() {}
    let marker = event(&json!({"type": "settled"}));
    layer.group_send(&room, marker.clone()).await.expect("sent");
    while next(&mut mailbox).await != marker {}
    for number in 0..50 {
        layer.group_send(&room, numbered(number)).await.expect("sent");
    }
    for number in 0..50 {
        assert_eq!(next(&mut mailbox).await, numbered(number));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pubsub_survives_client_kill() {
    clients_killed("pubsub").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn core_survives_client_kill() {
    clients_killed("core").await;
}

async fn paused(kind: &str) {
    let server = RedisServer::start();
    let layer = started(kind, &server.url()).await;
    let room = group("room");
    let mut mailbox = member(&layer, &room).await;
    server.run::<()>(&["CLIENT", "PAUSE", "1500", "ALL"]);
    let start = Instant::now();
    let failed = layer.group_send(&room, numbered(1)).await;
    assert!(matches!(failed, Err(LayerError::Unavailable { .. })), "{failed:?}");
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    assert_fails_at_once(&layer, &room).await;
    let paused = Duration::from_millis(1_500).saturating_sub(start.elapsed());
    let (took, _) = until_heard(&layer, &room, &mut mailbox).await;
    assert!(took < paused + Duration::from_secs(2), "{took:?} after a pause of {paused:?}");
    assert!(mailbox.groups().contains(&room));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pubsub_survives_client_pause() {
    paused("pubsub").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn core_survives_client_pause() {
    paused("core").await;
}

async fn stalled_and_reset(kind: &str) {
    let server = RedisServer::start();
    let proxy = Proxy::start(server.port()).await;
    let layer = started(kind, &proxy.url()).await;
    let room = group("room");
    let mut mailbox = member(&layer, &room).await;
    let (took, _) = until_heard(&layer, &room, &mut mailbox).await;
    assert!(took < Duration::from_secs(2));
    proxy.set(Mode::Stall);
    let start = Instant::now();
    let failed = layer.group_send(&room, numbered(1)).await;
    assert!(matches!(failed, Err(LayerError::Unavailable { .. })), "{failed:?}");
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    assert_fails_at_once(&layer, &room).await;
    proxy.set(Mode::Reset);
    assert_fails_at_once(&layer, &room).await;
    proxy.set(Mode::Pass);
    let (took, _) = until_heard(&layer, &room, &mut mailbox).await;
    assert!(took < Duration::from_secs(2), "{took:?}");
    eventually("ready again", || layer.is_ready()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pubsub_survives_a_connection_that_stalls_and_is_reset() {
    stalled_and_reset("pubsub").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn core_survives_a_connection_that_stalls_and_is_reset() {
    stalled_and_reset("core").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_layer_notices_a_redis_that_is_silent() {
    for kind in ["pubsub", "core"] {
        let server = RedisServer::start();
        let proxy = Proxy::start(server.port()).await;
        let layer = started(kind, &proxy.url()).await;
        let _mailbox = member(&layer, &group("room")).await;
        proxy.set(Mode::Stall);
        eventually("silence is noticed", || !layer.is_ready()).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_layer_may_start_before_its_redis() {
    for kind in ["pubsub", "core"] {
        let mut server = RedisServer::start();
        server.kill();
        let mut settings = settings(&server.url());
        settings.start_without_layer = true;
        let layer = layer(kind, settings);
        within(layer.start()).await.expect("it may");
        assert!(!layer.is_ready());
        let mut mailbox =
            within(layer.new_channel("specific", MailboxOptions::default())).await.expect("a mailbox");
        assert!(layer.group_add(&group("room"), &mailbox).await.is_err());
        server.restart();
        eventually("ready", || layer.is_ready()).await;
        layer.group_add(&group("room"), &mailbox).await.expect("joined");
        layer.group_send(&group("room"), numbered(1)).await.expect("sent");
        assert_eq!(next(&mut mailbox).await, numbered(1), "{kind}");
        assert_eq!(mailbox.try_recv(), None, "the first connection is no gap");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_redis_refuses_sends_and_nothing_else_breaks() {
    let server = RedisServer::with(&["--maxmemory-policy", "noeviction"]);
    let layer = started("core", &server.url()).await;
    let room = group("room");
    let mut mailbox = member(&layer, &room).await;
    server.run::<()>(&["CONFIG", "SET", "maxmemory", "1"]);
    let refused = layer.send(mailbox.name(), numbered(1)).await;
    assert!(
        matches!(&refused, Err(LayerError::Unavailable { reason, .. }) if reason.contains("OOM")),
        "{refused:?}"
    );
    assert!(layer.group_send(&room, numbered(2)).await.is_err());
    assert!(layer.is_ready(), "a refused command is no outage");
    server.run::<()>(&["CONFIG", "SET", "maxmemory", "0"]);
    let (took, gaps) = until_heard(&layer, &room, &mut mailbox).await;
    assert!(took < Duration::from_secs(2), "{took:?}");
    assert_eq!((gaps, mailbox.try_recv()), (Vec::new(), None), "nothing was missed that was sent");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_redis_publishes_as_ever() {
    let server = RedisServer::with(&["--maxmemory-policy", "noeviction"]);
    let layer = started("pubsub", &server.url()).await;
    server.run::<()>(&["CONFIG", "SET", "maxmemory", "1"]);
    let room = group("room");
    let mut mailbox = member(&layer, &room).await;
    layer.group_send(&room, numbered(1)).await.expect("sent");
    assert_eq!(next(&mut mailbox).await, numbered(1));
}

/// Counts log entries by their message.
#[derive(Clone, Default)]
struct Logged(Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Logged {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("not poisoned").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

async fn an_outage_is_one_log_line_and_its_end_another(kind: &str) {
    let logged = Logged::default();
    let writer = logged.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone()).with_ansi(false).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let mut server = RedisServer::start();
    let layer = started(kind, &server.url()).await;
    let room = group("room");
    let mut mailbox = member(&layer, &room).await;
    server.kill();
    eventually("the loss is noticed", || !layer.is_ready()).await;
    let mut pace = Pace::every(Duration::from_millis(100));
    for number in 0..200 {
        let _ = layer.group_send(&room, numbered(number)).await;
        let _ = layer.send(&channel("work"), numbered(number)).await;
        if number % 50 == 0 {
            pace.next().await;
        }
    }
    server.restart();
    eventually("ready again", || layer.is_ready()).await;
    until_heard(&layer, &room, &mut mailbox).await;
    let text = String::from_utf8(logged.0.lock().expect("not poisoned").clone()).expect("text");
    let count = |what: &str| text.lines().filter(|line| line.contains(what)).count();
    assert_eq!((count("Redis is away"), count("Redis is back")), (1, 1), "{text}");
    assert_eq!(count("dropped events"), 1, "{text}");
    assert!(text.lines().count() <= 4, "{text}");
}

#[tokio::test]
async fn an_outage_is_one_log_line_and_its_end_another_over_pubsub() {
    an_outage_is_one_log_line_and_its_end_another("pubsub").await;
}

#[tokio::test]
async fn an_outage_is_one_log_line_and_its_end_another_over_core() {
    an_outage_is_one_log_line_and_its_end_another("core").await;
}
