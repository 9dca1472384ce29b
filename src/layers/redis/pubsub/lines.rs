//! The line to Redis that subscriptions are held on: a connection to one server, or connections to a cluster's nodes.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::try_join_all;
use redis::aio::{PubSubSink, PubSubStream};
use redis::cluster_async::ClusterConnection;
use redis::cluster_routing::{MultipleNodeRoutingInfo, RoutingInfo};
use redis::{PushInfo, PushKind, RedisResult, Value};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::local::Local;
use super::names::Subscription;
use crate::layers::locks::lock;
use crate::layers::redis::Host;

/// Subscribes and unsubscribes.
pub(super) enum Line {
    Single(PubSubSink),
    Cluster(ClusterConnection),
}

/// Delivers what comes, once it is started.
pub(super) enum Reader {
    Waiting(PubSubStream),
    Task(Reading),
    /// A cluster's connections deliver by themselves.
    Pushed(Arc<Pushed>),
}

/// The reading task, which ends with its reader.
pub(super) struct Reading(JoinHandle<()>);

impl Drop for Reading {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What a reader tells beside delivering.
pub(super) enum Told {
    /// A connection has ended.
    Ended,
    /// A node has given these channels up, because their slots are another's now.
    Moved(Vec<String>),
}

/// What a cluster's connections push.
pub(super) struct Pushed {
    state: Mutex<State>,
    lost: AtomicBool,
    told: Notify,
}

struct State {
    /// What came before the start, or while there are channels to follow, in order; none while it is delivered at once.
    early: Option<Vec<PushInfo>>,
    moved: Vec<String>,
}

/// A line to a host, with a reader to be started.
pub(super) async fn connect(
    host: &Host,
    local: &Arc<Local>,
    time: Duration,
) -> Result<(Line, Reader), String> {
    if host.is_cluster() {
        let pushed = Arc::new(Pushed {
            state: Mutex::new(State { early: Some(Vec::new()), moved: Vec::new() }),
            lost: AtomicBool::new(false),
            told: Notify::new(),
        });
        let (local, taker) = (local.clone(), pushed.clone());
        let push = move |push: PushInfo| {
            taker.take(&local, push);
            Ok::<_, std::convert::Infallible>(())
        };
        let connection = host.cluster_subscriber(time, push).await?;
        return Ok((Line::Cluster(connection), Reader::Pushed(pushed)));
    }
    let (sink, stream) = host.subscriber(time).await?.split();
    Ok((Line::Single(sink), Reader::Waiting(stream)))
}

impl Line {
    /// Subscribes to channels; done when it is confirmed. In a cluster a group's channel lives on one node alone.
    pub(super) async fn subscribe(&mut self, local: &Local, names: Vec<&str>) -> RedisResult<()> {
        match self {
            Self::Single(sink) => sink.subscribe(names).await,
            Self::Cluster(connection) => {
                // A command takes channels of one slot only.
                let each = names.into_iter().map(|name| {
                    let mut connection = connection.clone();
                    async move {
                        match local.names.group_of(name) {
                            Some(_) => connection.ssubscribe(name).await,
                            None => connection.subscribe(name).await,
                        }
                    }
                });
                try_join_all(each).await.map(drop)
            }
        }
    }

    pub(super) async fn psubscribe(&mut self, pattern: &str) -> RedisResult<()> {
        match self {
            Self::Single(sink) => sink.psubscribe(pattern).await,
            Self::Cluster(connection) => connection.psubscribe(pattern).await,
        }
    }

    pub(super) async fn unsubscribe(&mut self, local: &Local, names: Vec<&str>) -> RedisResult<()> {
        match self {
            Self::Single(sink) => sink.unsubscribe(names).await,
            Self::Cluster(connection) => {
                let each = names.into_iter().map(|name| {
                    let mut connection = connection.clone();
                    async move {
                        match local.names.group_of(name) {
                            Some(_) => connection.sunsubscribe(name).await,
                            None => connection.unsubscribe(name).await,
                        }
                    }
                });
                try_join_all(each).await.map(drop)
            }
        }
    }

