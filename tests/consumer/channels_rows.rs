//! Channels' own behaviours of consumers, row by row (B, C, G): each holds, or differs on purpose and says how.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::json;
use solent::consumer::{Context, WebsocketConsumer, blocking, consumer, consumer_with_state};
use solent::layers::{Event, GroupName, LayerError, Value};
use solent::routing::{ProtocolTypeRouter, UrlRouter, path, re_path};
use solent::server::{AccessLog, Server};
use solent::websocket::{Denial, Message};
use solent::{Result, Scoped};
use tower::{Layer, Service};

use crate::raw::{Raw, close, frame, handshake};
use crate::room::{Served, message};
use crate::waiting::until;

type Notes = Arc<Mutex<Vec<String>>>;

/// Answers to commands with what it knows.
struct Rows {
    received: usize,
}

impl WebsocketConsumer<Notes> for Rows {
    type Event = Value;

    async fn connect(ctx: &mut Context<Notes>) -> Result<Self> {
        match ctx.scope().query_string.as_str() {
            "deny" => return ctx.deny(Denial::forbidden("test")),
            _ => ctx.accept().await?,
        }
        Ok(Self { received: 0 })
    }

    async fn receive(&mut self, ctx: &mut Context<Notes>, message: Message) -> Result<()> {
        self.received += 1;
        match message {
            Message::Binary(bytes) => ctx.send(bytes.to_vec()).await,
            Message::Text(text) => match text.as_str() {
                "count" => ctx.send(self.received.to_string()).await,
                "scope" => {
                    let seen = ctx.scope().extensions.get::<&'static str>().copied().unwrap_or("nothing");
                    ctx.send(seen).await
                }
                "layer" => {
                    let layer = ctx.layer().map(|_| ());
                    ctx.send(format!("{layer:?}")).await
                }
                "late" => ctx.deny(Denial::forbidden("too late")),
                "join" => {
                    ctx.group_add(&GroupName::new("later")?).await?;
                    ctx.send("joined").await
                }
                other => ctx.send(other.to_owned()).await,
            },
        }
    }

    async fn event(&mut self, ctx: &mut Context<Notes>, event: Event<Value>) -> Result<()> {
        tokio::task::yield_now().await;
        ctx.send(format!("event {}", event.message_type().unwrap_or("?"))).await
    }
}

impl Drop for Rows {
    fn drop(&mut self) {
        DROPPED.fetch_add(1, Ordering::SeqCst);
    }
}

static DROPPED: AtomicUsize = AtomicUsize::new(0);

/// A middleware that leaves something in the scope.
#[derive(Clone)]
struct Marks<S>(S);

impl<S: Service<solent::websocket::Connection>> Service<solent::websocket::Connection> for Marks<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(
        &mut self,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<std::result::Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, mut connection: solent::websocket::Connection) -> S::Future {
        connection.scope_mut().extensions.insert("marked");
        self.0.call(connection)
    }
}

struct MarksLayer;

impl<S> Layer<S> for MarksLayer {
    type Service = Marks<S>;

    fn layer(&self, inner: S) -> Marks<S> {
        Marks(inner)
    }
}

fn rows(notes: &Notes) -> UrlRouter {
    let rows = || consumer_with_state::<Rows, _>(notes.clone());
    let marked = solent::routing::mount(MarksLayer.layer(rows()));
    UrlRouter::new([path("rows/", rows()), path("marked/", marked)]).unwrap()
}

async fn site() -> Served {
    Served::start(rows(&Notes::default()), |_| {}).await
}

#[tokio::test]
async fn b1_every_connection_has_its_own_instance() {
    let site = site().await;
    let mut one = Raw::websocket(site.address(), "/rows/").await;
    let mut two = Raw::websocket(site.address(), "/rows/").await;
    for expected in ["1", "2", "3"] {
        one.send_text("count").await;
        assert_eq!(one.text().await, expected);
    }
    two.send_text("count").await;
    assert_eq!(two.text().await, "1");
}

#[tokio::test]
async fn b2_the_scope_is_as_middleware_left_it() {
    let site = site().await;
    for (path, expected) in [("/marked/", "marked"), ("/rows/", "nothing")] {
        let mut raw = Raw::websocket(site.address(), path).await;
        raw.send_text("scope").await;
        assert_eq!(raw.text().await, expected);
    }
}

#[tokio::test]
async fn b3_without_a_layer_consumers_still_work_and_asking_for_it_is_an_error_with_its_alias() {
    let app = ProtocolTypeRouter::new().websocket(rows(&Notes::default()));
    let server = Server::new(app).bind("127.0.0.1:0").channel_layers(solent::layers::ChannelLayers::new());
    let running = server.access_log(AccessLog::off()).start().await.unwrap();
    let mut raw = Raw::websocket(running.addresses()[0], "/rows/").await;
    raw.send_text("hello").await;
    assert_eq!(raw.text().await, "hello");
    raw.send_text("layer").await;
    let expected: Result<(), _> =
        Err(LayerError::NotConfigured { alias: "default".to_owned(), configured: Vec::new() });
    assert_eq!(raw.text().await, format!("{expected:?}"));
}

