//! Blocking work: slow readers hold no thread, a full pool is told to the client, and nothing is lost with it.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::ThreadId;

use solent::consumer::{Context, WebsocketConsumer, blocking, consumer, consumer_with_state};
use solent::layers::{Event, GroupName, Value};
use solent::routing::{UrlRouter, path};
use solent::websocket::{CloseFrame, Message};
use solent::{Limits, Result};

use crate::raw::{PATIENCE, Raw, close, handshake};
use crate::room::{Served, message};
use crate::waiting::until;

/// Answers each message with a long one that starts with the same text.
struct Long;

const LENGTH: usize = 60_000;

impl blocking::WebsocketConsumer for Long {
    type Event = Value;

    fn connect(ctx: &mut blocking::Context) -> Result<Self> {
        ctx.accept()?;
        Ok(Self)
    }

    fn receive(&mut self, ctx: &mut blocking::Context, message: Message) -> Result<()> {
        ctx.send(format!("{:<LENGTH$}", message.as_text()?))
    }
}

fn one_thread(limits: &mut Limits) {
    limits.blocking_threads = 1;
    limits.blocking_queue = 0;
}

#[tokio::test]
async fn a_client_that_does_not_read_holds_no_thread_and_loses_no_answer() {
    let sockets = UrlRouter::new([path("long/", blocking::consumer::<Long>())]).unwrap();
    let site = Served::start(sockets, |limits| limits.blocking_threads = 1).await;
    let mut slow = Raw::websocket(site.address(), "/long/").await;
    // 200 answers of 60 kB: more than the kernel's buffers and the outbox hold.
    for number in 0..200 {
        slow.send_text(&number.to_string()).await;
    }
    for number in 0..10 {
        let mut quick = Raw::websocket(site.address(), "/long/").await;
        quick.send_text(&number.to_string()).await;
        assert_eq!(quick.text().await.trim_end(), number.to_string());
    }
    for number in 0..200 {
        assert_eq!(slow.text().await.trim_end(), number.to_string());
    }
}

/// `hold` keeps its thread until the test lets go.
struct Holds(Gate);

#[derive(Clone)]
struct Gate {
    held: Arc<Mutex<Receiver<()>>>,
    notes: Arc<Mutex<Vec<String>>>,
}

impl Gate {
    fn new() -> (Self, Sender<()>) {
        let (release, held) = channel();
        (Self { held: Arc::new(Mutex::new(held)), notes: Arc::default() }, release)
    }

    fn note(&self, note: impl Into<String>) {
        self.notes.lock().unwrap().push(note.into());
    }

    fn notes(&self) -> Vec<String> {
        self.notes.lock().unwrap().clone()
    }
}

impl blocking::WebsocketConsumer<Gate> for Holds {
    type Event = Value;

    const GROUPS: &'static [&'static str] = &["held"];

    fn connect(ctx: &mut blocking::Context<Gate>) -> Result<Self> {
        ctx.accept()?;
        Ok(Self(ctx.state().clone()))
    }

    fn receive(&mut self, ctx: &mut blocking::Context<Gate>, message: Message) -> Result<()> {
        if message.as_text()? == "hold" {
            self.0.note("holding");
            let _ = self.0.held.lock().unwrap().recv();
        }
        ctx.send(message)
    }

    fn event(&mut self, _: &mut blocking::Context<Gate>, _: Event<Value>) -> Result<()> {
        self.0.note("event");
        Ok(())
    }

    fn disconnect(&mut self, _: &mut blocking::Context<Gate>, close: CloseFrame) {
        self.0.note(format!("disconnect {}", close.code));
    }
}

/// Waits until the thread is free: a handshake is answered before its handler has returned.
async fn free(site: &Served) {
    let pool = site.running.env().blocking();
    until_ok(|| pool.run(|| ())).await;
}

async fn until_ok<E>(attempt: impl AsyncFn() -> Result<(), E>) {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while attempt().await.is_err() {
        assert!(tokio::time::Instant::now() < deadline, "no thread became free in time");
        tokio::task::yield_now().await;
    }
}

/// A site whose one thread is held by one client, another client, and the means to let go.
async fn held() -> (Served, Gate, Sender<()>, Raw, Raw) {
    let (gate, release) = Gate::new();
    let holds = blocking::consumer_with_state::<Holds, _>(gate.clone());
    let site = Served::start(UrlRouter::new([path("holds/", holds)]).unwrap(), one_thread).await;
    let mut holder = Raw::websocket(site.address(), "/holds/").await;
    free(&site).await;
    let other = Raw::websocket(site.address(), "/holds/").await;
    free(&site).await;
    holder.send_text("hold").await;
    until(|| gate.notes() == ["holding"]).await;
    (site, gate, release, holder, other)
}

