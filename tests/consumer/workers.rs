//! Workers: named channels, their background consumers, failures, stops, in a process of their own or a server's.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value as Json, json};
use solent::consumer::{
    BackgroundConsumer, BackgroundContext, Deliveries, background_consumer, background_consumer_with_state,
    blocking,
};
use solent::layers::{
    ChannelName, Delivery, Event, GroupName, LayerHandle, Mailbox, MailboxOptions, MemoryChannelLayer,
};
use solent::routing::{ChannelNameRouter, ProtocolTypeRouter, mount};
use solent::server::{AccessLog, RunningWorker, Server, Worker, WorkerError};
use solent::websocket::{Connection, Refusal};
use solent::{Limits, Result, Scoped};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::logs::Log;
use crate::waiting::until;

const PATIENCE: Duration = Duration::from_secs(10);

/// What the test's workers are told to do.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Job {
    Double { n: i64, reply: String },
    Who { reply: String },
    Fail,
    Panic,
    Hold { n: i64, reply: String },
    Join { group: String, reply: String },
}

/// What all values of one test share.
#[derive(Clone, Default)]
struct Shared {
    started: Arc<AtomicI64>,
    stopped: Arc<AtomicI64>,
    held: Arc<AtomicUsize>,
    most_held: Arc<AtomicUsize>,
    gate: Gate,
}

#[derive(Clone)]
struct Gate(Arc<Semaphore>);

impl Default for Gate {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(0)))
    }
}

impl Gate {
    fn open(&self, times: usize) {
        self.0.add_permits(times);
    }

    async fn pass(&self) {
        self.0.acquire().await.expect("the gate stays").forget();
    }
}

/// A consumer that knows how many were made before it.
struct Works {
    serial: i64,
}

fn name(text: &str) -> ChannelName {
    ChannelName::parse(text).expect("a name")
}

impl BackgroundConsumer<Shared> for Works {
    type Event = Job;

    async fn start(ctx: &mut BackgroundContext<Shared>) -> Result<Self> {
        assert_eq!(ctx.scope().protocol.as_str(), "channel");
        Ok(Self { serial: ctx.state().started.fetch_add(1, SeqCst) })
    }

    async fn event(&mut self, ctx: &mut BackgroundContext<Shared>, job: Event<Job>) -> Result<()> {
        match job.get() {
            Job::Double { n, reply } => ctx.send_to(&name(reply), &json!({"n": 2 * n})).await,
            Job::Who { reply } => {
                let answer = json!({"channel": ctx.channel(), "serial": self.serial});
                ctx.send_to(&name(reply), &answer).await
            }
            Job::Fail => Err(solent::Error::msg("no paper in the printer")),
            Job::Panic => panic!("the printer is on fire"),
            Job::Hold { n, reply } => {
                let shared = ctx.state().clone();
                let held = shared.held.fetch_add(1, SeqCst) + 1;
                shared.most_held.fetch_max(held, SeqCst);
                shared.gate.pass().await;
                shared.held.fetch_sub(1, SeqCst);
                ctx.send_to(&name(reply), &json!({"n": n})).await
            }
            Job::Join { group, reply } => {
                ctx.group_add(&GroupName::new(group)?).await?;
                let own = ctx.channel_name().await?;
                ctx.send_to(&name(reply), &json!({"own": own.as_str()})).await
            }
        }
    }

    async fn stop(&mut self, ctx: &mut BackgroundContext<Shared>) {
        ctx.state().stopped.fetch_add(1, SeqCst);
    }
}

/// A layer, a mailbox that hears answers, and what the workers share.
struct Office {
    layer: LayerHandle,
    memory: MemoryChannelLayer,
    answers: Mailbox,
    shared: Shared,
}

impl Office {
    async fn open() -> Self {
        let memory = MemoryChannelLayer::new();
        let layer = LayerHandle::of(memory.clone());
        let answers = layer.new_channel(MailboxOptions::default()).await.expect("a mailbox");
        Self { layer, memory, answers, shared: Shared::default() }
    }