#[tokio::test]
async fn b6_client_messages_and_events_are_handled_one_at_a_time_and_none_is_lost() {
    let site = site().await;
    let mut raw = Raw::websocket(site.address(), "/rows/").await;
    raw.send_text("join").await;
    assert_eq!(raw.text().await, "joined");
    let later = GroupName::new("later").unwrap();
    for number in 0..20 {
        raw.send_text(&format!("message {number}")).await;
        site.layer.group_send(&later, &json!({"type": "tick"})).await.unwrap();
    }
    let mut heard = Vec::new();
    for _ in 0..40 {
        heard.push(raw.text().await);
    }
    let messages: Vec<_> = heard.iter().filter(|text| text.starts_with("message")).cloned().collect();
    let expected: Vec<_> = (0..20).map(|number| format!("message {number}")).collect();
    assert_eq!(messages, expected);
    assert_eq!(heard.iter().filter(|text| *text == "event tick").count(), 20);
}

/// Differs: an event reaches `event` alone, so its type can name no other method.
#[tokio::test]
async fn b8_an_event_of_type_close_closes_nothing() {
    let site = site().await;
    let mut raw = Raw::websocket(site.address(), "/rows/").await;
    raw.send_text("join").await;
    raw.text().await;
    for kind in ["close", "websocket.disconnect", "_private"] {
        site.layer.group_send(&GroupName::new("later").unwrap(), &json!({"type": kind})).await.unwrap();
        assert_eq!(raw.text().await, format!("event {kind}"));
    }
}

/// Differs (B9, B10, G2): the end of the socket is the end of its consumer; nothing has to be raised, nothing stays.
#[tokio::test]
async fn b9_b10_and_g2_a_consumer_ends_with_its_socket_and_leaves_nothing_behind() {
    let site = site().await;
    let mut raw = Raw::websocket(site.address(), "/rows/").await;
    raw.send_text("join").await;
    raw.text().await;
    assert_eq!(site.layer.layer().stats().mailboxes, 1);
    let dropped = DROPPED.load(Ordering::SeqCst);
    raw.send(close(1000, "")).await;
    raw.frame().await;
    until(|| DROPPED.load(Ordering::SeqCst) > dropped).await;
    let env = site.running.env().clone();
    until(|| env.sockets.is_empty()).await;
    assert_eq!(site.layer.layer().stats().mailboxes, 0);
}

/// A blocking consumer that calls the layer and waits for a partner's event.
struct Slow;

impl blocking::WebsocketConsumer<Arc<std::sync::Barrier>> for Slow {
    type Event = Value;

    fn connect(ctx: &mut blocking::Context<Arc<std::sync::Barrier>>) -> Result<Self> {
        ctx.accept()?;
        Ok(Self)
    }

    fn receive(&mut self, ctx: &mut blocking::Context<Arc<std::sync::Barrier>>, _: Message) -> Result<()> {
        ctx.state().clone().wait();
        ctx.group_send(&GroupName::new("done")?, &message("met"))?;
        ctx.send("met")
    }
}

/// Differs: Channels runs all sync code of a process on one thread, where these two would wait for ever.
#[tokio::test]
async fn b13_to_b15_blocking_handlers_run_beside_each_other_and_call_the_layer() {
    let slow = blocking::consumer_with_state::<Slow, _>(Arc::new(std::sync::Barrier::new(2)));
    let site = Served::start(UrlRouter::new([path("slow/", slow)]).unwrap(), |_| {}).await;
    let mut done = site.member("done").await;
    let mut one = Raw::websocket(site.address(), "/slow/").await;
    let mut two = Raw::websocket(site.address(), "/slow/").await;
    one.send_text("").await;
    two.send_text("").await;
    assert_eq!((one.text().await, two.text().await), ("met".to_owned(), "met".to_owned()));
    assert_eq!(done.next().await["message"], "met");
}

/// A consumer with groups where there is no layer.
struct Grouped;

impl WebsocketConsumer for Grouped {
    type Event = Value;

    const GROUPS: &'static [&'static str] = &["everyone"];

    async fn connect(ctx: &mut Context) -> Result<Self> {
        ctx.accept().await?;
        Ok(Self)
    }
}

#[tokio::test]
async fn c1_and_g5_groups_without_a_layer_are_an_error_of_the_program() {
    let sockets = UrlRouter::new([re_path("^grouped/$", consumer::<Grouped>())]).unwrap();
    let app = ProtocolTypeRouter::new().websocket(sockets);
    let server = Server::new(app).bind("127.0.0.1:0").channel_layers(solent::layers::ChannelLayers::new());
    let running = server.access_log(AccessLog::off()).start().await.unwrap();
    let mut raw = Raw::connect(running.addresses()[0]).await;
    raw.send(handshake("/grouped/", "")).await;
    assert_eq!(raw.head().await.status, 500);
}

#[tokio::test]
async fn c4_text_and_binary_messages_are_told_apart_and_answered_in_kind() {
    let site = site().await;
    let mut raw = Raw::websocket(site.address(), "/rows/").await;
    raw.send_text("text").await;
    assert_eq!(raw.text().await, "text");
    raw.send(frame(0x82, &[0, 255])).await;
    let answer = raw.frame().await;
    assert_eq!((answer.first, answer.payload), (0x82, vec![0, 255]));
}

