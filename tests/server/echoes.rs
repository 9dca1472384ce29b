//! What a client sends and an answer repeats: no value can end its line and begin another.

use std::time::SystemTime;

use http::header::SET_COOKIE;
use http::{HeaderName, HeaderValue};
use solent::Result;
use solent::consumer::{Context, WebsocketConsumer, consumer};
use solent::http::{IntoResponse, Request, RequestExt, Response, redirect};
use solent::layers::Value;
use solent::middleware::SetCookie;
use solent::routing::{ProtocolTypeRouter, UrlRouter, ViewRouter, re_path};
use solent::server::{AccessLog, Running, Server};
use solent::websocket::Acceptance;

use crate::raw::{Raw, handshake};

fn told(request: &Request) -> String {
    request.kwargs().text("text").unwrap_or_default().to_owned()
}

async fn leads_on(request: Request) -> Result<Response> {
    Ok(redirect(&told(&request))?)
}

async fn cookie(request: Request) -> Result<Response> {
    let mut response = "remembered".into_response()?;
    response.headers_mut().insert(SET_COOKIE, SetCookie::new("c", told(&request)).header(SystemTime::now())?);
    Ok(response)
}

async fn field(request: Request) -> Result<Response> {
    let mut response = "repeated".into_response()?;
    response.headers_mut().insert(HeaderName::from_static("x-told"), HeaderValue::try_from(told(&request))?);
    Ok(response)
}

/// Accepts with the subprotocol that its path names.
struct Speaks;

impl WebsocketConsumer for Speaks {
    type Event = Value;

    async fn connect(ctx: &mut Context) -> Result<Self> {
        let name = ctx.url_route().kwargs.text("text").unwrap_or_default().to_owned();
        let mut acceptance = Acceptance::default();
        acceptance.subprotocol = Some(name);
        ctx.accept_with(acceptance).await?;
        Ok(Self)
    }
}

async fn start() -> Running {
    let views = ViewRouter::new([
        re_path("(?s)^redirect/(?P<text>.*)$", leads_on),
        re_path("(?s)^cookie/(?P<text>.*)$", cookie),
        re_path("(?s)^field/(?P<text>.*)$", field),
    ]);
    let sockets = UrlRouter::new([re_path("(?s)^ws/(?P<text>.*)$", consumer::<Speaks>())]);
    let app = ProtocolTypeRouter::new().http(views.unwrap()).websocket(sockets.unwrap());
    Server::new(app).bind("127.0.0.1:0").access_log(AccessLog::off()).start().await.unwrap()
}

const BREAKS: [&str; 5] =
    ["%0d%0aX-Evil:%20yes", "%0aX-Evil:%20yes", "%0dX-Evil:%20yes", "a%0d%0a%0d%0a%3Cb%3E", "%0b%0cX"];

#[tokio::test]
async fn no_answer_has_a_line_that_a_client_made() {
    let server = start().await;
    for place in ["redirect", "cookie", "field"] {
        for text in BREAKS {
            let mut raw = Raw::connect(server.addresses()[0]).await;
            raw.send(format!("GET /{place}/{text} HTTP/1.1\r\nHost: a\r\n\r\n")).await;
            let (head, _) = raw.answer("GET").await;
            assert!(matches!(head.status, 200 | 302 | 400 | 500), "{place}/{text}: {}", head.text);
            assert_eq!(head.header("x-evil"), None, "{place}/{text}");
            let lines = head.text.trim_end().split("\r\n");
            assert!(lines.clone().all(|line| !line.contains(['\r', '\n'])), "{place}/{text}: {}", head.text);
            // The connection is in step: the next answer is the next request's.
            raw.send("GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n").await;
            assert_eq!(raw.answer("GET").await.0.status, 404, "{place}/{text}");
        }
    }
}

#[tokio::test]
async fn no_subprotocol_ends_its_line() {
    let server = start().await;
    for text in BREAKS {
        let mut raw = Raw::connect(server.addresses()[0]).await;
        raw.send(handshake(&format!("/ws/{text}"), "Sec-WebSocket-Protocol: a\r\n")).await;
        let head = raw.head().await;
        assert_eq!((head.status, head.header("x-evil")), (500, None), "{text}: {}", head.text);
    }
}

#[tokio::test]
async fn what_stands_behind_a_refused_upgrade_is_never_a_request() {
    let server = start().await;
    let mut raw = Raw::connect(server.addresses()[0]).await;
    let next = "GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n";
    raw.send(handshake("/nowhere/", "") + next).await;
    let (head, _) = raw.response().await;
    assert_eq!((head.status, head.header("connection")), (404, Some("close")));
    assert!(raw.ended().await, "one answer, and the end");
}
