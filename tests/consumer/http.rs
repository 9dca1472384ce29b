//! The HTTP consumer over raw sockets: Channels' rows D1–D7, server-sent events, long polling.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::json;
use solent::consumer::{HttpConsumer, HttpContext, http_consumer_with_state};
use solent::http::{HttpError, post};
use solent::layers::{Event, GroupName, LayerError};
use solent::routing::{ProtocolTypeRouter, ViewRouter, path};
use solent::{Error, Limits, Result};

use crate::raw::Raw;
use crate::room::{RoomEvent, Served, message};
use crate::waiting::until;

type Notes = Arc<Mutex<Vec<String>>>;

/// Does in `handle` what its route says, and in `event` what the event's text says.
struct Asked;

impl HttpConsumer<Notes> for Asked {
    type Event = RoomEvent;

    const GROUPS: &'static [&'static str] = &["news"];

    async fn handle(ctx: &mut HttpContext<Notes>, body: Bytes) -> Result<Self> {
        match ctx.url_route().kwargs.text("what").unwrap_or_default() {
            "length" => ctx.send_response(format!("{} bytes", body.len()))?,
            "headers" => {
                let mut headers = HeaderMap::new();
                headers.insert("x-room", HeaderValue::from_static("1"));
                ctx.send_headers(StatusCode::ACCEPTED, headers)?;
                ctx.finish();
            }
            "stream" => {
                ctx.send_headers(StatusCode::OK, HeaderMap::new())?;
                ctx.send_body("begun").await?;
            }
            "events" => ctx.start_event_stream()?,
            "poll" => {}
            "stuck" => {
                let _noted = OnDrop(ctx.state().clone());
                std::future::pending::<()>().await;
            }
            "away" => {
                let (host, reason) = ("redis:6379".to_owned(), "connection refused".to_owned());
                return Err(LayerError::Unavailable { host, reason }.into());
            }
            "fail" => return Err(Error::msg("asked to fail")),
            "forbid" => return Err(HttpError::forbidden("not you").into()),
            "panic" => panic!("asked to panic"),
            "hang" => {
                ctx.start_event_stream()?;
                let _noted = OnDrop(ctx.state().clone());
                std::future::pending::<()>().await;
            }
            "early" => {
                let refused = ctx.send_body("no head").await.unwrap_err();
                ctx.send_response(refused.to_string())?;
                assert!(ctx.send_response("again").is_err());
            }
            other => return Err(Error::msg(format!("no such case: {other}"))),
        }
        Ok(Self)
    }

    async fn event(&mut self, ctx: &mut HttpContext<Notes>, event: Event<RoomEvent>) -> Result<()> {
        let RoomEvent::Message { message } = event.get();
        match message.as_str() {
            "fail" => Err(Error::msg("asked to fail")),
            "panic" => panic!("asked to panic"),
            "answer" => ctx.send_response("the answer"),
            "finish" => {
                ctx.send_body("last").await?;
                ctx.finish();
                Ok(())
            }
            "named" => ctx.send_data(Some("room"), "two\nlines").await,
            _ => ctx.send_event(&event).await,
        }
    }

    async fn disconnect(&mut self, ctx: &mut HttpContext<Notes>) {
        ctx.state().lock().unwrap().push("disconnect".to_owned());
    }
}

struct OnDrop(Notes);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.lock().unwrap().push("dropped".to_owned());
    }
}

pub struct Rig {
    pub served: Served,
    notes: Notes,
}

impl Rig {
    pub async fn start() -> Self {
        Self::with(Duration::from_secs(15), Duration::from_secs(30), |_| {}).await
    }

    pub async fn with(keep_alive: Duration, answer_time: Duration, change: impl FnOnce(&mut Limits)) -> Self {
        let notes = Notes::default();
        let consumer = || http_consumer_with_state::<Asked, _>(notes.clone());
        let views = ViewRouter::new([
            path("posted/<slug:what>/", post(consumer())),
            path("<slug:what>/", consumer().keep_alive(keep_alive).answer_time(answer_time)),
        ]);
        let served = Served::app(ProtocolTypeRouter::new().http(views.unwrap()), change).await;
        Self { served, notes }
    }

