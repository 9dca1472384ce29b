//! Sessions in the cache alone: Django's `cache` engine.

use chrono::{DateTime, Utc};
use futures_util::future::{BoxFuture, FutureExt as _, ready};

use super::RedisCache;
use crate::auth::session::pickle::{pickle, unpickle};
use crate::auth::session::store::new_key;
use crate::auth::{SessionData, SessionError, SessionStore};

/// What Django puts in front of a session's key.
const PREFIX: &str = "django.contrib.sessions.cache";

/// Sessions in Django's cache on Redis, and nowhere else: they are gone when Redis forgets them.
///
/// Django pickles them. What is more than plain data is never built and never read; a session that holds such a thing
/// is read as far as possible and never written over ([`SessionError::Foreign`]).
///
/// ```
/// use solent::auth::{CacheSessions, RedisCache, RedisCacheSettings};
/// use solent::middleware::SessionLayer;
///
/// let sessions = SessionLayer::new(CacheSessions::new(RedisCache::new(RedisCacheSettings::default())));
/// ```
#[derive(Debug, Clone)]
pub struct CacheSessions {
    cache: RedisCache,
    prefix: &'static str,
}

impl CacheSessions {
    /// Sessions in `cache`.
    pub fn new(cache: RedisCache) -> Self {
        Self::with_prefix(cache, PREFIX)
    }

    pub(super) fn with_prefix(cache: RedisCache, prefix: &'static str) -> Self {
        Self { cache, prefix }
    }

    fn key(&self, key: &str) -> String {
        self.cache.key(&format!("{}{key}", self.prefix))
    }

    /// The session, from a server that is read.
    pub(super) async fn get(&self, key: &str) -> Result<Option<SessionData>, SessionError> {
        let found: Option<Vec<u8>> = self.cache.read(redis::cmd("GET").arg(self.key(key))).await?;
        Ok(found.map(|bytes| read(&bytes)))
    }

    /// Keeps a session under its key, or takes it away when it has ended. `condition` is `NX`, `XX` or nothing.
    /// Whether it was kept.
    pub(super) async fn set(
        &self,
        key: &str,
        data: &SessionData,
        expires: DateTime<Utc>,
        condition: Option<&str>,
    ) -> Result<bool, SessionError> {
        let age = whole_seconds_until(expires);
        if age <= 0 {
            self.remove(key).await?;
            return Ok(true);
        }
        let bytes = pickle(data).map_err(|error| SessionError::Store(error.into()))?;
        let mut command = redis::cmd("SET");
        command.arg(self.key(key)).arg(bytes).arg("EX").arg(age).arg(condition);
        let kept: Option<String> = self.cache.write(&command).await?;
        Ok(kept.is_some())
    }

    pub(super) async fn remove(&self, key: &str) -> Result<(), SessionError> {
        self.cache.write(redis::cmd("DEL").arg(self.key(key))).await
    }

    /// Whether what Redis holds under a key must not be written over.
    async fn is_foreign(&self, key: &str) -> Result<Option<bool>, SessionError> {
        let found: Option<Vec<u8>> = self.cache.write(redis::cmd("GET").arg(self.key(key))).await?;
        Ok(found.map(|bytes| read(&bytes).is_partial()))
    }
}

/// A value that is no pickle of a dictionary is an empty session that is never written over.
fn read(bytes: &[u8]) -> SessionData {
    unpickle(bytes).unwrap_or_else(|error| {
        tracing::warn!(
            "a session in the cache is taken for empty: {error}; was it written by Django's own serializer?"
        );
        let mut data = SessionData::default();
        data.mark_partial();
        data
    })
}

/// Rounded up: what was saved for an hour a moment ago is kept for the whole of it.
fn whole_seconds_until(expires: DateTime<Utc>) -> i64 {
    let left = expires.signed_duration_since(Utc::now());
    left.num_seconds() + i64::from(left.subsec_nanos() > 0)
}

impl SessionStore for CacheSessions {
    fn load<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<SessionData>, SessionError>> {
        self.get(key).boxed()
    }

    fn save<'a>(
        &'a self,
        key: Option<&'a str>,
        data: &'a SessionData,
        expires: DateTime<Utc>,
    ) -> BoxFuture<'a, Result<String, SessionError>> {
        Box::pin(async move {
            if data.is_partial() {
                return Err(SessionError::Foreign);
            }
            let Some(key) = key else {
                loop {
                    let key = new_key();
                    if self.set(&key, data, expires, Some("NX")).await? {
                        return Ok(key);
                    }
                }
            };
            match self.is_foreign(key).await? {
                None => Err(SessionError::Deleted),
                Some(true) => Err(SessionError::Foreign),
                // Deleted since then, it is not made again.
                Some(false) if !self.set(key, data, expires, Some("XX")).await? => Err(SessionError::Deleted),
                Some(false) => Ok(key.to_owned()),
            }
        })
    }

    fn delete<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), SessionError>> {
        self.remove(key).boxed()
    }

    fn are_live<'a>(&'a self, keys: &'a [&'a str]) -> BoxFuture<'a, Result<Vec<bool>, SessionError>> {
        Box::pin(async move {
            if keys.is_empty() {
                return Ok(Vec::new());
            }
            let keys: Vec<String> = keys.iter().map(|key| self.key(key)).collect();
            // One question for all; MGET would bring the sessions along.
            let script =
                "local r = {} for i, k in ipairs(KEYS) do r[i] = redis.call('EXISTS', k) end return r";
            self.cache.read(redis::cmd("EVAL").arg(script).arg(keys.len()).arg(keys)).await
        })
    }

    /// Redis forgets them by itself.
    fn clear_expired(&self) -> BoxFuture<'_, Result<u64, SessionError>> {
        ready(Ok(0)).boxed()
    }
}
