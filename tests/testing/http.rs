//! `HttpCommunicator`: row I2 of Channels' checklist, and answers that stream.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use serde_json::{Value, json};
use solent::Result;
use solent::auth::{Account, User};
use solent::consumer::{HttpConsumer, HttpContext, http_consumer};
use solent::http::{IntoResponse, Request, RequestExt, Response};
use solent::layers::{ChannelLayer, Event, GroupName, MemoryChannelLayer};
use solent::routing::{ProtocolTypeRouter, ViewRouter, path};
use solent::testing::HttpCommunicator;

async fn mirror(request: Request) -> Result<Response> {
    let head = json!({
        "method": request.method().as_str(),
        "path": request.uri().path(),
        "id": request.kwargs().get::<i64>("id")?,
        "query": request.uri().query(),
        "user": request.user().username(),
        "type": request.headers().get("content-type").and_then(|kind| kind.to_str().ok()),
        "back": request.reverse("mirror", &[("id", &8)])?,
    });
    let body = request.into_body().bytes().await?;
    let answer = json!({ "head": head, "body": String::from_utf8_lossy(&body) });
    let mut response = solent::http::json(&answer)?;
    response.headers_mut().insert("x-mirror", ::http::HeaderValue::from_static("yes"));
    response.into_response()
}

/// Server-sent events of the group `news`, begun with a greeting.
struct News;

impl HttpConsumer for News {
    type Event = solent::layers::Value;
    const GROUPS: &'static [&'static str] = &["news"];

    async fn handle(ctx: &mut HttpContext, _: Bytes) -> Result<Self> {
        ctx.start_event_stream()?;
        ctx.send_data(None, "welcome").await?;
        Ok(Self)
    }

    async fn event(&mut self, ctx: &mut HttpContext, event: Event<Self::Event>) -> Result<()> {
        ctx.send_event(&event).await
    }

    async fn disconnect(&mut self, ctx: &mut HttpContext) {
        let _ = ctx.group_send(&GroupName::new("ends").unwrap(), &json!({ "type": "end" })).await;
    }
}

fn app() -> ProtocolTypeRouter {
    let views = [
        path("mirror/<int:id>/", mirror).name("mirror"),
        path("news/", http_consumer::<News>()).name("news"),
    ];
    ProtocolTypeRouter::new().http(ViewRouter::new(views).unwrap())
}

#[tokio::test(start_paused = true)]
async fn i2_status_headers_and_body_of_a_request_with_a_query() {
    let answer = HttpCommunicator::get(app(), "/mirror/7/?a=b&c").response().await;
    assert_eq!((answer.status.as_u16(), answer.header("x-mirror")), (200, Some("yes")));
    let head = &answer.json::<Value>()["head"];
    assert_eq!((&head["method"], &head["id"], &head["query"]), (&json!("GET"), &json!(7), &json!("a=b&c")));
    assert_eq!(head["back"], "/mirror/8/");
}

#[tokio::test(start_paused = true)]
async fn bodies_are_bytes_json_or_forms() {
    let post = || HttpCommunicator::post(app(), "/mirror/1/");
    let answer: Value = post().body("plain").response().await.json();
    assert_eq!((&answer["body"], &answer["head"]["type"]), (&json!("plain"), &Value::Null));
    let answer: Value = post().json(&json!([1])).response().await.json();
    assert_eq!((&answer["body"], &answer["head"]["type"]), (&json!("[1]"), &json!("application/json")));
    let answer: Value = post().form(&[("a", "ä b")]).response().await.json();
    assert_eq!(answer["body"], "a=%C3%A4+b");
}

#[tokio::test(start_paused = true)]
async fn the_scope_can_be_overridden() {
    let user = User::new(Account::new("1", "alice"));
    let answer: Value = HttpCommunicator::get(app(), "/mirror/1/").user(user).response().await.json();
    assert_eq!(answer["head"]["user"], "alice");
}

#[tokio::test(start_paused = true)]
async fn a_whole_router_or_a_part_of_it_can_be_driven() {
    let views = ViewRouter::new([path("mirror/<int:id>/", mirror).name("mirror")]).unwrap();
    assert_eq!(HttpCommunicator::get(views, "/mirror/1/").response().await.status.as_u16(), 200);
    assert_eq!(HttpCommunicator::get(app(), "/nowhere/").response().await.status.as_u16(), 404);
}

#[tokio::test(start_paused = true)]
async fn an_answer_can_be_read_piece_by_piece() {
    let layer = MemoryChannelLayer::new();
    let mut request = HttpCommunicator::get(app(), "/news/").channel_layer(layer.clone());
    let head = request.start().await;
    assert_eq!(head.headers["content-type"], "text/event-stream");
    assert_eq!(request.receive_piece().await.unwrap(), "data: welcome\n\n");
    request.receive_nothing_for(Duration::from_secs(14)).await;
    let event = Event::new(&json!({ "type": "news", "n": 1 })).unwrap();
    layer.group_send(&GroupName::new("news").unwrap(), event).await.unwrap();
    let piece = request.receive_piece().await.unwrap();
    assert!(piece.starts_with(b"data: {") && piece.ends_with(b"\n\n"), "{piece:?}");
}

#[tokio::test(start_paused = true)]
async fn leaving_ends_the_consumer() {
    let layer = MemoryChannelLayer::new();
    let mut ends = layer.new_channel("test", Default::default()).await.unwrap();
    layer.group_add(&GroupName::new("ends").unwrap(), &ends).await.unwrap();
    let mut request = HttpCommunicator::get(app(), "/news/").channel_layer(layer);
    request.start().await;
    request.disconnect();
    tokio::time::timeout(Duration::from_secs(1), ends.recv()).await.expect("disconnect runs");
}

#[tokio::test(start_paused = true)]
async fn an_answer_without_an_end_fails_with_the_conversation() {
    let request = HttpCommunicator::get(app(), "/news/").channel_layer(MemoryChannelLayer::new());
    let panic = AssertUnwindSafe(request.response()).catch_unwind().await.unwrap_err();
    let text = panic.downcast_ref::<String>().unwrap();
    assert!(text.starts_with("the answer did not end within 5s\n  at tests/testing/http.rs"), "{text}");
    assert!(text.contains("-> GET /news/ (0 bytes)") && text.contains("data: welcome"), "{text}");
}