    async fn ask(&self, method: &str, path: &str, body: &str) -> Raw {
        let mut raw = Raw::connect(self.served.address()).await;
        let length = body.len();
        raw.send(format!("{method} {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n{body}"))
            .await;
        raw
    }

    pub async fn get(&self, path: &str) -> Raw {
        self.ask("GET", path, "").await
    }

    /// Sends to all requests that are open.
    pub async fn tell(&self, text: &str) {
        let group = GroupName::new("news").unwrap();
        assert!(self.served.layer.group_send(&group, &message(text)).await.unwrap().reached > 0);
    }

    /// Waits until so many requests listen.
    pub async fn listening(&self, count: usize) {
        until(|| self.served.layer.layer().stats().mailboxes == count).await;
    }

    pub async fn noted(&self, notes: &[&str]) {
        until(|| *self.notes.lock().unwrap() == notes).await;
    }
}

/// The next chunk of a chunked body; `None` at its end.
pub async fn chunk(raw: &mut Raw) -> Option<String> {
    let mut size = String::new();
    while !size.ends_with("\r\n") {
        size.push(char::from(raw.bytes(1).await[0]));
    }
    let length = usize::from_str_radix(size.trim(), 16).unwrap();
    let bytes = raw.bytes(length + 2).await;
    (length > 0).then(|| String::from_utf8(bytes[..length].to_vec()).unwrap())
}

#[tokio::test]
async fn d1_handle_gets_the_whole_body() {
    let rig = Rig::start().await;
    let (head, text) = rig.ask("POST", "/length/", "12345").await.response().await;
    assert_eq!((head.status, text.as_str()), (200, "5 bytes"));
    rig.noted(&["disconnect"]).await;
}

#[tokio::test]
async fn d2_send_headers_takes_a_status_and_headers() {
    let rig = Rig::start().await;
    let mut raw = rig.get("/headers/").await;
    let head = raw.head().await;
    assert_eq!((head.status, head.header("x-room")), (202, Some("1")));
    assert_eq!(chunk(&mut raw).await, None);
}

#[tokio::test]
async fn d3_send_body_streams_until_finish() {
    let rig = Rig::start().await;
    let mut raw = rig.get("/stream/").await;
    assert_eq!(raw.head().await.status, 200);
    assert_eq!(chunk(&mut raw).await.as_deref(), Some("begun"));
    rig.tell("finish").await;
    assert_eq!(chunk(&mut raw).await.as_deref(), Some("last"));
    assert_eq!(chunk(&mut raw).await, None);
    rig.noted(&["disconnect"]).await;
}

#[tokio::test]
async fn d3_a_body_before_its_head_is_an_error_and_so_is_a_second_head() {
    let rig = Rig::start().await;
    let (_, text) = rig.get("/early/").await.response().await;
    assert_eq!(text, "a body before its head: call `send_headers` first");
}

#[tokio::test]
async fn d4_send_response_sends_all_at_once_and_the_connection_goes_on() {
    let rig = Rig::start().await;
    let mut raw = rig.get("/length/").await;
    for _ in 0..2 {
        assert_eq!(raw.response().await.1, "0 bytes");
        raw.send("GET /length/ HTTP/1.1\r\nHost: a\r\n\r\n").await;
    }
}

#[tokio::test]
async fn d5_disconnect_runs_when_the_client_leaves_noticed_with_the_next_comment() {
    let rig = Rig::with(Duration::from_millis(20), Duration::from_secs(30), |_| {}).await;
    let mut raw = rig.get("/events/").await;
    raw.head().await;
    assert_eq!(chunk(&mut raw).await.as_deref(), Some(":\n\n"));
    assert_eq!(rig.served.layer.layer().stats().mailboxes, 1);
    drop(raw);
    rig.noted(&["disconnect"]).await;
    rig.listening(0).await;
}

