//! The consumers under test and the server that runs them.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use crate::waiting::until;
use solent::consumer::{Context, OnError, WebsocketConsumer, blocking, consumer, consumer_with_state};
use solent::layers::{Event, GroupName, LayerHandle, MemoryChannelLayer, Overflow, Value};
use solent::routing::{ProtocolTypeRouter, UrlRouter, path, re_path};
use solent::server::{AccessLog, Running, Server, Tls};
use solent::websocket::{Acceptance, CloseFrame, Denial, Message};
use solent::{ClientError, Limits, Result};
use tokio::sync::Notify;

/// What consumers have noted, in order, and what some of them wait for.
#[derive(Clone, Default)]
pub struct Notes {
    list: Arc<Mutex<Vec<String>>>,
    pub go_on: Arc<Notify>,
}

impl Notes {
    pub fn add(&self, note: impl Into<String>) {
        self.list.lock().unwrap().push(note.into());
    }

    pub fn all(&self) -> Vec<String> {
        self.list.lock().unwrap().clone()
    }

    /// Waits until `count` notes are there.
    pub async fn wait(&self, count: usize) -> Vec<String> {
        until(|| self.all().len() >= count).await;
        self.all()
    }
}

/// A writer that keeps its lines.
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
    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

/// So many long messages that no buffer between server and client holds them all.
pub const MANY: usize = 400;

/// Echoes; some texts are commands.
pub struct Echo {
    notes: Notes,
}

impl WebsocketConsumer<Notes> for Echo {
    type Event = Value;

    async fn connect(ctx: &mut Context<Notes>) -> Result<Self> {
        let notes = ctx.state().clone();
        ctx.accept().await?;
        Ok(Self { notes })
    }

    async fn receive(&mut self, ctx: &mut Context<Notes>, message: Message) -> Result<()> {
        match message.as_text() {
            Ok("panic") => panic!("asked to panic"),
            Ok("fail") => Err(solent::Error::msg("asked to fail")),
            Ok("mistake") => Err(ClientError::new("mistake", "you made one").into()),
            Ok("close") => {
                ctx.close(CloseFrame::new(4000, "as you wish"));
                Ok(())
            }
            Ok("hang") => {
                self.notes.add("hanging");
                std::future::pending().await
            }
            Ok("many") => {
                for number in 0..MANY {
                    ctx.send(format!("{number:<60000}")).await?;
                    self.notes.add("sent");
                }
                Ok(())
            }
            Ok("wait") => {
                self.notes.add("waiting");
                self.notes.go_on.notified().await;
                ctx.send("waited").await
            }
            Ok("join") => {
                ctx.group_add(&GroupName::new("echoes")?).await?;
                ctx.send("joined").await
            }
            Ok("json") => message.json::<Value>().map(drop).map_err(Into::into),
            _ => ctx.send(message).await,
        }
    }

    async fn event(&mut self, ctx: &mut Context<Notes>, _: Event<Value>) -> Result<()> {
        ctx.send("event").await
    }

    async fn disconnect(&mut self, _: &mut Context<Notes>, close: CloseFrame) {
        self.notes.add(format!("disconnect {close}"));
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.notes.add("drop");
    }
}

/// The same, blocking.
pub struct BlockingEcho {
    notes: Notes,
}

impl blocking::WebsocketConsumer<Notes> for BlockingEcho {
    type Event = Value;

    fn connect(ctx: &mut blocking::Context<Notes>) -> Result<Self> {
        let notes = ctx.state().clone();
        ctx.accept()?;
        Ok(Self { notes })
    }

    fn receive(&mut self, ctx: &mut blocking::Context<Notes>, message: Message) -> Result<()> {
        match message.as_text() {
            Ok("panic") => panic!("asked to panic"),
            Ok("fail") => Err(solent::Error::msg("asked to fail")),
            Ok("mistake") => Err(ClientError::new("mistake", "you made one").into()),
            Ok("close") => {
                ctx.close(CloseFrame::new(4000, "as you wish"));
                Ok(())
            }
            _ => ctx.send(message),
        }
    }

