//! Workers over Redis, with Python on either side: the real `runworker` handles what Rust sends, and a Rust worker, in
//! this process or one of its own, what Python sends.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use serde::Deserialize;
use serde_json::json;
use solent::Result;
use solent::consumer::{BackgroundConsumer, BackgroundContext, background_consumer, blocking};
use solent::layers::redis::{Host, RedisChannelLayer, RedisPubSubChannelLayer, RedisSettings};
use solent::layers::{
    ChannelLayer, ChannelLayers, ChannelName, Delivery, Event, GroupName, Mailbox, MailboxOptions,
};
use solent::routing::{ChannelNameRouter, ProtocolTypeRouter};
use solent::server::{RunningWorker, Worker};

use crate::layer_suite::{channel, event, group, next, within};
use crate::peer::Peer;
use crate::redis_server::RedisServer;
use crate::tools;
use crate::waiting::eventually;

#[derive(Deserialize)]
#[serde(tag = "type")]
enum Job {
    #[serde(rename = "double")]
    Double {
        n: i64,
        #[serde(default)]
        reply: String,
        #[serde(default)]
        group: String,
    },
    #[serde(rename = "panic")]
    Panic,
}

struct Doubles;

impl BackgroundConsumer for Doubles {
    type Event = Job;

    async fn start(_: &mut BackgroundContext) -> Result<Self> {
        Ok(Self)
    }

    async fn event(&mut self, ctx: &mut BackgroundContext, job: Event<Job>) -> Result<()> {
        let Job::Double { n, reply, .. } = job.get() else { panic!("on request") };
        let answer = json!({"type": "number", "n": 2 * n, "from": "rust", "process": std::process::id()});
        ctx.send_to(&ChannelName::parse(reply)?, &answer).await
    }
}

/// The blocking twin, which answers a group.
struct DoublesBlocking;

impl blocking::BackgroundConsumer for DoublesBlocking {
    type Event = Job;

    fn start(_: &mut blocking::BackgroundContext) -> Result<Self> {
        Ok(Self)
    }

    fn event(&mut self, ctx: &mut blocking::BackgroundContext, job: Event<Job>) -> Result<()> {
        let Job::Double { n, group, .. } = job.get() else { panic!("on request") };
        let answer = json!({"type": "number", "n": 2 * n, "from": "rust"});
        ctx.group_send(&GroupName::new(group)?, &answer).map(drop)
    }
}

fn app() -> ProtocolTypeRouter {
    let channels = ChannelNameRouter::new()
        .channel("rust-async", background_consumer::<Doubles>())
        .channel("rust-blocking", blocking::background_consumer::<DoublesBlocking>());
    ProtocolTypeRouter::new().channel(channels)
}

fn layer(kind: &str, url: &str) -> Arc<dyn ChannelLayer> {
    let settings = RedisSettings::of(Host::parse(url).expect("a host"));
    match kind {
        "core" => Arc::new(RedisChannelLayer::new(settings).expect("settings")),
        _ => Arc::new(RedisPubSubChannelLayer::new(settings).expect("settings")),
    }
}

fn worker(kind: &str, url: &str) -> Worker {
    let mut layers = ChannelLayers::new();
    layers.insert("default", layer(kind, url));
    Worker::new(app()).channel_layers(layers).channels(["rust-async", "rust-blocking"])
}

/// A process that is ended with the test.
struct Process(Child);

impl Process {
    fn signal(&self, signal: &str) {
        let status = Command::new("kill").args([signal, &self.0.id().to_string()]).status();
        assert!(status.expect("kill runs").success());
    }

