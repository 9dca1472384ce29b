//! Group sends over each layer, and over Python's channels_redis on the same Redis, doing the same work.
//!
//! One process with 100 members of one group; 1 or 50 senders, each of which sends again once its message has come back.
//! What a send costs Redis is read from its own counters.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Instant;

use serde_json::json;
use solent::layers::redis::{RedisChannelLayer, RedisPubSubChannelLayer};
use solent::layers::{
    ChannelLayer, Delivery, Event, GroupName, Mailbox, MailboxOptions, MemoryChannelLayer, Value,
};
use tokio::sync::Notify;

use crate::measure::cpu_of;
use crate::redis::{Counters, Redis};

const MEMBERS: usize = 100;

/// Prints the table.
pub fn run() {
    println!("layers: group sends to {MEMBERS} members of one process, 100-byte messages");
    println!(
        "{:>24} {:>8} {:>9} {:>12} {:>14} {:>13} {:>15}",
        "layer", "senders", "sends/s", "deliveries/s", "Redis commands", "Redis CPU µs", "process CPU µs"
    );
    for (senders, sends) in [(1, 2_000), (50, 20_000)] {
        for kind in ["memory", "redis-pubsub", "redis"] {
            rust(kind, senders, sends);
        }
        for kind in ["pubsub", "core"] {
            python(kind, senders, sends / 10);
        }
    }
}

fn row(
    name: &str,
    senders: usize,
    sends: usize,
    seconds: f64,
    redis: Option<(Counters, Counters)>,
    cpu: f64,
) {
    let rate = sends as f64 / seconds;
    let (commands, redis_cpu) = match redis {
        None => ("-".to_owned(), "-".to_owned()),
        Some((before, after)) => {
            let used = after.since(before);
            (format!("{:.2}", used.commands / sends as f64), format!("{:.1}", used.cpu * 1e6 / sends as f64))
        }
    };
    println!(
        "{name:>24} {senders:>8} {rate:>9.0} {:>12.0} {commands:>14} {redis_cpu:>13} {:>15.1}",
        rate * MEMBERS as f64,
        cpu * 1e6 / sends as f64
    );
}

fn rust(kind: &str, senders: usize, sends: usize) {
    let redis = (kind != "memory").then(Redis::start);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let layer: Arc<dyn ChannelLayer> = match (&redis, kind) {
            (None, _) => Arc::new(MemoryChannelLayer::new()),
            (Some(redis), "redis") => Arc::new(RedisChannelLayer::new(redis.settings()).expect("settings")),
            (Some(redis), _) => Arc::new(RedisPubSubChannelLayer::new(redis.settings()).expect("settings")),
        };
        layer.start().await.expect("connected");
        let group = GroupName::new("room").expect("a name");
        let back: Arc<[Notify]> = (0..senders).map(|_| Notify::new()).collect();
        let heard = Arc::new(AtomicUsize::new(0));
        for member in 0..MEMBERS {
            let mailbox = layer.new_channel("specific", MailboxOptions::default()).await.expect("a mailbox");
            layer.group_add(&group, &mailbox).await.expect("joined");
            tokio::spawn(listen(mailbox, (member == 0).then(|| back.clone()), heard.clone()));
        }
        exchange(&layer, &group, &back, sends / 10).await;
        heard.store(0, SeqCst);
        let before = redis.as_ref().map(Redis::counters);
        let (start, cpu) = (Instant::now(), cpu_of(std::process::id()));
        exchange(&layer, &group, &back, sends).await;
        while heard.load(SeqCst) < sends * MEMBERS {
            tokio::task::yield_now().await;
        }
        let (seconds, cpu) = (start.elapsed().as_secs_f64(), cpu_of(std::process::id()) - cpu);
        let after = redis.as_ref().map(Redis::counters);
        row(kind, senders, sends, seconds, before.zip(after), cpu);
    });
}

async fn listen(mut mailbox: Mailbox, back: Option<Arc<[Notify]>>, heard: Arc<AtomicUsize>) {
    loop {
        let Delivery::Event(event) = mailbox.recv().await else { continue };
        heard.fetch_add(1, SeqCst);
        let sender = event.value().get("sender").and_then(|value: &Value| value.decode::<usize>().ok());
        if let (Some(back), Some(sender)) = (&back, sender) {
            back[sender].notify_one();
        }
    }
}

/// Each sender sends its share, one message after the other.
async fn exchange(layer: &Arc<dyn ChannelLayer>, group: &GroupName, back: &Arc<[Notify]>, sends: usize) {
    let each = sends / back.len();
    let senders: Vec<_> = (0..back.len())
        .map(|sender| {
            let (layer, group, back) = (layer.clone(), group.clone(), back.clone());
            tokio::spawn(async move {
                let text = "x".repeat(60);
                for _ in 0..each {
                    let message = json!({"type": "chat.message", "sender": sender, "message": text});
                    let event = Event::new(&message).expect("an event");
                    layer.group_send(&group, event).await.expect("sent");
                    back[sender].notified().await;
                }
            })
        })
        .collect();
    for sender in senders {
        sender.await.expect("no panic");
    }
}

/// The same by channels_redis; the script prints `seconds cpu` when it has warmed up and is done.
fn python(kind: &str, senders: usize, sends: usize) {
    let Ok(python) = std::env::var("SOLENT_TEST_PYTHON") else {
        return println!("{:>24} is left out: `. tests/setup/env` tells where Python is", kind);
    };
    let redis = Redis::start();
    let mut child = Command::new(python)
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/benches/load/modes/layers.py"))
        .args([kind, &redis.url, &MEMBERS.to_string(), &senders.to_string(), &sends.to_string()])
        .stdout(Stdio::piped())
        .spawn()
        .expect("python");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines().map_while(Result::ok);
    lines.next().expect("it is ready");
    let before = redis.counters();
    let told = lines.next().expect("it is done");
    let after = redis.counters();
    let _ = child.wait();
    let mut figures = told.split(' ').filter_map(|figure| figure.parse::<f64>().ok());
    let (seconds, cpu) = (figures.next().expect("seconds"), figures.next().expect("seconds"));
    row(&format!("channels_redis.{kind}"), senders, sends, seconds, Some((before, after)), cpu);
}
