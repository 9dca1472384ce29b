//! The server under test, and how a table's case is put to it.

use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::{BodyExt, Channel};
use solent::Result;
use solent::consumer::{Context, WebsocketConsumer, consumer};
use solent::http::{Body, IntoResponse, Request, Response, get, json};
use solent::layers::Value;
use solent::routing::{ProtocolTypeRouter, UrlRouter, ViewRouter, path};
use solent::server::{AccessLog, Running, Server};
use solent::websocket::Message;

use crate::raw::Raw;

struct Echo;

impl WebsocketConsumer for Echo {
    type Event = Value;

    async fn connect(ctx: &mut Context) -> Result<Self> {
        ctx.accept().await?;
        Ok(Self)
    }

    async fn receive(&mut self, ctx: &mut Context, message: Message) -> Result<()> {
        ctx.send(message).await
    }
}

/// What arrived: method, path, query, headers, body.
async fn echo(request: Request) -> Result<Response> {
    let (head, body) = request.into_parts();
    let body = body.bytes().await?;
    let headers: Vec<_> = head
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())))
        .collect();
    json(&serde_json::json!({
        "method": head.method.as_str(),
        "path": head.uri.path(),
        "query": head.uri.query(),
        "headers": headers,
        "body": String::from_utf8_lossy(&body),
    }))
}

async fn status(request: Request) -> Result<http::StatusCode> {
    use solent::http::RequestExt;
    Ok(http::StatusCode::from_u16(request.kwargs().get("status")?)?)
}

/// A body with a status that has none.
async fn full(request: Request) -> Result<Response> {
    use solent::http::RequestExt;
    let status = http::StatusCode::from_u16(request.kwargs().get("status")?)?;
    (status, "a body that must not be sent").into_response()
}

/// A body of unknown length.
async fn stream(_: Request) -> Response {
    let (mut sender, body) = Channel::<Bytes>::new(4);
    tokio::spawn(async move {
        for part in ["one ", "two ", "three"] {
            let _ = sender.send_data(Bytes::from(part)).await;
        }
    });
    Response::new(Body::new(body.map_err(|never| match never {})))
}

/// Answers without reading the body.
async fn ignore(_: Request) -> &'static str {
    "ignored"
}

async fn hello(_: Request) -> &'static str {
    "hello"
}

pub async fn start() -> Running {
    let views = ViewRouter::new([
        path("", hello),
        path("hello", get(hello)),
        path("echo", echo),
        path("ignore", ignore),
        path("stream", stream),
        path("status/<int:status>", status),
        path("full/<int:status>", full),
    ]);
    let sockets = UrlRouter::new([
        path("ws/", consumer::<Echo>()),
        path("ws/small/", consumer::<Echo>().max_message_size(1000)),
        path("ws/spoken/", consumer::<Echo>().subprotocols(["chat.v2", "chat.v1"])),
    ]);
    let app = ProtocolTypeRouter::new().http(views.unwrap()).websocket(sockets.unwrap());
    Server::new(app).bind("127.0.0.1:0").access_log(AccessLog::off()).start().await.unwrap()
}

/// What must come back for the bytes of a case.
#[derive(Debug, Clone, Copy)]
pub enum Expect {
    /// These statuses in this order, then the connection serves a further request.
    Open(&'static [u16]),
    /// These statuses in this order, then the end of the stream.
    Closed(&'static [u16]),
    /// One of these statuses (the RFC leaves a choice), then the end of the stream.
    Refused(&'static [u16]),
    /// One of these statuses; what becomes of the connection is the server's choice.
    OneOf(&'static [u16]),
}

pub use Expect::{Closed, OneOf, Open, Refused};

/// One row of a table: the section with the rule, the bytes, what must come back.
pub type Case = (&'static str, &'static str, Expect);

/// Puts every case to one server, each on a connection of its own.
pub async fn run(cases: &[Case]) {
    let server = start().await;
    let address = server.addresses()[0];
    let mut failed = Vec::new();
    for &(rule, bytes, expect) in cases {
        let outcome = tokio::spawn(case(address, bytes, expect)).await;
        if let Err(error) = outcome {
            failed.push(format!("{rule}\n    {bytes:?}\n    expected {expect:?}: {}", text(error)));
        }
    }
    assert!(failed.is_empty(), "{} of {} cases:\n{}", failed.len(), cases.len(), failed.join("\n"));
}

pub fn text(error: tokio::task::JoinError) -> String {
    let panic = error.into_panic();
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}

async fn case(address: SocketAddr, bytes: &str, expect: Expect) {
    let mut raw = Raw::connect(address).await;
    raw.send(bytes).await;
    let method = |at: usize| methods(bytes).get(at).copied().unwrap_or("GET");
    match expect {
        Open(statuses) => {
            answers(&mut raw, statuses, method).await;
            raw.send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n").await;
            let (head, body) = raw.answer("GET").await;
            assert_eq!((head.status, &*body), (200, "hello"), "the connection goes on");
        }
        Closed(statuses) => {
            answers(&mut raw, statuses, method).await;
            assert!(raw.ended().await, "the connection is closed");
        }
        Refused(statuses) => {
            let (head, _) = raw.answer(method(0)).await;
            assert!(statuses.contains(&head.status), "{}", head.text);
            assert!(raw.ended().await, "the connection is closed");
        }
        OneOf(statuses) => {
            let (head, _) = raw.answer(method(0)).await;
            assert!(statuses.contains(&head.status), "{}", head.text);
        }
    }
}

async fn answers<'a>(raw: &mut Raw, statuses: &[u16], method: impl Fn(usize) -> &'a str) {
    for (at, status) in statuses.iter().enumerate() {
        let (head, _) = raw.answer(method(at)).await;
        assert_eq!(head.status, *status, "answer {at}: {}", head.text);
    }
}

/// The methods of the requests in `bytes`, as far as lines tell.
fn methods(bytes: &str) -> Vec<&str> {
    bytes
        .split("\r\n")
        .filter(|line| line.contains(" HTTP/1."))
        .filter_map(|line| line.split(' ').next())
        .collect()
}
