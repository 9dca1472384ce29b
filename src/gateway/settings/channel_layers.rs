//! `[channel_layers.ALIAS]`: how consumers in any process talk to each other.

use std::collections::BTreeMap;
use std::time::Duration;

use super::database::without_password;
use crate::gateway::document::{Node, Value};
use crate::gateway::problem::Problem;
use crate::gateway::reader::Reader;
use crate::gateway::secret::Secret;
use crate::gateway::section::section;
use crate::gateway::setting::{Placed, Setting, quoted};
use crate::gateway::units::ByteSize;
use crate::gateway::words::words;
use crate::layers::redis::{Host, RedisSettings};

section! {
    /// `[channel_layers.ALIAS]`.
    pub(crate) struct LayerSettings {
        /// `memory` (one process), `redis-pubsub` (any number of processes, Python's among them), or `redis`
        /// (channels_redis' older layer, whose messages wait in Redis).
        backend: Placed<Backend>,
        /// Redis hosts, as URLs (`redis://user:password@host:6379/0`, `rediss://` for TLS, `unix://path?db=0`) or as
        /// `["host", 6379]`. The same list in the same order on every side.
        hosts: Vec<HostUrl> = vec![HostUrl(Secret::new("redis://localhost:6379"))],
        /// The hosts are nodes of one Redis Cluster, each of which leads to all. For `redis-pubsub` only; Python knows no
        /// clusters.
        cluster: bool = false,
        /// The host is whichever master Sentinels name. `hosts` then has one URL, whose password, database and scheme are
        /// the master's; its address is not used.
        sentinel: Option<SentinelSettings> = None,
        /// What every key and channel in Redis begins with. Two sites on one Redis need two prefixes.
        prefix: String = "asgi".to_owned(),
        /// Messages that may wait in one channel. Too few lose bursts; too many keep memory for readers that do not
        /// come.
        capacity: usize = 100,
        /// Capacities by patterns over channels' names, such as `"thumbnails-*" = 10_000`.
        channel_capacity: BTreeMap<String, usize> = BTreeMap::new(),
        /// How long a message waits. Too short loses messages while a worker restarts.
        expiry: Duration = Duration::from_secs(60),
        /// How long a membership lives without renewal; those of open sockets are renewed.
        group_expiry: Duration = Duration::from_secs(86_400),
        /// How messages are written: `msgpack` or `json`; the same on every side.
        serializer_format: String = "msgpack".to_owned(),
        /// Keys that encrypt messages: the first encrypts, all decrypt.
        symmetric_encryption_keys: Vec<Secret> = Vec::new(),
        /// Random bytes in front of each message of `redis`, which keep equal messages apart.
        random_prefix_length: usize = 12,
        /// The largest message in Redis. A larger one is refused when sent and skipped when received.
        message_size: ByteSize = ByteSize(RedisSettings::default().message_bytes),
        /// How long connecting to Redis may take.
        connect_time: Duration = RedisSettings::default().connect_time,
        /// How long Redis may take to answer; then the connection is given up.
        response_time: Duration = RedisSettings::default().response_time,
        /// Start although Redis is away: not ready, and trying.
        start_without_layer: bool = false,
        /// While Redis is away, members of one process still reach each other, and still join. Off: sends and joins
        /// fail, so that nobody takes half a room for the whole.
        local_fallback: bool = false,
    }
}

section! {
    /// `sentinel`: Sentinels, which know the master and promote another when it fails.
    pub(crate) struct SentinelSettings {
        /// The name that they know the master by.
        master: String,
        /// Their addresses, as in `hosts`; those that answer suffice.
        hosts: Vec<HostUrl>,
    }
}

/// Which layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Backend {
    Memory,
    RedisPubSub,
    Redis,
}

words! {
    Backend { "memory" => Self::Memory, "redis-pubsub" => Self::RedisPubSub, "redis" => Self::Redis }
}

/// A Redis host's URL, which may hold a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HostUrl(pub(crate) Secret);

impl Setting for HostUrl {
    fn expected() -> String {
        "\"redis://host:6379/0\", \"rediss://…\", \"unix://path\" or [\"host\", 6379]".to_owned()
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let url = match &node.value {
            Value::Array(items) => match items.as_slice() {
                [host, port] => {
                    let (host, port) = (String::read(host, reader)?, u16::read(port, reader)?);
                    Secret::new(format!("redis://{host}:{port}"))
                }
                _ => return reader.wrong(node, &Self::expected()),
            },
            _ => Secret::read(node, reader)?,
        };
        if Host::parse(url.expose()).is_err() {
            let problem = Problem::new(node.span.clone(), "this is not a Redis host");
            return reader.report(problem.expecting(Self::expected()));
        }
        Some(Self(url))
    }

    fn show(&self) -> Option<String> {
        Some(quoted(&without_password(self.0.expose())))
    }
}
