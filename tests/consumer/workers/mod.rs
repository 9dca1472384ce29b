//! Workers: named channels, their background consumers, failures, stops, in a process of their own or a server's.

mod handling;
mod stopping;
mod twins;

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
