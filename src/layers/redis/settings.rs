//! [`RedisSettings`]: what both Redis layers are told.

use std::time::Duration;

use super::Host;
use super::format::{Codec, Fernet, Serializers};
use crate::layers::{Capacities, LayerError};

/// Settings of a Redis layer. Names and defaults are channels_redis'.
///
/// ```
/// use solent::layers::redis::{Host, RedisPubSubChannelLayer, RedisSettings};
///
/// let mut settings = RedisSettings::default();
/// settings.hosts = vec![Host::parse("redis://127.0.0.1:6379/0")?];
/// let layer = RedisPubSubChannelLayer::new(settings)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RedisSettings {
    /// The hosts, over which names are spread; the same list in the same order on every side. `redis://localhost:6379`.
    pub hosts: Vec<Host>,
    /// What every key and channel begins with. `asgi`. Two sites on one Redis need two prefixes.
    pub prefix: String,
    /// How messages are written: `msgpack` (default), `json`, or one of `serializers`.
    pub serializer_format: String,
    /// The serializers that `serializer_format` may name.
    pub serializers: Serializers,
    /// Keys that encrypt messages: the first encrypts, all decrypt. None: not encrypted.
    pub symmetric_encryption_keys: Vec<String>,
    /// The largest message, in bytes. 16 MiB; a larger one is refused when sent and skipped when received.
    pub message_bytes: usize,
    /// core: how long a message waits. 60 s, whole seconds. Too short loses messages while a worker restarts.
    pub expiry: Duration,
    /// core: how long a membership lives without renewal. A day; live ones are renewed. Too short and a pause of the
    /// process costs memberships, too long and those of crashed processes cost sends.
    pub group_expiry: Duration,
    /// core: messages that may wait in one channel or in one process's inbox, by pattern. 100.
    pub capacity: Capacities,
    /// core: random bytes in front of each message, which keep equal messages apart. 12.
    pub random_prefix_length: usize,
    /// A connection's set-up. 5 s.
    pub connect_time: Duration,
    /// Redis's answer to a command; then the connection is given up. 3 s. Too short gives up while Redis saves a large
    /// database, too long notices a dead one late.
    pub response_time: Duration,
    /// Start although Redis is away: not ready, and trying. Off: starting fails.
    pub start_without_layer: bool,
    /// While Redis is away, members of one process still reach each other, and still join. Off: sends and joins fail,
    /// so that nobody takes half a room for the whole.
    pub local_fallback: bool,
}

impl Default for RedisSettings {
    fn default() -> Self {
        Self {
            hosts: vec![Host::default()],
            prefix: "asgi".to_owned(),
            serializer_format: "msgpack".to_owned(),
            serializers: Serializers::default(),
            symmetric_encryption_keys: Vec::new(),
            message_bytes: 16 << 20,
            expiry: Duration::from_secs(60),
            group_expiry: Duration::from_secs(86_400),
            capacity: Capacities::default(),
            random_prefix_length: 12,
            connect_time: Duration::from_secs(5),
            response_time: Duration::from_secs(3),
            start_without_layer: false,
            local_fallback: false,
        }
    }
}

impl RedisSettings {
    /// The settings for one host.
    pub fn of(host: Host) -> Self {
        Self { hosts: vec![host], ..Self::default() }
    }

    /// The codec without prefix. Encrypted messages older than `max_age` are refused.
    pub(super) fn codec(&self, max_age: Option<Duration>) -> Result<Codec, LayerError> {
        let serializer = self.serializers.get(&self.serializer_format);
        let serializer = serializer.map_err(|error| setting("serializer_format", error))?;
        let fernet = match self.symmetric_encryption_keys.as_slice() {
            [] => None,
            keys => Some(Fernet::new(keys).map_err(|error| setting("symmetric_encryption_keys", error))?),
        };
        Ok(Codec::new(serializer).encrypted(fernet, max_age).max_bytes(self.message_bytes))
    }

    pub(super) fn check(&self) -> Result<(), LayerError> {
        if self.hosts.is_empty() {
            return Err(setting("hosts", "expected at least one"));
        }
        if self.message_bytes == 0 {
            return Err(setting("message_bytes", "expected more than 0"));
        }
        for (name, time) in [("connect_time", self.connect_time), ("response_time", self.response_time)] {
            if time.is_zero() {
                return Err(setting(name, "expected more than 0 s"));
            }
        }
        Ok(())
    }
}

/// An error about one setting.
pub(super) fn setting(name: &str, reason: impl ToString) -> LayerError {
    LayerError::Setting { setting: name.to_owned(), reason: reason.to_string() }
}
