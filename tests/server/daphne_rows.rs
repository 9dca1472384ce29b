//! Rows of the checklist of what daphne does that no other test is named after.

use std::sync::Arc;
use std::time::Duration;

use solent::consumer::{Context, WebsocketConsumer, consumer, consumer_with_state};
use solent::http::Request;
use solent::layers::Value;
use solent::routing::{ProtocolTypeRouter, UrlRouter, ViewRouter, path, re_path};
use solent::server::{AccessLog, Running, Server};
use solent::websocket::CloseFrame;
use solent::{Error, Limits, Result, Scope, Scoped};

use crate::raw::{Raw, frame, handshake};
use crate::waiting::until;

/// What of the scope a program sees of the request line, the connection and the offer.
fn told(scope: &Scope) -> String {
    let ports = (scope.client.is_some(), scope.server.map(|address| address.port()));
    let Scope { method, scheme, path, raw_path, query_string, root_path, subprotocols, .. } = scope;
    format!("{method} {scheme} {path} {raw_path} {query_string} {root_path:?} {subprotocols:?} {ports:?}")
}

async fn scope(request: Request) -> String {
    told(request.scope())
}

async fn fields(request: Request) -> String {
    let value = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    format!("{:?} {:?}", value("x_name"), value("x-name"))
}

async fn fails(_: Request) -> Result<String> {
    Err(Error::msg("the disk is full"))
}

struct Tells;

impl WebsocketConsumer for Tells {
    type Event = Value;

    async fn connect(ctx: &mut Context) -> Result<Self> {
        let scope = told(ctx.scope());
        ctx.accept().await?;
        ctx.send(scope).await?;
        Ok(Self)
    }
}

/// Never ends what it does at the end; it holds its state until it is dropped.
struct Lingers;

impl WebsocketConsumer<Arc<()>> for Lingers {
    type Event = Value;

    async fn connect(ctx: &mut Context<Arc<()>>) -> Result<Self> {
        ctx.accept().await?;
        Ok(Self)
    }

    async fn disconnect(&mut self, _: &mut Context<Arc<()>>, _: CloseFrame) {
        std::future::pending::<()>().await;
    }
}

async fn serve(held: &Arc<()>) -> Running {
    let views = [path("fields/", fields), path("fails/", fails), re_path("", scope)];
    let sockets = [
        path("tells/", consumer::<Tells>()),
        path("lingers/", consumer_with_state::<Lingers, _>(held.clone())),
    ];
    let app = ProtocolTypeRouter::new()
        .http(ViewRouter::new(views).unwrap())
        .websocket(UrlRouter::new(sockets).unwrap());
    let mut limits = Limits::default();
    limits.disconnect_time = Duration::from_millis(200);
    let server = Server::new(app).limits(limits).access_log(AccessLog::off());
    server.bind("127.0.0.1:0").start().await.unwrap()
}

/// The head and the body of the answer to a GET with further fields.
async fn get(running: &Running, path: &str, fields: &str) -> (crate::raw::Head, String) {
    let mut raw = Raw::connect(running.addresses()[0]).await;
    raw.send(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n")).await;
    raw.answer("GET").await
}

#[tokio::test]
async fn j10_a_consumer_that_does_not_end_is_ended() {
    let held = Arc::new(());
    let running = serve(&held).await;
    let idle = Arc::strong_count(&held);
    let mut socket = Raw::websocket(running.addresses()[0], "/lingers/").await;
    until(|| Arc::strong_count(&held) > idle).await;
    socket.send(frame(0x88, &1000_u16.to_be_bytes())).await;
    assert_eq!(socket.frame().await.close_code(), 1000);
    drop(socket);
    until(|| Arc::strong_count(&held) == idle).await;
}

#[tokio::test]
async fn j15_no_answer_names_the_server() {
    let running = serve(&Arc::default()).await;
    for path in ["/", "/fails/", "//%ff"] {
        assert_eq!(get(&running, path, "").await.0.header("server"), None, "{path}");
    }
}

#[tokio::test]
async fn k4_a_requests_scope_has_what_the_client_wrote() {
    let running = serve(&Arc::default()).await;
    let port = running.addresses()[0].port();
    let body = get(&running, "/a%20b/%2F?x=%31&y", "").await.1;
    assert_eq!(body, format!("GET http /a b// /a%20b/%2F x=%31&y \"\" [] (true, Some({port}))"));
}

#[tokio::test]
async fn k5_a_sockets_scope_has_its_subprotocols_one_by_one() {
    let running = serve(&Arc::default()).await;
    let port = running.addresses()[0].port();
    let mut raw = Raw::connect(running.addresses()[0]).await;
    raw.send(handshake("/tells/?x", "Sec-WebSocket-Protocol: a ,b\r\nSec-WebSocket-Protocol: c\r\n")).await;
    assert_eq!(raw.head().await.status, 101);
    let seen = raw.text().await;
    assert_eq!(seen, format!("GET ws /tells/ /tells/ x \"\" [\"a\", \"b\", \"c\"] (true, Some({port}))"));
}

#[tokio::test]
async fn k6_a_field_with_an_underscore_is_no_other_field() {
    let running = serve(&Arc::default()).await;
    assert_eq!(get(&running, "/fields/", "X_Name: a\r\n").await.1, "Some(\"a\") None");
    assert_eq!(get(&running, "/fields/", "X_Name: a\r\nX-Name: b\r\n").await.1, "Some(\"a\") Some(\"b\")");
}

#[tokio::test]
async fn k11_an_error_is_a_500_that_tells_the_request_and_not_the_reason() {
    let running = serve(&Arc::default()).await;
    let (head, body) = get(&running, "/fails/", "").await;
    assert_eq!(head.status, 500);
    let id = head.header("x-request-id").expect("every answer has one");
    assert!(!id.is_empty() && !body.contains("disk"), "{id}: {body}");
    assert_eq!(get(&running, "/", "").await.0.status, 200);
}
