//! What the log says of errors and panics: the route, the path, and the whole chain of causes.

use std::io::Write;
use std::sync::{Arc, Mutex};

use solent::Result;
use solent::consumer::{Context, WebsocketConsumer, blocking, consumer};
use solent::layers::Value;
use solent::routing::{UrlRouter, re_path};
use solent::websocket::Message;
use tracing::subscriber::DefaultGuard;

use crate::raw::{Raw, handshake};
use crate::room::Served;
use crate::waiting::until;

#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    /// Keeps what this test's thread logs, which its runtime's tasks share.
    pub fn keep() -> (Self, DefaultGuard) {
        let log = Self::default();
        let writer = log.clone();
        let subscriber =
            tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
        (log, tracing::subscriber::set_default(subscriber))
    }

    /// How many lines hold `part`.
    pub fn count(&self, part: &str) -> usize {
        let log = self.0.lock().unwrap();
        String::from_utf8_lossy(&log).lines().filter(|line| line.contains(part)).count()
    }

    /// The line that holds `part`, once it is there.
    pub async fn line(&self, part: &str) -> String {
        let text = || String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        let find = || text().lines().find(|line| line.contains(part)).map(ToOwned::to_owned);
        until(|| find().is_some()).await;
        find().unwrap_or_default()
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the lesson cannot be stored")]
struct Outer(#[from] Inner);

#[derive(Debug, thiserror::Error)]
#[error("the disk is full")]
struct Inner;

fn fail(text: &str) -> Result<()> {
    assert!(text != "panic", "a panic on request");
    Err(Outer(Inner).into())
}

struct Fails;

impl WebsocketConsumer for Fails {
    type Event = Value;

    async fn connect(ctx: &mut Context) -> Result<Self> {
        if ctx.scope().query_string.is_empty() {
            ctx.accept().await?;
        } else {
            fail(&ctx.scope().query_string)?;
        }
        Ok(Self)
    }

    async fn receive(&mut self, _: &mut Context, message: Message) -> Result<()> {
        fail(message.as_text()?)
    }
}

impl blocking::WebsocketConsumer for Fails {
    type Event = Value;

    fn connect(ctx: &mut blocking::Context) -> Result<Self> {
        if ctx.scope().query_string.is_empty() {
            ctx.accept()?;
        } else {
            fail(&ctx.scope().query_string)?;
        }
        Ok(Self)
    }

    fn receive(&mut self, _: &mut blocking::Context, message: Message) -> Result<()> {
        fail(message.as_text()?)
    }
}

async fn site() -> Served {
    let sockets = UrlRouter::new([
        re_path(r"^async/(?P<id>\d+)/$", consumer::<Fails>()),
        re_path(r"^blocking/(?P<id>\d+)/$", blocking::consumer::<Fails>()),
    ]);
    Served::start(sockets.unwrap(), |_| {}).await
}

/// Route, path and cause of one entry.
fn check(line: &str, kind: &str, cause: &str) {
    assert!(line.contains(" ERROR "), "{line}");
    assert!(line.contains(&format!(r"route=^{kind}/(?P<id>\d+)/$")), "{line}");
    assert!(line.contains(&format!("path=/{kind}/7/")), "{line}");
    assert!(line.contains(cause), "{line}");
}

#[tokio::test]
async fn an_error_of_a_handler_is_logged_with_route_path_and_chain() {
    let (log, _guard) = Log::keep();
    let site = site().await;
    for kind in ["async", "blocking"] {
        let mut raw = Raw::websocket(site.address(), &format!("/{kind}/7/")).await;
        raw.send_text("fail").await;
        assert_eq!(raw.frame().await.close_code(), 1011);
        let line = log.line(&format!("path=/{kind}/7/")).await;
        check(&line, kind, "error=the lesson cannot be stored: the disk is full");
    }
}

#[tokio::test]
async fn a_panic_of_a_handler_is_logged_with_route_path_and_text() {
    let (log, _guard) = Log::keep();
    let site = site().await;
    for kind in ["async", "blocking"] {
        let mut raw = Raw::websocket(site.address(), &format!("/{kind}/7/")).await;
        raw.send_text("panic").await;
        assert_eq!(raw.frame().await.close_code(), 1011);
        check(&log.line(&format!("path=/{kind}/7/")).await, kind, "a panic on request");
    }
}

#[tokio::test]
async fn an_error_or_a_panic_in_connect_is_500_and_logged_the_same_way() {
    for (query, cause) in
        [("fail", "the lesson cannot be stored: the disk is full"), ("panic", "a panic on request")]
    {
        let (log, _guard) = Log::keep();
        let site = site().await;
        for kind in ["async", "blocking"] {
            let mut raw = Raw::connect(site.address()).await;
            raw.send(handshake(&format!("/{kind}/7/?{query}"), "")).await;
            assert_eq!(raw.head().await.status, 500);
            check(&log.line(&format!("path=/{kind}/7/")).await, kind, cause);
        }
    }
}