#[tokio::test]
async fn without_a_free_thread_a_message_is_reported_busy_and_the_socket_lives_on() {
    let (site, _gate, release, mut holder, mut other) = held().await;
    other.send_text("now?").await;
    let report = other.frame().await.json();
    assert_eq!((&report["type"], &report["code"]), (&"error".into(), &"busy".into()));
    release.send(()).unwrap();
    assert_eq!(holder.text().await, "hold");
    free(&site).await;
    other.send_text("and now?").await;
    assert_eq!(other.text().await, "and now?");
}

#[tokio::test]
async fn without_a_free_thread_a_handshake_is_503() {
    let (site, _gate, release, _holder, _other) = held().await;
    let mut late = Raw::connect(site.address()).await;
    late.send(handshake("/holds/", "")).await;
    assert_eq!(late.head().await.status, 503);
    release.send(()).unwrap();
}

#[tokio::test]
async fn events_and_disconnect_wait_for_a_thread_and_are_never_lost() {
    let (site, gate, release, _holder, mut other) = held().await;
    let sent = site.layer.group_send(&GroupName::new("held").unwrap(), &message("event")).await;
    assert_eq!(sent.unwrap().reached, 2);
    other.send(close(3001, "")).await;
    tokio::task::yield_now().await;
    assert_eq!(gate.notes(), ["holding"], "nothing runs without a thread");
    release.send(()).unwrap();
    assert_eq!(other.frame().await.close_code(), 3001);
    until(|| gate.notes().len() == 4).await;
    let mut notes = gate.notes();
    notes.sort_unstable();
    assert_eq!(notes, ["disconnect 3001", "event", "event", "holding"]);
}

/// Blocks in an async handler, as it should: beside the runtime's threads.
struct Counts(ThreadId);

impl WebsocketConsumer for Counts {
    type Event = Value;

    async fn connect(ctx: &mut Context) -> Result<Self> {
        ctx.accept().await?;
        Ok(Self(std::thread::current().id()))
    }

    async fn receive(&mut self, ctx: &mut Context, message: Message) -> Result<()> {
        let text = message.as_text()?.to_owned();
        let (length, thread) = ctx
            .blocking(move || {
                assert!(text != "panic", "asked to panic");
                (text.len(), std::thread::current().id())
            })
            .await?;
        ctx.send(format!("{length} {}", if thread == self.0 { "here" } else { "elsewhere" })).await
    }
}

#[tokio::test]
async fn blocking_work_of_an_async_handler_runs_on_another_thread() {
    let site =
        Served::start(UrlRouter::new([path("counts/", consumer::<Counts>())]).unwrap(), one_thread).await;
    let mut raw = Raw::websocket(site.address(), "/counts/").await;
    raw.send_text("seven").await;
    assert_eq!(raw.text().await, "5 elsewhere");
    raw.send_text("panic").await;
    assert_eq!(raw.frame().await.close_code(), 1011, "a panic there is the handler's error here");
}

/// Holds a thread from an async handler.
struct AsyncHolds;

impl WebsocketConsumer<Gate> for AsyncHolds {
    type Event = Value;

    async fn connect(ctx: &mut Context<Gate>) -> Result<Self> {
        ctx.accept().await?;
        Ok(Self)
    }

    async fn receive(&mut self, ctx: &mut Context<Gate>, message: Message) -> Result<()> {
        let gate = ctx.state().clone();
        let held = move || {
            gate.note("holding");
            let _ = gate.held.lock().unwrap().recv();
        };
        ctx.blocking(held).await?;
        ctx.send(message).await
    }
}

#[tokio::test]
async fn blocking_work_without_a_free_thread_is_reported_busy() {
    let (gate, release) = Gate::new();
    let holds = consumer_with_state::<AsyncHolds, _>(gate.clone());
    let site = Served::start(UrlRouter::new([path("holds/", holds)]).unwrap(), one_thread).await;
    let mut one = Raw::websocket(site.address(), "/holds/").await;
    let mut two = Raw::websocket(site.address(), "/holds/").await;
    one.send_text("first").await;
    until(|| gate.notes() == ["holding"]).await;
    two.send_text("second").await;
    assert_eq!(two.frame().await.json()["code"], "busy");
    release.send(()).unwrap();
    assert_eq!(one.text().await, "first");
}