    fn disconnect(&mut self, _: &mut blocking::Context<Notes>, close: CloseFrame) {
        self.notes.add(format!("disconnect {close}"));
    }
}

impl Drop for BlockingEcho {
    fn drop(&mut self) {
        self.notes.add("drop");
    }
}

/// What a consumer holds whose handshake is never answered.
struct NotesItsDrop(Notes);

impl Drop for NotesItsDrop {
    fn drop(&mut self) {
        self.0.add("dropped");
    }
}

/// Where [`Connects`] is, async and blocking.
pub const CONNECTS: [&str; 2] = ["/ws/connect", "/ws/blocking/connect"];

/// Does in `connect` what its route says.
pub struct Connects;

impl WebsocketConsumer<Notes> for Connects {
    type Event = Value;

    async fn connect(ctx: &mut Context<Notes>) -> Result<Self> {
        match ctx.url_route().kwargs.text("what").unwrap_or_default() {
            "deny" => ctx.deny(Denial::forbidden("test")),
            "teapot" => ctx.deny(teapot()),
            "close" => {
                ctx.close(CloseFrame::new(4000, ""));
                Ok(Self)
            }
            "fail" => Err(solent::Error::msg("asked to fail")),
            "panic" => panic!("asked to panic"),
            "never" => {
                let _noted = NotesItsDrop(ctx.state().clone());
                std::future::pending().await
            }
            "undecided" => Ok(Self),
            "number" => {
                ctx.url_route().get::<i64>("what")?;
                Ok(Self)
            }
            "accept-fail" => {
                ctx.accept().await?;
                Err(solent::Error::msg("asked to fail"))
            }
            "accept-panic" => {
                ctx.accept().await?;
                panic!("asked to panic")
            }
            "accept-close" => {
                ctx.accept().await?;
                ctx.close(CloseFrame::new(4000, "at once"));
                Ok(Self)
            }
            "send-early" => {
                let refused = ctx.send("too early").await.unwrap_err();
                ctx.state().add(refused.to_string());
                ctx.accept().await?;
                Ok(Self)
            }
            "subprotocol" => {
                ctx.accept_with(second_version()).await?;
                Ok(Self)
            }
            "push" => {
                ctx.accept().await?;
                for number in 0..3 {
                    ctx.send(format!("{number}")).await?;
                }
                Ok(Self)
            }
            other => Err(solent::Error::msg(format!("no such case: {other}"))),
        }
    }

    async fn disconnect(&mut self, ctx: &mut Context<Notes>, close: CloseFrame) {
        ctx.state().add(format!("disconnect {close}"));
    }
}

/// The same, blocking.
impl blocking::WebsocketConsumer<Notes> for Connects {
    type Event = Value;

    fn connect(ctx: &mut blocking::Context<Notes>) -> Result<Self> {
        match ctx.url_route().kwargs.text("what").unwrap_or_default() {
            "deny" => return ctx.deny(Denial::forbidden("test")),
            "teapot" => return ctx.deny(teapot()),
            "close" => ctx.close(CloseFrame::new(4000, "")),
            "fail" => return Err(solent::Error::msg("asked to fail")),
            "panic" => panic!("asked to panic"),
            "undecided" => {}
            "number" => drop(ctx.url_route().get::<i64>("what")?),
            "accept-fail" => {
                ctx.accept()?;
                return Err(solent::Error::msg("asked to fail"));
            }
            "accept-panic" => {
                ctx.accept()?;
                panic!("asked to panic")
            }
            "accept-close" => {
                ctx.accept()?;
                ctx.close(CloseFrame::new(4000, "at once"));
            }
            "send-early" => {
                let refused = ctx.send("too early").unwrap_err();
                ctx.state().add(refused.to_string());
                ctx.accept()?;
            }
            "subprotocol" => ctx.accept_with(second_version())?,
            "push" => {
                ctx.accept()?;
                for number in 0..3 {
                    ctx.send(format!("{number}"))?;
                }
            }
            other => return Err(solent::Error::msg(format!("no such case: {other}"))),
        }
        Ok(Self)
    }

