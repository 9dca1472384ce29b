//! Sessions in Django's cache on Redis: alone (`cache`), or in front of the database (`cached_db`).

mod cached_database;
mod redis_cache;
mod sessions;

pub use cached_database::CachedDatabaseSessions;
pub use redis_cache::{RedisCache, RedisCacheSettings};
pub use sessions::CacheSessions;
