//! What a server writes into a header because a client said it: no line's end gets through, in whatever disguise.

use solent::consumer::{Context, WebsocketConsumer, consumer};
use solent::http::{Request, Response, redirect};
use solent::layers::Value;
use solent::middleware::SetCookie;
use solent::routing::{ProtocolTypeRouter, UrlRouter, ViewRouter, path};
use solent::server::{AccessLog, Running, Server};
use solent::websocket::Acceptance;
use solent::{Result, Scoped};

use crate::raw::{Raw, handshake};

/// The query, decoded once, as a view would take a `?next=`.
fn said(request: &Request) -> String {
    percent_encoding::percent_decode_str(&request.scope().query_string).decode_utf8_lossy().into_owned()
}

async fn leads_on(request: Request) -> Result<Response> {
    Ok(redirect(&said(&request))?)
}

async fn sets_cookie(request: Request) -> Result<Response> {
    let mut response = Response::default();
    let cookie = SetCookie::new("said", said(&request)).header(std::time::SystemTime::now())?;
    response.headers_mut().insert("set-cookie", cookie);
    Ok(response)
}

async fn nothing(_: Request) -> &'static str {
    "nothing"
}

/// Accepts with whatever subprotocol the query names.
struct Speaks;

impl WebsocketConsumer for Speaks {
    type Event = Value;

    async fn connect(ctx: &mut Context) -> Result<Self> {
        let wanted = percent_encoding::percent_decode_str(&ctx.scope().query_string);
        let mut acceptance = Acceptance::default();
        acceptance.subprotocol = Some(wanted.decode_utf8_lossy().into_owned());
        ctx.accept_with(acceptance).await?;
        Ok(Self)
    }
}

async fn start() -> Running {
    let views = ViewRouter::new([
        path("on/", leads_on),
        path("cookie/", sets_cookie),
        path("slash/<path:rest>/", nothing),
    ]);
    let sockets = UrlRouter::new([path("ws/", consumer::<Speaks>())]);
    let app = ProtocolTypeRouter::new().http(views.unwrap()).websocket(sockets.unwrap());
    Server::new(app).bind("127.0.0.1:0").access_log(AccessLog::off()).start().await.unwrap()
}

#[rustfmt::skip]
const REQUESTS: &[&str] = &[
    "GET /on/?/a%0d%0aEvil:%201 HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /on/?/a%0aEvil:%201 HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /on/?/a%0dEvil:%201 HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /on/?/a%00Evil:%201 HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /on/?/a%0d%0a%0d%0aevil HTTP/1.1\r\nHost: a\r\n\r\n",
    // What some servers cut down to the lower byte: U+560D, U+560A.
    "GET /on/?/a%e5%98%8d%e5%98%8aEvil:%201 HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /on/?/a%c2%85Evil:%201 HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /on/?/a%e2%80%a8Evil:%201 HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /cookie/?a%0d%0aEvil:%201 HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /cookie/?a%0aEvil:%201 HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /cookie/?a;%20Domain=evil.example HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /slash/a%0d%0aEvil:%201 HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /slash/a?b%0d%0aEvil:%201 HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /no/a%0d%0aEvil:%201 HTTP/1.1\r\nHost: a\r\n\r\n",
];

#[tokio::test]
async fn no_line_of_a_clients_own_gets_into_an_answer() {
    let server = start().await;
    let sockets = ["ws/?a%0d%0aEvil:%201", "ws/?a%0aEvil", "ws/?%00", "ws/?a,%20b"];
    let sockets = sockets.map(|path| handshake(&format!("/{path}"), "Sec-WebSocket-Protocol: a, b\r\n"));
    for request in REQUESTS.iter().copied().chain(sockets.iter().map(String::as_str)) {
        let mut raw = Raw::connect(server.addresses()[0]).await;
        raw.send(request).await;
        let head = raw.head().await;
        assert!(head.header("evil").is_none(), "{request:?}: {}", head.text);
        let is_clean = |byte: u8| matches!(byte, b'\t' | b' '..=b'~');
        for line in head.text.split("\r\n") {
            assert!(line.bytes().all(is_clean), "{request:?}: {line:?}");
        }
        let cookie = head.header("set-cookie").unwrap_or_default();
        assert!(!cookie.split(';').skip(1).any(|part| part.trim().starts_with("Domain")), "{cookie}");
        // A subprotocol that was not on offer is the program's mistake; nothing else is anybody's.
        assert!(head.status < 500 || request.contains("/ws/"), "{request:?}: {}", head.text);
    }
}
