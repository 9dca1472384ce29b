//! Django's cache on Redis: its keys and its connections. The first server takes what is written, the others are read.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{Cmd, ErrorKind, FromRedisValue, RedisError, ServerErrorKind};
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::auth::SessionError;
use crate::layers::redis::Host;

/// A cache of Django's `CACHES`, as `django.core.cache.backends.redis.RedisCache` has it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RedisCacheSettings {
    /// `LOCATION`: the first server takes what is written; when there are more, one of the others is read at random.
    pub hosts: Vec<Host>,
    /// `KEY_PREFIX`: empty.
    pub key_prefix: String,
    /// `VERSION`: 1.
    pub version: u32,
    /// A connection's set-up. 5 s.
    pub connect_time: Duration,
    /// Redis's answer to a command. 3 s; then the store counts as away.
    pub response_time: Duration,
}

impl Default for RedisCacheSettings {
    fn default() -> Self {
        Self {
            hosts: vec![Host::default()],
            key_prefix: String::new(),
            version: 1,
            connect_time: Duration::from_secs(5),
            response_time: Duration::from_secs(3),
        }
    }
}

/// Connections to Django's cache. Cheap to clone; they are made at the first use, and again after an outage.
#[derive(Clone)]
pub struct RedisCache(Arc<Inner>);

struct Inner {
    settings: RedisCacheSettings,
    connections: Vec<Mutex<Option<MultiplexedConnection>>>,
}

impl RedisCache {
    /// The cache of these settings. Nothing is connected yet.
    pub fn new(settings: RedisCacheSettings) -> Self {
        let connections = settings.hosts.iter().map(|_| Mutex::default()).collect();
        Self(Arc::new(Inner { settings, connections }))
    }

    /// The key that Django makes of one of its own.
    pub(super) fn key(&self, key: &str) -> String {
        let RedisCacheSettings { key_prefix, version, .. } = &self.0.settings;
        format!("{key_prefix}:{version}:{key}")
    }

    /// Asks one of the servers that are read.
    pub(super) async fn read<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, SessionError> {
        let others = self.0.connections.len().saturating_sub(1);
        let server = if others == 0 { 0 } else { rand::random_range(1..=others) };
        self.ask(server, command).await
    }

    /// Asks the server that is written.
    pub(super) async fn write<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, SessionError> {
        self.ask(0, command).await
    }

    async fn ask<T: FromRedisValue>(&self, server: usize, command: &Cmd) -> Result<T, SessionError> {
        let mut connection = self.connection(server).await?;
        let answer = timeout(self.0.settings.response_time, command.query_async(&mut connection)).await;
        match answer {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) if is_refusal(&error) => Err(SessionError::Store(error.into())),
            Ok(Err(error)) => {
                self.forget(server).await;
                Err(SessionError::Unavailable(error.into()))
            }
            Err(_) => {
                self.forget(server).await;
                let waited = self.0.settings.response_time;
                Err(SessionError::Unavailable(format!("Redis did not answer within {waited:?}").into()))
            }
        }
    }

    async fn connection(&self, server: usize) -> Result<MultiplexedConnection, SessionError> {
        let place = self.0.connections.get(server).zip(self.0.settings.hosts.get(server));
        let (place, host) =
            place.ok_or_else(|| SessionError::Unavailable("no Redis server is configured".into()))?;
        let mut held = place.lock().await;
        if let Some(connection) = &*held {
            return Ok(connection.clone());
        }
        let made = host.connect(self.0.settings.connect_time).await;
        let made = made.map_err(|error| SessionError::Unavailable(error.into()))?;
        Ok(held.insert(made).clone())
    }

    async fn forget(&self, server: usize) {
        if let Some(place) = self.0.connections.get(server) {
            *place.lock().await = None;
        }
    }
}

/// Whether Redis is there and says no; all else counts as away.
fn is_refusal(error: &RedisError) -> bool {
    match error.kind() {
        ErrorKind::Server(kind) => !matches!(
            kind,
            ServerErrorKind::BusyLoading
                | ServerErrorKind::TryAgain
                | ServerErrorKind::MasterDown
                | ServerErrorKind::ReadOnly
        ),
        ErrorKind::UnexpectedReturnType | ErrorKind::Extension => true,
        _ => false,
    }
}

impl fmt::Debug for RedisCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RedisCache").field(&self.0.settings).finish()
    }
}