    fn app(&self) -> ProtocolTypeRouter {
        let works = background_consumer_with_state::<Works, _>(self.shared.clone());
        ProtocolTypeRouter::new()
            .channel(ChannelNameRouter::new().channel("print", works.clone()).channel("scan", works))
    }

    fn worker(&self) -> Worker {
        Worker::new(self.app()).channel_layer(self.memory.clone()).channels(["print", "scan"])
    }

    async fn started(&self) -> RunningWorker {
        self.worker().start().await.expect("the worker starts")
    }

    async fn send(&self, channel: &str, mut message: Json) {
        message["reply"] = self.answers.name().as_str().into();
        self.layer.send(&name(channel), &message).await.expect("sent");
    }

    async fn answer(&mut self) -> Json {
        match timeout(PATIENCE, self.answers.recv()).await.expect("an answer in time") {
            Delivery::Event(event) => serde_json::from_slice(&event.json().expect("JSON")).expect("JSON"),
            other => panic!("expected an answer, found {other:?}"),
        }
    }
}

#[tokio::test]
async fn h1_a_worker_needs_at_least_one_channel() {
    let office = Office::open().await;
    let refused = Worker::new(office.app()).channel_layer(office.memory.clone()).start().await;
    assert!(matches!(refused, Err(WorkerError::NoChannels)), "{refused:?}");
}

#[tokio::test]
async fn h1_a_worker_without_a_layer_says_so_and_one_with_another_alias_finds_it() {
    let mut office = Office::open().await;
    let refused = Worker::new(office.app()).channels(["print"]).start().await.expect_err("there is no layer");
    assert_eq!(refused.to_string(), "a worker needs a channel layer");
    let worker = office.worker().layer("office").start().await.expect_err("no such layer");
    assert!(matches!(worker, WorkerError::NoLayer(_)), "{worker:?}");
    let mut layers = solent::layers::ChannelLayers::of(office.memory.clone());
    layers.insert("office", office.layer.layer().clone());
    let worker = office.worker().channel_layers(layers).layer("office").start().await.expect("it starts");
    office.send("scan", json!({"type": "double", "n": 21})).await;
    assert_eq!(office.answer().await, json!({"n": 42}));
    worker.shutdown().await;
}