    fn disconnect(&mut self, ctx: &mut blocking::Context<Notes>, close: CloseFrame) {
        ctx.state().add(format!("disconnect {close}"));
    }
}

fn teapot() -> Denial {
    let denial = Denial::new(http::StatusCode::IM_A_TEAPOT, "test", "short and stout");
    denial.with_header(http::header::RETRY_AFTER, http::HeaderValue::from_static("7"))
}

fn second_version() -> Acceptance {
    let mut acceptance = Acceptance::default();
    acceptance.subprotocol = Some("chat.v2".to_owned());
    acceptance.headers.insert("x-room", http::HeaderValue::from_static("1"));
    acceptance
}

/// A running server with its notes and log lines.
pub struct Site {
    pub running: Running,
    pub notes: Notes,
    pub lines: Lines,
}

impl Site {
    pub async fn start() -> Self {
        Self::with(|_| {}).await
    }

    pub async fn with(change: impl FnOnce(&mut Limits)) -> Self {
        Self::listening(|server| server.bind("127.0.0.1:0"), change).await
    }

    pub async fn with_tls(tls: Tls, change: impl FnOnce(&mut Limits)) -> Self {
        Self::listening(|server| server.bind_tls("127.0.0.1:0", tls), change).await
    }

    async fn listening(bind: impl FnOnce(Server) -> Server, change: impl FnOnce(&mut Limits)) -> Self {
        let (notes, lines) = (Notes::default(), Lines::default());
        let sockets = UrlRouter::new([
            path("ws/echo/", consumer_with_state::<Echo, _>(notes.clone())),
            path("ws/strict/", consumer_with_state::<Echo, _>(notes.clone()).on_error(OnError::Close)),
            path("ws/small/", consumer_with_state::<Echo, _>(notes.clone()).max_message_size(16)),
            path("ws/quick/", consumer_with_state::<Echo, _>(notes.clone()).overflow(Overflow::Close)),
            path("ws/blocking/", blocking::consumer_with_state::<BlockingEcho, _>(notes.clone())),
            path("ws/spoken/", consumer_with_state::<Echo, _>(notes.clone()).subprotocols(["b", "a"])),
            re_path(r"^ws/connect/(?P<what>[a-z-]+)/$", consumer_with_state::<Connects, _>(notes.clone())),
            re_path(
                r"^ws/blocking/connect/(?P<what>[a-z-]+)/$",
                blocking::consumer_with_state::<Connects, _>(notes.clone()),
            ),
        ]);
        let app = ProtocolTypeRouter::new().websocket(sockets.unwrap());
        let mut limits = Limits::default();
        change(&mut limits);
        let server = bind(Server::new(app)).limits(limits).channel_layer(MemoryChannelLayer::new());
        let running = server.access_log(AccessLog::text_to(lines.clone())).start().await.unwrap();
        Self { running, notes, lines }
    }

    pub fn address(&self) -> SocketAddr {
        self.running.addresses()[0]
    }

    /// The channel layer, to send to sockets from elsewhere.
    pub fn layer(&self) -> LayerHandle {
        self.running.env().layers.default_handle().unwrap()
    }
}

/// A consumer without state mounts without one.
#[allow(dead_code)]
struct Plain;

impl WebsocketConsumer for Plain {
    type Event = Value;

    async fn connect(ctx: &mut Context) -> Result<Self> {
        ctx.accept().await?;
        Ok(Self)
    }
}

#[test]
fn a_consumer_without_state_mounts_without_one() {
    let _ = consumer::<Plain>();
}