    async fn ended_well(&mut self) {
        eventually("the process has ended", || self.0.try_wait().expect("it can be waited for").is_some())
            .await;
        assert!(self.0.wait().expect("it has ended").success());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The real `manage.py runworker`.
async fn runworker(kind: &str, server: &RedisServer) -> Process {
    let child = Command::new(tools::python())
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/redis/worker.py"))
        .args([kind, &server.url(), "python-async", "python-sync"])
        .spawn()
        .expect("python starts");
    let process = Process(child);
    eventually("Python listens on both channels", || match kind {
        // Rust's own inbox is the third.
        "core" => blocked(server) >= 3,
        _ => server.subscriptions().0.iter().filter(|name| name.starts_with("python-")).count() == 2,
    })
    .await;
    process
}

/// The role that the next test's process plays, when it is started by [`rust_worker`].
const ROLE: &str = "SOLENT_TEST_WORKER";

/// Does nothing but in a process that a test started as a worker: `kind url`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_process_ends_well_when_it_is_told_to() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let (kind, url) = role.split_once(' ').expect("a kind and a URL");
    worker(kind, url).run().await.expect("it ends well");
}

/// A Rust worker in a process of its own.
fn rust_worker(kind: &str, server: &RedisServer) -> Process {
    let child = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "workers::a_worker_process_ends_well_when_it_is_told_to"])
        .env(ROLE, format!("{kind} {}", server.url()))
        .stdout(Stdio::null())
        .spawn()
        .expect("it starts");
    Process(child)
}

async fn number(mailbox: &mut Mailbox) -> (i64, String) {
    #[derive(Deserialize)]
    struct Number {
        n: i64,
        from: String,
    }
    let found = next(mailbox).await.decode::<Number>().expect("a number");
    (found.n, found.from.clone())
}

async fn member(layer: &Arc<dyn ChannelLayer>, room: &GroupName) -> Mailbox {
    let mailbox = layer.new_channel("specific", MailboxOptions::default()).await.expect("a mailbox");
    layer.group_add(room, &mailbox).await.expect("joined");
    mailbox
}