#[tokio::test]
async fn d5_a_handle_that_still_runs_is_dropped_when_the_client_leaves() {
    let rig = Rig::with(Duration::from_millis(20), Duration::from_secs(30), |_| {}).await;
    let mut raw = rig.get("/hang/").await;
    raw.head().await;
    drop(raw);
    rig.noted(&["dropped"]).await;
}

/// Differs: `handle` makes the consumer, so after its error there is none to disconnect; its clean-up is `Drop`.
#[tokio::test]
async fn d5_an_error_of_handle_is_a_page_with_its_status() {
    let rig = Rig::start().await;
    for (what, status) in [("fail", 500), ("panic", 500), ("forbid", 403), ("away", 503)] {
        let head = rig.get(&format!("/{what}/")).await.head().await;
        assert_eq!(head.status, status, "{what}");
    }
    assert!(rig.notes.lock().unwrap().is_empty());
}

#[tokio::test]
async fn d5_an_error_after_the_head_cuts_the_stream_off_and_disconnect_runs() {
    for text in ["fail", "panic"] {
        let rig = Rig::start().await;
        let mut raw = rig.get("/events/").await;
        raw.head().await;
        rig.listening(1).await;
        rig.tell(text).await;
        assert!(raw.ended().await, "no last chunk: the client can tell it from an end");
        rig.noted(&["disconnect"]).await;
    }
}

/// Differs: the request stays open after `handle` until something ends it; no override is needed.
#[tokio::test]
async fn d6_the_request_stays_open_after_handle_until_an_event_answers() {
    let rig = Rig::start().await;
    let mut raw = rig.get("/poll/").await;
    rig.listening(1).await;
    rig.tell("answer").await;
    assert_eq!(raw.response().await.1, "the answer");
    rig.noted(&["disconnect"]).await;
}

#[tokio::test]
async fn d7_layer_messages_are_handled_while_the_request_is_open() {
    let rig = Rig::start().await;
    let mut raw = rig.get("/events/").await;
    let head = raw.head().await;
    assert_eq!(head.header("content-type"), Some("text/event-stream"));
    assert_eq!(head.header("cache-control"), Some("no-cache"));
    rig.tell("hello").await;
    let data = chunk(&mut raw).await.unwrap();
    let json = data.strip_prefix("data: ").and_then(|data| data.strip_suffix("\n\n")).unwrap();
    let json: serde_json::Value = serde_json::from_str(json).unwrap();
    assert_eq!(json, json!({"type": "chat.message", "message": "hello"}));
    rig.tell("named").await;
    assert_eq!(chunk(&mut raw).await.as_deref(), Some("event: room\ndata: two\ndata: lines\n\n"));
}

#[tokio::test]
async fn a_long_poll_without_news_is_answered_204() {
    let rig = Rig::with(Duration::from_secs(15), Duration::from_millis(50), |_| {}).await;
    assert_eq!(rig.get("/poll/").await.head().await.status, 204);
    rig.noted(&["disconnect"]).await;
}

#[tokio::test]
async fn a_route_restricts_methods_as_for_any_view() {
    let rig = Rig::start().await;
    assert_eq!(rig.get("/posted/length/").await.head().await.status, 405);
    assert_eq!(rig.ask("POST", "/posted/length/", "x").await.response().await.1, "1 bytes");
}

#[tokio::test]
async fn a_drain_ends_event_streams_in_good_order_and_waits_for_disconnect() {
    let rig = Rig::with(Duration::from_secs(15), Duration::from_secs(30), |limits| {
        limits.drain_time = Duration::from_secs(60);
    })
    .await;
    let mut raw = rig.get("/events/").await;
    raw.head().await;
    let mut poll = rig.get("/poll/").await;
    rig.listening(2).await;
    let draining = tokio::spawn(rig.served.running.shutdown());
    assert_eq!(chunk(&mut raw).await, None);
    assert_eq!(poll.head().await.status, 204);
    drop((raw, poll));
    draining.await.unwrap().unwrap();
    assert_eq!(*rig.notes.lock().unwrap(), ["disconnect", "disconnect"]);
}
