//! Group sends over each layer, and over Python's channels_redis on the same Redis, doing the same work.
//!
//! One process with 100 members of one group; 1 or 50 senders, each of which sends again once its message has come back.
//! What a send costs Redis is read from its own counters.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};

use serde_json::json;
use solent::layers::redis::{Host, RedisChannelLayer, RedisPubSubChannelLayer, RedisSettings};
use solent::layers::{
    ChannelLayer, Delivery, Event, GroupName, Mailbox, MailboxOptions, MemoryChannelLayer, Value,
};
use tokio::sync::Notify;

use crate::measure::cpu_of;

const MEMBERS: usize = 100;

/// A Redis server of the benchmark's own.
struct Redis {
    child: Child,
    url: String,
}

/// Redis's own counters.
#[derive(Clone, Copy)]
struct Counters {
    commands: f64,
    cpu: f64,
}

impl Redis {
    fn start() -> Self {
        let port =
            TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port").port();
        let program = std::env::var("SOLENT_TEST_REDIS_SERVER").unwrap_or_else(|_| "redis-server".to_owned());
        // Alone on the first core, as the load's servers are.
        let child = Command::new("taskset")
            .args(["-c", "0"])
            .arg(program)
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server");
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            std::thread::sleep(Duration::from_millis(5));
        }
        Self { child, url: format!("redis://127.0.0.1:{port}") }
    }

    fn counters(&self) -> Counters {
        let client = redis::Client::open(self.url.as_str()).expect("a client");
        let mut connection = client.get_connection().expect("a connection");
        let mut info = |section: &str| redis::cmd("INFO").arg(section).query::<String>(&mut connection);
        let stats = info("commandstats").expect("INFO");
        let calls = |line: &str| {
            let (name, rest) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
            // This function's own.
            let counts = !name.starts_with("info") && !name.starts_with("client") && name != "hello";
            counts.then(|| rest.split(',').next().and_then(|calls| calls.parse::<f64>().ok()))?
        };
        let commands = stats.lines().filter_map(calls).sum();
        let cpu = info("cpu").expect("INFO");
        let seconds = |line: &str| {
            let found = line.strip_prefix("used_cpu_user:").or(line.strip_prefix("used_cpu_sys:"))?;
            found.trim().parse::<f64>().ok()
        };
        Counters { commands, cpu: cpu.lines().filter_map(seconds).sum() }
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

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
        Some((before, after)) => (
            format!("{:.2}", (after.commands - before.commands) / sends as f64),
            format!("{:.1}", (after.cpu - before.cpu) * 1e6 / sends as f64),
        ),
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
        let settings = |redis: &Redis| RedisSettings::of(Host::parse(&redis.url).expect("a host"));
        let layer: Arc<dyn ChannelLayer> = match (&redis, kind) {
            (None, _) => Arc::new(MemoryChannelLayer::new()),
            (Some(redis), "redis") => Arc::new(RedisChannelLayer::new(settings(redis)).expect("settings")),
            (Some(redis), _) => Arc::new(RedisPubSubChannelLayer::new(settings(redis)).expect("settings")),
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