async fn python_handles_what_rust_sends(kind: &str) {
    let server = RedisServer::start();
    let rust = layer(kind, &server.url());
    rust.start().await.expect("connected");
    let room = group("answers");
    let mut answers = member(&rust, &room).await;
    let _python = runworker(kind, &server).await;
    for n in 0..20 {
        let message = json!({"type": "double", "n": n, "reply": answers.name().as_str()});
        rust.send(&channel("python-async"), event(&message)).await.expect("sent");
        assert_eq!(number(&mut answers).await, (2 * n, "python".to_owned()));
        let message = json!({"type": "double", "n": n, "group": room.as_str()});
        rust.send(&channel("python-sync"), event(&message)).await.expect("sent");
        assert_eq!(number(&mut answers).await, (2 * n, "python".to_owned()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn h1_the_real_runworker_handles_what_rust_sends_over_core() {
    python_handles_what_rust_sends("core").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn h1_the_real_runworker_handles_what_rust_sends_over_pubsub() {
    python_handles_what_rust_sends("pubsub").await;
}

/// Sends jobs from Python to a Rust worker, and hears its answers in Python.
async fn rust_handles_what_python_sends(kind: &str, server: &RedisServer) {
    let python = Peer::start(kind, std::slice::from_ref(server), json!({}));
    let own = python.new_channel().await;
    python.call("group_add", json!(["answers", own])).await;
    if kind == "pubsub" {
        eventually("Python has subscribed", || {
            let channels = server.subscriptions().0;
            channels.contains(&own) && channels.contains(&"asgi__group__answers".to_owned())
        })
        .await;
    }
    for n in 0..20 {
        // A dot is as good as an underscore; a message that nobody understands and a panic end nothing.
        python.call("send", json!(["rust-async", {"type": "unknown"}])).await;
        python.call("send", json!(["rust-async", {"type": "panic"}])).await;
        python.call("send", json!(["rust-async", {"type": "double", "n": n, "reply": own}])).await;
        let answer = python.call("receive", json!([own])).await;
        assert_eq!((&answer["n"], &answer["from"]), (&json!(2 * n), &json!("rust")));
        python.call("send", json!(["rust-blocking", {"type": "double", "n": n, "group": "answers"}])).await;
        assert_eq!(python.call("receive", json!([own])).await["n"], 2 * n);
    }
}

/// How many connections wait for a message.
fn blocked(server: &RedisServer) -> usize {
    let told: String = server.run(&["INFO", "clients"]);
    let count = told.lines().find_map(|line| line.strip_prefix("blocked_clients:"));
    count.and_then(|count| count.trim().parse().ok()).unwrap_or(0)
}

async fn listening(kind: &str, server: &RedisServer, times: usize) {
    eventually("the worker listens", || match kind {
        "core" => blocked(server) >= times,
        _ => server.subscriptions().0.contains(&"rust-blocking".to_owned()),
    })
    .await;
}

async fn in_this_process(kind: &str) {
    let server = RedisServer::start();
    let running: RunningWorker = worker(kind, &server.url()).start().await.expect("it starts");
    rust_handles_what_python_sends(kind, &server).await;
    let stats = running.stats();
    assert_eq!((stats.handled, stats.failed, stats.undecodable), (40, 20, 20));
    within(running.shutdown()).await;
    if kind == "pubsub" {
        eventually("nothing is subscribed to", || {
            !server.subscriptions().0.iter().any(|name| name.starts_with("rust-"))
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rust_worker_handles_what_python_sends_over_core() {
    in_this_process("core").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rust_worker_handles_what_python_sends_over_pubsub() {
    in_this_process("pubsub").await;
}

async fn in_a_process_of_its_own(kind: &str) {
    let server = RedisServer::start();
    let mut process = rust_worker(kind, &server);
    listening(kind, &server, 2).await;
    rust_handles_what_python_sends(kind, &server).await;
    process.signal("-TERM");
    process.ended_well().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rust_worker_process_handles_what_python_sends_over_core() {
    in_a_process_of_its_own("core").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rust_worker_process_handles_what_python_sends_over_pubsub() {
    in_a_process_of_its_own("pubsub").await;
}

/// Two processes share a channel; one is told to stop in the middle of the work. Every message is handled once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_share_a_channel_over_core_and_a_stop_loses_and_repeats_nothing() {
    const JOBS: i64 = 400;
    let server = RedisServer::start();
    let rust = layer("core", &server.url());
    rust.start().await.expect("connected");
    let options = MailboxOptions { events: 1000, ..MailboxOptions::default() };
    let mut answers = rust.new_channel("specific", options).await.expect("a mailbox");
    let mut first = rust_worker("core", &server);
    let _second = rust_worker("core", &server);
    // Two channels each, and this process's inbox.
    listening("core", &server, 5).await;
    let (mut done, mut processes) = (vec![0; JOBS as usize], std::collections::HashSet::new());
    for n in 0..JOBS {
        if n == JOBS / 2 {
            first.signal("-TERM");
        }
        let message = event(&json!({"type": "double", "n": n, "reply": answers.name().as_str()}));
        rust.send(&channel("rust-async"), message).await.expect("sent");
        // Paced, so that the capacity of 100 is never reached.
        if n >= 40 {
            note(&mut answers, &mut done, &mut processes).await;
        }
    }
    for _ in 0..40 {
        note(&mut answers, &mut done, &mut processes).await;
    }
    assert!(done.iter().all(|times| *times == 1), "{done:?}");
    assert_eq!(processes.len(), 2, "both had their share");
    assert!(answers.is_empty(), "something was handled twice");
    first.ended_well().await;
    eventually("nothing is in flight", || server.keys().iter().all(|key| !key.contains("inflight"))).await;
}

async fn note(answers: &mut Mailbox, done: &mut [u32], processes: &mut std::collections::HashSet<u32>) {
    #[derive(Deserialize)]
    struct Number {
        n: usize,
        process: u32,
    }
    let Delivery::Event(found) = within(answers.recv()).await else { panic!("expected an answer") };
    let found = found.decode::<Number>().expect("a number");
    done[found.n / 2] += 1;
    processes.insert(found.process);
}

/// A worker that may start before its Redis does, and works as soon as it is there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_may_start_before_its_redis() {
    for kind in ["core", "pubsub"] {
        let mut server = RedisServer::start();
        server.kill();
        let refused = within(worker(kind, &server.url()).start()).await.expect_err("Redis is away");
        assert_eq!(refused.to_string(), "channel layer \"default\" did not start");
        let mut settings = RedisSettings::of(Host::parse(&server.url()).expect("a host"));
        settings.start_without_layer = true;
        let mut layers = ChannelLayers::new();
        let own: Arc<dyn ChannelLayer> = match kind {
            "core" => Arc::new(RedisChannelLayer::new(settings).expect("settings")),
            _ => Arc::new(RedisPubSubChannelLayer::new(settings).expect("settings")),
        };
        layers.insert("default", own);
        let worker = Worker::new(app()).channel_layers(layers).channels(["rust-async", "rust-blocking"]);
        let running = within(worker.start()).await.expect("it may");
        server.restart();
        listening(kind, &server, 2).await;
        rust_handles_what_python_sends(kind, &server).await;
        within(running.shutdown()).await;
    }
}
