//! The site under test: a few views, an echo socket, gates that tests open.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::waiting::until;
use bytes::Bytes;
use http_body_util::{BodyExt, Channel};
use solent::consumer::{Context, WebsocketConsumer, consumer};
use solent::http::{Body, Request, Response, with_state};
use solent::layers::Value;
use solent::routing::{ProtocolTypeRouter, UrlRouter, ViewRouter, path};
use solent::server::{AccessLog, Running, Server};
use solent::websocket::Message;
use solent::{Limits, Result, Scoped};
use tokio::sync::Semaphore;

/// A gate: whoever comes is counted and waits until the test opens it.
#[derive(Clone)]
pub struct Gate {
    arrived: Arc<Semaphore>,
    open: Arc<Semaphore>,
}

impl Gate {
    fn new() -> Self {
        Self { arrived: Arc::new(Semaphore::new(0)), open: Arc::new(Semaphore::new(0)) }
    }

    /// Waits until somebody stands at the gate.
    pub async fn arrival(&self) {
        let arrived = tokio::time::timeout(crate::raw::PATIENCE, self.arrived.acquire()).await;
        arrived.expect("somebody arrives").unwrap().forget();
    }

    /// Lets one through.
    pub fn open(&self) {
        self.open.add_permits(1);
    }

    async fn pass(&self) {
        self.arrived.add_permits(1);
        self.open.acquire().await.unwrap().forget();
    }
}

async fn hello(_: Request) -> &'static str {
    "hello"
}

async fn echo(request: Request) -> Result<String> {
    let body = request.into_body().bytes().await?;
    Ok(String::from_utf8_lossy(&body).into_owned())
}

async fn ignore(_: Request) -> &'static str {
    "ignored"
}

/// What the server knows of the client.
async fn client(request: Request) -> String {
    let scope = request.scope();
    let client = scope.client.map_or("unix".to_owned(), |client| client.ip().to_string());
    format!("{client} {} {}", scope.scheme, scope.request_id)
}

async fn gated(gate: Gate, _: Request) -> &'static str {
    gate.pass().await;
    "through"
}

/// A body whose second half comes when the gate is opened.
async fn halves(gate: Gate, _: Request) -> Response {
    let (mut sender, body) = Channel::<Bytes>::new(4);
    tokio::spawn(async move {
        let _ = sender.send_data(Bytes::from("first ")).await;
        gate.pass().await;
        let _ = sender.send_data(Bytes::from("second")).await;
    });
    Response::new(Body::new(body.map_err(|never| match never {})))
}

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

/// A writer that keeps what is written.
#[derive(Clone, Default)]
pub struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Lines {
    /// The lines, once there are `count` of them.
    pub async fn wait(&self, count: usize) -> Vec<String> {
        let lines = || {
            let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
            text.lines().map(str::to_owned).collect::<Vec<_>>()
        };
        until(|| lines().len() >= count).await;
        lines()
    }
}

/// The application, and the gate of its gated views.
pub fn app() -> (ProtocolTypeRouter, Gate) {
    let gate = Gate::new();
    let views = ViewRouter::new([
        path("", hello),
        path("echo", echo),
        path("ignore", ignore),
        path("client", client),
        path("gated", with_state(gate.clone(), gated)),
        path("halves", with_state(gate.clone(), halves)),
    ]);
    let sockets = UrlRouter::new([path("ws/", consumer::<Echo>())]);
    (ProtocolTypeRouter::new().http(views.unwrap()).websocket(sockets.unwrap()), gate)
}

pub struct Site {
    pub running: Running,
    pub gate: Gate,
}

impl Site {
    pub async fn start() -> Self {
        Self::with(|_| {}).await
    }

    pub async fn with(change: impl FnOnce(&mut Limits)) -> Self {
        let mut limits = Limits::default();
        change(&mut limits);
        Self::serve(|server| server.limits(limits).access_log(AccessLog::off())).await
    }

    /// A server that the test builds further.
    pub async fn serve(build: impl FnOnce(Server) -> Server) -> Self {
        let (app, gate) = app();
        let running = build(Server::new(app).bind("127.0.0.1:0")).start().await.unwrap();
        Self { running, gate }
    }

    pub fn address(&self) -> SocketAddr {
        self.running.addresses()[0]
    }
}

/// A short time: long enough for a busy machine to do what has nothing to wait for.
pub const SHORT: Duration = Duration::from_millis(150);

pub const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