/// Differs: a message is one of the two by its type, so `send()` with neither does not compile; an empty one is sent.
#[tokio::test]
async fn c5_send_needs_a_message_and_an_empty_one_is_a_message() {
    let site = site().await;
    let mut raw = Raw::websocket(site.address(), "/rows/").await;
    raw.send_text("").await;
    assert_eq!(raw.text().await, "");
}

#[tokio::test]
async fn c12_groups_joined_later_are_left_by_themselves_too() {
    let site = site().await;
    let mut raw = Raw::websocket(site.address(), "/rows/").await;
    raw.send_text("join").await;
    raw.text().await;
    drop(raw);
    until(|| site.layer.layer().stats().groups == 0).await;
}

/// Differs: nothing is raised; `ctx.accept()` accepts, `ctx.deny(…)` is the error that refuses.
#[tokio::test]
async fn g1_deny_refuses_before_accept_and_closes_with_1008_after_it() {
    let site = site().await;
    let mut raw = Raw::connect(site.address()).await;
    raw.send(handshake("/rows/?deny", "")).await;
    assert_eq!(raw.head().await.status, 403);
    let mut raw = Raw::websocket(site.address(), "/rows/").await;
    raw.send_text("late").await;
    assert_eq!(raw.frame().await.close_code(), 1008);
}

/// Notes which of its handlers run.
struct Handlers;

impl WebsocketConsumer<Notes> for Handlers {
    type Event = Value;

    async fn connect(ctx: &mut Context<Notes>) -> Result<Self> {
        ctx.state().lock().unwrap().push("connect".to_owned());
        ctx.accept().await?;
        ctx.send("text").await?;
        ctx.send(vec![1, 2]).await?;
        Ok(Self)
    }

    async fn receive(&mut self, ctx: &mut Context<Notes>, message: Message) -> Result<()> {
        ctx.state().lock().unwrap().push(format!("receive {}", message.as_text()?));
        ctx.close(solent::websocket::CloseFrame::new(4000, "enough"));
        Ok(())
    }

    async fn disconnect(&mut self, ctx: &mut Context<Notes>, close: solent::websocket::CloseFrame) {
        ctx.state().lock().unwrap().push(format!("disconnect {}", close.code));
    }
}

async fn handlers(notes: &Notes) -> Served {
    let handlers = consumer_with_state::<Handlers, _>(notes.clone());
    Served::start(UrlRouter::new([path("rows/", handlers)]).unwrap(), |_| {}).await
}

/// Differs: there are no raw messages to receive and send; what they did is `accept`, `send` and `close`, in order.
#[tokio::test]
async fn b5_and_b12_accept_send_and_close_are_what_raw_messages_did() {
    let site = handlers(&Notes::default()).await;
    let mut raw = Raw::websocket(site.address(), "/rows/").await;
    assert_eq!(raw.text().await, "text");
    assert_eq!(raw.frame().await.payload, [1, 2]);
    raw.send_text("end").await;
    let close = raw.frame().await;
    assert_eq!((close.close_code(), &close.payload[2..]), (4000, &b"enough"[..]));
}

/// Differs: no raw handlers stand behind these three.
#[tokio::test]
async fn c8_connect_receive_and_disconnect_are_the_handlers() {
    let notes = Notes::default();
    let site = handlers(&notes).await;
    let mut raw = Raw::websocket(site.address(), "/rows/").await;
    raw.send_text("hello").await;
    raw.frame().await;
    raw.frame().await;
    raw.frame().await;
    raw.send(close(4000, "")).await;
    until(|| *notes.lock().unwrap() == ["connect", "receive hello", "disconnect 4000"]).await;
}

/// Differs: what Channels defines and nothing raises is an answer here: 413, 408, and close code 1009.
#[tokio::test]
async fn g4_a_message_too_large_and_a_request_too_slow_have_their_answers() {
    let upload = async |request: solent::http::Request| -> Result<String> {
        Ok(request.into_body().bytes().await?.len().to_string())
    };
    let views = solent::routing::ViewRouter::new([path("upload/", solent::http::post(upload))]).unwrap();
    let app = ProtocolTypeRouter::new().http(views).websocket(rows(&Notes::default()));
    let site = Served::app(app, |limits| {
        limits.body_bytes = 10;
        limits.message_bytes = 10;
        limits.body_read_time = std::time::Duration::from_millis(50);
    })
    .await;
    for (length, sent, status) in [(10, "0123456789", 200), (11, "0123456789a", 413), (10, "01234", 408)] {
        let mut raw = Raw::connect(site.address()).await;
        let head = format!("POST /upload/ HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n");
        raw.send(head + sent).await;
        assert_eq!(raw.head().await.status, status, "{sent} of {length}");
    }
    let mut raw = Raw::websocket(site.address(), "/rows/").await;
    raw.send_text("more than ten bytes").await;
    assert_eq!(raw.frame().await.close_code(), 1009);
}
