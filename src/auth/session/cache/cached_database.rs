//! Sessions in the database with a cache in front of it: Django's `cached_db` engine.

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;

use super::{CacheSessions, RedisCache};
use crate::auth::session::DatabaseSessions;
use crate::auth::{SessionData, SessionError, SessionStore};

/// What Django puts in front of a session's key in the cache.
const PREFIX: &str = "django.contrib.sessions.cached_db";

/// Sessions in the database, read from Django's cache on Redis where it has them. What is written goes to the row and
/// then to the cache, as in Django; a cache that is away costs a warning and a query, never a session.
///
/// ```
/// use solent::auth::{CachedDatabaseSessions, Database, DatabaseSessions, RedisCache, RedisCacheSettings, SecretKeys};
/// use solent::layers::redis::Host;
/// use solent::middleware::SessionLayer;
///
/// # fn sessions(database: Database, keys: SecretKeys) -> solent::Result<SessionLayer> {
/// let mut settings = RedisCacheSettings::default();
/// settings.hosts = vec![Host::parse("redis://127.0.0.1:6379/1")?];
/// let cache = RedisCache::new(settings);
/// Ok(SessionLayer::new(CachedDatabaseSessions::new(cache, DatabaseSessions::new(database, keys))))
/// # }
/// ```
#[derive(Debug)]
pub struct CachedDatabaseSessions {
    cache: CacheSessions,
    database: DatabaseSessions,
}

impl CachedDatabaseSessions {
    /// Sessions in `database`, with `cache` in front of it.
    pub fn new(cache: RedisCache, database: DatabaseSessions) -> Self {
        Self { cache: CacheSessions::with_prefix(cache, PREFIX), database }
    }

    /// What the cache has; `None` as well when it is away.
    async fn cached(&self, key: &str) -> Option<SessionData> {
        self.cache.get(key).await.unwrap_or_else(|error| {
            warn("read", &error);
            None
        })
    }

    async fn fill(&self, key: &str, data: &SessionData, expires: DateTime<Utc>) {
        if let Err(error) = self.cache.set(key, data, expires, None).await {
            warn("written", &error);
        }
    }
}

fn warn(done: &str, error: &SessionError) {
    tracing::warn!(%error, "the cache of sessions could not be {done}; the database is used alone");
}

impl SessionStore for CachedDatabaseSessions {
    fn load<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<SessionData>, SessionError>> {
        Box::pin(async move {
            if let Some(data) = self.cached(key).await {
                return Ok(Some(data));
            }
            let Some((data, expires)) = self.database.load_with_end(key).await? else { return Ok(None) };
            if let Some(expires) = expires {
                self.fill(key, &data, expires).await;
            }
            Ok(Some(data))
        })
    }

    fn save<'a>(
        &'a self,
        key: Option<&'a str>,
        data: &'a SessionData,
        expires: DateTime<Utc>,
    ) -> BoxFuture<'a, Result<String, SessionError>> {
        Box::pin(async move {
            let held = match key {
                Some(key) => self.cached(key).await,
                None => None,
            };
            if data.is_partial() || held.is_some_and(|held| held.is_partial()) {
                return Err(SessionError::Foreign);
            }
            let key = self.database.save(key, data, expires).await?;
            self.fill(&key, data, expires).await;
            Ok(key)
        })
    }

    /// From the cache first: a session that is gone from the database alone would still be served.
    fn delete<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), SessionError>> {
        Box::pin(async move {
            self.cache.remove(key).await?;
            self.database.delete(key).await
        })
    }

    /// As the database has it: what is deleted there is over, whatever the cache still holds.
    fn are_live<'a>(&'a self, keys: &'a [&'a str]) -> BoxFuture<'a, Result<Vec<bool>, SessionError>> {
        self.database.are_live(keys)
    }

    fn clear_expired(&self) -> BoxFuture<'_, Result<u64, SessionError>> {
        self.database.clear_expired()
    }
}