#[tokio::test]
async fn h1_a_running_worker_logs_its_channels() {
    let (log, _guard) = Log::keep();
    let office = Office::open().await;
    let worker = office.started().await;
    log.line(r#"Running worker for channels ["print", "scan"]"#).await;
    worker.shutdown().await;
}

#[tokio::test]
async fn h2_one_value_per_channel_handles_all_its_messages_in_turn() {
    let mut office = Office::open().await;
    let worker = office.started().await;
    for number in 0..50 {
        office.send("print", json!({"type": "double", "n": number})).await;
    }
    for number in 0..50 {
        assert_eq!(office.answer().await, json!({"n": 2 * number}));
    }
    for channel in ["print", "scan", "print", "scan"] {
        office.send(channel, json!({"type": "who"})).await;
        let serial = i64::from(channel == "scan");
        assert_eq!(office.answer().await, json!({"channel": channel, "serial": serial}));
    }
    assert_eq!(office.shared.started.load(SeqCst), 2);
    worker.shutdown().await;
    assert_eq!(office.shared.stopped.load(SeqCst), 2, "each value heard of the stop");
}

#[tokio::test]
async fn a14_a_channel_that_no_application_takes_is_an_error_that_names_the_configured_ones() {
    let office = Office::open().await;
    let refused = office.worker().channels(["fax"]).start().await.expect_err("nobody takes it").to_string();
    assert_eq!(
        refused,
        "nothing handles channel \"fax\": No application configured for channel name \"fax\"; configured: \
         print, scan"
    );
    let refused = Worker::new(ProtocolTypeRouter::new()).channel_layer(office.memory.clone());
    let refused = refused.channels(["print"]).start().await.expect_err("nobody takes it").to_string();
    assert!(refused.contains("No application configured for scope type 'channel'"), "{refused}");
    until(|| office.layer.layer().stats().channels == 0).await;
}

#[tokio::test]
async fn h3_a_failure_is_logged_and_counted_and_the_next_message_gets_a_new_value() {
    let (log, _guard) = Log::keep();
    let mut office = Office::open().await;
    let worker = office.started().await;
    for (serial, kind) in ["fail", "panic", "fail"].into_iter().enumerate() {
        office.send("print", json!({"type": "who"})).await;
        assert_eq!(office.answer().await, json!({"channel": "print", "serial": serial}));
        office.send("print", json!({"type": kind})).await;
    }
    office.send("print", json!({"type": "who"})).await;
    assert_eq!(office.answer().await["serial"], 3);
    let stats = worker.stats();
    assert_eq!((stats.handled, stats.failed, stats.undecodable), (4, 3, 0));
    let line = log.line("no paper in the printer").await;
    assert!(line.contains("ERROR") && line.contains("channel=\"print\""), "{line}");
    log.line("a handler panicked: the printer is on fire").await;
    worker.shutdown().await;
}

#[tokio::test]
async fn h3_a_message_without_a_type_or_with_an_unknown_one_is_left_out_and_ends_nothing() {
    let (log, _guard) = Log::keep();
    let mut office = Office::open().await;
    let worker = office.started().await;
    office.send("print", json!({"n": 1})).await;
    office.send("print", json!({"type": "shred"})).await;
    office.send("print", json!({"type": "double", "n": "three"})).await;
    office.send("print", json!({"type": "who"})).await;
    assert_eq!(office.answer().await["serial"], 0, "the value lives on");
    assert_eq!(worker.stats().undecodable, 3);
    log.line("the message has no \"type\"").await;
    log.line("unknown event type \"shred\"").await;
    worker.shutdown().await;
}

#[tokio::test]
async fn h3_the_groups_of_a_value_that_failed_are_left() {
    let mut office = Office::open().await;
    let worker = office.started().await;
    let room = GroupName::new("room").expect("a name");
    office.send("print", json!({"type": "join", "group": "room"})).await;
    let own = office.answer().await["own"].as_str().expect("a name").to_owned();
    // Its own channel and its groups reach the same handler, one thing at a time.
    office.send(&own, json!({"type": "double", "n": 4})).await;
    assert_eq!(office.answer().await, json!({"n": 8}));
    let reply = office.answers.name().as_str();
    office.layer.group_send(&room, &json!({"type": "double", "n": 5, "reply": reply})).await.expect("sent");
    assert_eq!(office.answer().await, json!({"n": 10}));
    office.layer.group_send(&room, &json!({"type": "fail"})).await.expect("sent");
    until(|| worker.stats().failed == 1).await;
    until(|| office.layer.layer().stats().memberships == 0).await;
    worker.shutdown().await;
}

#[tokio::test]
async fn messages_of_one_channel_are_handled_by_as_many_values_as_allowed_and_no_more() {
    let mut office = Office::open().await;
    let worker = office.worker().concurrency(3).start().await.expect("it starts");
    for number in 0..12 {
        office.send("print", json!({"type": "hold", "n": number})).await;
    }
    until(|| office.shared.held.load(SeqCst) == 3).await;
    office.shared.gate.open(12);
    let mut found = Vec::new();
    for _ in 0..12 {
        found.push(office.answer().await["n"].as_i64().expect("a number"));
    }
    found.sort_unstable();
    assert_eq!(found, (0..12).collect::<Vec<_>>());
    assert_eq!(office.shared.most_held.load(SeqCst), 3);
    assert_eq!(office.shared.started.load(SeqCst), 3);
    worker.shutdown().await;
}

#[tokio::test]
async fn a_stop_finishes_what_was_taken_and_leaves_the_rest_to_others() {
    let mut office = Office::open().await;
    let worker = office.worker().queue(3).start().await.expect("it starts");
    for number in 0..4 {
        office.send("print", json!({"type": "hold", "n": number})).await;
        if number == 0 {
            until(|| office.shared.held.load(SeqCst) == 1).await;
        }
    }
    let stopping = tokio::spawn(worker.shutdown());
    until(|| office.layer.layer().stats().channels == 0).await;
    // Nobody listens any more: what comes from here on waits for another worker.
    office.send("print", json!({"type": "double", "n": 50})).await;
    office.shared.gate.open(4);
    for number in 0..4 {
        assert_eq!(office.answer().await, json!({"n": number}));
    }
    timeout(PATIENCE, stopping).await.expect("in time").expect("no panic");
    assert_eq!(office.shared.stopped.load(SeqCst), 1);
    let other = office.started().await;
    assert_eq!(office.answer().await, json!({"n": 100}));
    other.shutdown().await;
}

#[tokio::test]
async fn a_handler_that_outlasts_the_stop_is_given_up() {
    let office = Office::open().await;
    let mut limits = Limits::default();
    limits.drain_time = Duration::from_millis(50);
    let worker = office.worker().limits(limits).start().await.expect("it starts");
    office.send("print", json!({"type": "hold", "n": 1})).await;
    until(|| office.shared.held.load(SeqCst) == 1).await;
    timeout(PATIENCE, worker.shutdown()).await.expect("it does not wait for ever");
    // The value is dropped with its handler, and so nothing shares its state any more.
    until(|| Arc::strong_count(&office.shared.held) == 1).await;
}

#[tokio::test]
async fn run_ends_in_good_order_with_the_programs_signal() {
    let mut office = Office::open().await;
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let worker = office.worker().shutdown_signal(async move { drop(ended.await) });
    let running = tokio::spawn(worker.run());
    office.send("print", json!({"type": "double", "n": 1})).await;
    assert_eq!(office.answer().await, json!({"n": 2}));
    end.send(()).expect("it runs");
    timeout(PATIENCE, running).await.expect("in time").expect("no panic").expect("in good order");
}

/// An application of one's own: it takes the messages itself, and ends with the first.
async fn once(mut connection: Connection) -> Result<(), Refusal> {
    let deliveries = Deliveries::of(connection.scope_mut()).expect("a channel's messages");
    assert!(Deliveries::of(connection.scope_mut()).is_none());
    deliveries.next().await;
    Ok(())
}

#[tokio::test]
async fn an_application_that_ends_early_ends_the_worker_with_an_error() {
    let office = Office::open().await;
    let app = ProtocolTypeRouter::new()
        .channel(ChannelNameRouter::new().channel("once", mount(tower::service_fn(once))));
    let worker = Worker::new(app).channel_layer(office.memory.clone()).channels(["once"]);
    let running = tokio::spawn(worker.run());
    office.send("once", json!({"type": "any"})).await;
    let error = timeout(PATIENCE, running).await.expect("in time").expect("no panic").expect_err("it ended");
    assert_eq!(error.to_string(), "nothing handles channel \"once\": it ended before the worker");
}

/// The blocking twin: it waits on its own thread.
struct Blocks {
    serial: i64,
}

impl blocking::BackgroundConsumer<Shared> for Blocks {
    type Event = Job;

    fn start(ctx: &mut blocking::BackgroundContext<Shared>) -> Result<Self> {
        Ok(Self { serial: ctx.state().started.fetch_add(1, SeqCst) })
    }

    fn event(&mut self, ctx: &mut blocking::BackgroundContext<Shared>, job: Event<Job>) -> Result<()> {
        match job.get() {
            Job::Double { n, reply } => ctx.send_to(&name(reply), &json!({"n": 2 * n})),
            Job::Who { reply } => ctx.send_to(&name(reply), &json!({"serial": self.serial})),
            Job::Fail => Err(solent::Error::msg("no paper")),
            Job::Panic => panic!("on fire"),
            Job::Hold { .. } => {
                std::thread::park_timeout(Duration::from_millis(20));
                Ok(())
            }
            Job::Join { group, reply } => {
                ctx.group_add(&GroupName::new(group)?)?;
                let own = ctx.channel_name()?;
                ctx.send_to(&name(reply), &json!({"own": own.as_str()}))
            }
        }
    }

    fn stop(&mut self, ctx: &mut blocking::BackgroundContext<Shared>) {
        ctx.state().stopped.fetch_add(1, SeqCst);
    }
}

#[tokio::test]
async fn blocking_consumers_work_answer_fail_and_stop_alike() {
    let mut office = Office::open().await;
    let works = blocking::background_consumer_with_state::<Blocks, _>(office.shared.clone());
    let app = ProtocolTypeRouter::new().channel(ChannelNameRouter::new().channel("print", works));
    let worker = Worker::new(app).channel_layer(office.memory.clone()).channels(["print"]);
    let worker = worker.start().await.expect("it starts");
    office.send("print", json!({"type": "hold", "n": 0})).await;
    for number in 0..20 {
        office.send("print", json!({"type": "double", "n": number})).await;
    }
    for number in 0..20 {
        assert_eq!(office.answer().await, json!({"n": 2 * number}));
    }
    for (serial, kind) in ["fail", "panic"].into_iter().enumerate() {
        office.send("print", json!({"type": "who"})).await;
        assert_eq!(office.answer().await, json!({"serial": serial}));
        office.send("print", json!({"type": kind})).await;
    }
    office.send("print", json!({"type": "join", "group": "room"})).await;
    let own = office.answer().await["own"].as_str().expect("a name").to_owned();
    office.send(&own, json!({"type": "double", "n": 4})).await;
    assert_eq!(office.answer().await, json!({"n": 8}));
    let stats = worker.stats();
    assert_eq!((stats.failed, stats.undecodable), (2, 0));
    worker.shutdown().await;
    assert_eq!(office.shared.stopped.load(SeqCst), 1);
}

#[tokio::test]
async fn a_server_works_on_channels_too_and_its_drain_waits_for_them() {
    let mut office = Office::open().await;
    let server = Server::new(office.app()).channel_layer(office.memory.clone()).bind("127.0.0.1:0");
    let server = server.access_log(AccessLog::off()).workers(["print"]).worker_concurrency(2);
    let running = server.start().await.expect("it starts");
    for number in 0..2 {
        office.send("print", json!({"type": "hold", "n": number})).await;
    }
    until(|| office.shared.held.load(SeqCst) == 2).await;
    let stats = running.env().workers.clone();
    let stopping = tokio::spawn(running.shutdown());
    office.shared.gate.open(2);
    office.answer().await;
    office.answer().await;
    timeout(PATIENCE, stopping).await.expect("in time").expect("no panic").expect("in good order");
    assert_eq!(stats.snapshot().handled, 2);
    assert_eq!(office.shared.stopped.load(SeqCst), 2);
}

#[tokio::test]
async fn a_server_whose_application_takes_no_channels_does_not_start_with_workers() {
    let office = Office::open().await;
    let server = Server::new(ProtocolTypeRouter::new()).channel_layer(office.memory.clone());
    let refused = server.bind("127.0.0.1:0").workers(["print"]).start().await.expect_err("nobody takes it");
    assert_eq!(refused.to_string(), "the workers cannot start");
}

struct Unmountable;

impl BackgroundConsumer for Unmountable {
    type Event = Json;

    async fn start(_: &mut BackgroundContext) -> Result<Self> {
        Ok(Self)
    }

    async fn event(&mut self, _: &mut BackgroundContext, _: Event<Json>) -> Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_background_consumer_on_a_socket_route_is_a_500_whose_log_entry_says_why() {
    let (log, _guard) = Log::keep();
    let sockets = solent::routing::UrlRouter::new([solent::routing::path(
        "wrong/",
        background_consumer::<Unmountable>(),
    )])
    .expect("a route");
    let site = crate::room::Served::start(sockets, |_| {}).await;
    let mut raw = crate::raw::Raw::connect(site.address()).await;
    raw.send(&crate::raw::handshake("/wrong/", "")).await;
    assert_eq!(raw.response().await.0.status, 500);
    log.line("a background consumer serves scopes of type 'channel', found 'websocket'").await;
}
