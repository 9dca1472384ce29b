//! The server under attack, its memory, and the client that must notice nothing.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use solent::consumer::{Context, WebsocketConsumer, consumer};
use solent::http::{Request, post};
use solent::layers::{Event, GroupName, MemoryChannelLayer};
use solent::routing::{ProtocolTypeRouter, UrlRouter, ViewRouter, path};
use solent::server::{AccessLog, Running, Server};
use solent::websocket::Message;
use solent::{Limits, Result};
use tokio::sync::{Mutex, MutexGuard};

use crate::raw::Raw;

/// Messages that consumers have received, in all tests of this process.
static HEARD: AtomicUsize = AtomicUsize::new(0);

pub fn heard() -> usize {
    HEARD.load(Ordering::Relaxed)
}

/// Memory is measured for the whole process, so attacks run one at a time.
static ALONE: Mutex<()> = Mutex::const_new(());

/// Echoes; `join NAME` joins a group, and everyone is in `all`, forwarded.
struct Member;

impl WebsocketConsumer for Member {
    type Event = Value;

    async fn connect(ctx: &mut Context) -> Result<Self> {
        ctx.group_forward(&GroupName::new("all")?).await?;
        ctx.accept().await?;
        Ok(Self)
    }

    async fn receive(&mut self, ctx: &mut Context, message: Message) -> Result<()> {
        HEARD.fetch_add(1, Ordering::Relaxed);
        match message.as_text().ok().and_then(|text| text.strip_prefix("join ")) {
            Some(name) => Ok(ctx.group_add(&GroupName::new(name)?).await?),
            None => ctx.send(message).await,
        }
    }

    /// What a group that was joined tells fills mailboxes, and is no client's business.
    async fn event(&mut self, _: &mut Context, _: Event<Value>) -> Result<()> {
        Ok(())
    }
}

/// How many bytes came.
async fn upload(request: Request) -> Result<String> {
    Ok(request.into_body().bytes().await?.len().to_string())
}

pub fn application() -> ProtocolTypeRouter {
    let views = ViewRouter::new([path("upload/", post(upload))]).unwrap();
    let sockets = UrlRouter::new([path("ws/", consumer::<Member>())]).unwrap();
    ProtocolTypeRouter::new().http(views).websocket(sockets)
}

pub struct Site {
    pub running: Running,
    _alone: MutexGuard<'static, ()>,
}

impl Site {
    pub async fn with(change: impl FnOnce(&mut Limits)) -> Self {
        let alone = ALONE.lock().await;
        let mut limits = Limits::default();
        change(&mut limits);
        let server =
            Server::new(application()).bind("127.0.0.1:0").limits(limits).access_log(AccessLog::off());
        let running = server.channel_layer(MemoryChannelLayer::new()).start().await.unwrap();
        Self { running, _alone: alone }
    }

    pub fn address(&self) -> SocketAddr {
        self.running.addresses()[0]
    }

    pub async fn websocket(&self) -> Raw {
        Raw::websocket(self.address(), "/ws/").await
    }

    /// A group send to everyone.
    pub async fn tell_all(&self, text: &str) {
        self.tell(&GroupName::new("all").unwrap(), text).await;
    }

    pub async fn tell(&self, group: &GroupName, text: &str) {
        let layer = self.running.env().layers.default_handle().unwrap();
        layer.group_send(group, &json!({"type": "news", "text": text})).await.unwrap();
    }
}

/// A figure of this process, in KiB.
fn status(name: &str) -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// The most memory that this process has had since it began to be watched.
pub struct Peak {
    before: usize,
}

impl Peak {
    pub fn begin() -> Self {
        // proc(5): the peak resident set size is set to what it is now.
        std::fs::write("/proc/self/clear_refs", "5").unwrap();
        Self { before: status("VmRSS:") }
    }

    /// By how many KiB it has been more at most.
    pub fn grown(&self) -> usize {
        status("VmHWM:").saturating_sub(self.before)
    }
}

/// A well-behaved client: echoes, one after the other, while an attack runs.
pub struct Neighbour(Raw);

impl Neighbour {
    pub async fn new(site: &Site) -> Self {
        Self(site.websocket().await)
    }

    /// What was told to all comes first.
    pub async fn hears_news(&mut self) {
        assert_eq!(self.0.frame().await.json()["type"], "news");
    }

    /// A few echoes; the slowest must not take longer than a person would notice.
    pub async fn notices_nothing(&mut self) {
        for number in 0..20 {
            let start = Instant::now();
            self.0.send_text(&format!("{number}")).await;
            assert_eq!(self.0.text().await, number.to_string());
            assert!(start.elapsed() < Duration::from_secs(1), "an echo took {:?}", start.elapsed());
        }
    }
}