    /// Finds out whether Redis is still there: every node, of a cluster.
    pub(super) async fn ping(&mut self) -> RedisResult<()> {
        match self {
            Self::Single(sink) => sink.ping::<Value>().await.map(drop),
            Self::Cluster(connection) => {
                let everywhere = RoutingInfo::MultiNode((MultipleNodeRoutingInfo::AllMasters, None));
                connection.route_command(redis::cmd("PING"), everywhere).await.map(drop)
            }
        }
    }
}

impl Reader {
    /// Begins to deliver, with what came before.
    pub(super) fn start(self, local: &Arc<Local>) -> Self {
        match self {
            Self::Waiting(stream) => Self::Task(Reading(tokio::spawn(read(local.clone(), stream)))),
            Self::Pushed(pushed) => {
                pushed.resume(local);
                Self::Pushed(pushed)
            }
            started @ Self::Task(_) => started,
        }
    }

    /// Goes on to deliver after channels have moved, were followed, and their members were told.
    pub(super) fn resume(&self, local: &Local) {
        if let Self::Pushed(pushed) = self {
            pushed.resume(local);
        }
    }

    /// Waits until there is something to tell. Cancel safe.
    pub(super) async fn told(&mut self) -> Told {
        match self {
            Self::Waiting(_) => std::future::pending().await,
            Self::Task(task) => {
                let _ = (&mut task.0).await;
                Told::Ended
            }
            Self::Pushed(pushed) => loop {
                if pushed.lost.load(Relaxed) {
                    return Told::Ended;
                }
                let moved = std::mem::take(&mut lock(&pushed.state).moved);
                if !moved.is_empty() {
                    return Told::Moved(moved);
                }
                pushed.told.notified().await;
            },
        }
    }
}

/// Delivers everything that comes until the connection ends. Nothing here waits: a slow member costs its own mailbox.
async fn read(local: Arc<Local>, mut stream: PubSubStream) {
    while let Some(message) = stream.next().await {
        local.deliver(message.get_channel_name(), message.from_pattern(), message.get_payload_bytes());
    }
}

impl Pushed {
    /// Takes what one node pushes. It runs in the connection's own task, and waits for nothing.
    fn take(&self, local: &Local, push: PushInfo) {
        match (&push.kind, push.data.first().and_then(text)) {
            (PushKind::Disconnection, _) => {
                self.lost.store(true, Relaxed);
                self.told.notify_one();
            }
            (PushKind::SUnsubscribe, Some(channel)) => {
                // What was given up on purpose has nobody who wants it.
                if local.is_wanted(&Subscription::Channel(channel.to_owned())) {
                    let mut state = lock(&self.state);
                    state.moved.push(channel.to_owned());
                    // What comes on the new subscription comes after the word of what was missed before it.
                    state.early.get_or_insert_default();
                    drop(state);
                    self.told.notify_one();
                }
            }
            _ => match &mut lock(&self.state).early {
                Some(early) => early.push(push),
                None => deliver(local, &push),
            },
        }
    }

    /// Delivers what came before, and from now on at once, unless more channels have moved.
    fn resume(&self, local: &Local) {
        let mut state = lock(&self.state);
        if state.moved.is_empty() {
            state.early.take().into_iter().flatten().for_each(|push| deliver(local, &push));
        }
    }
}

fn deliver(local: &Local, push: &PushInfo) {
    let (own, found) = match (&push.kind, push.data.as_slice()) {
        (PushKind::Message | PushKind::SMessage, [channel, payload]) => (false, Some((channel, payload))),
        (PushKind::PMessage, [_, channel, payload]) => (true, Some((channel, payload))),
        _ => (false, None),
    };
    if let Some((channel, Value::BulkString(payload))) = found
        && let Some(channel) = text(channel)
    {
        local.deliver(channel, own, payload);
    }
}

fn text(value: &Value) -> Option<&str> {
    match value {
        Value::BulkString(bytes) => std::str::from_utf8(bytes).ok(),
        Value::SimpleString(text) => Some(text),
        _ => None,
    }
}
