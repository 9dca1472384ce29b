//! Sessions: what is remembered of a client between its requests, under a key that only its cookie holds.
//!
//! [`Session`] is the handle in a scope. What it reads and writes is kept by a [`SessionStore`]: the database, Django's
//! cache, the cookie itself, or memory. The formats are Django's.

#[cfg(all(feature = "auth", feature = "redis"))]
mod cache;
mod clearing;
#[cfg(feature = "auth")]
mod codec;
mod data;
#[cfg(feature = "auth")]
mod database;
mod error;
mod expiry;
mod handle;
mod memory;
#[cfg(all(feature = "auth", feature = "redis"))]
mod pickle;
mod settings;
#[cfg(feature = "auth")]
mod signed_cookies;
mod store;
#[cfg(feature = "auth")]
mod unpacked;

#[cfg(all(feature = "auth", feature = "redis"))]
pub use cache::{CacheSessions, CachedDatabaseSessions, RedisCache, RedisCacheSettings};
pub use clearing::clear_expired_sessions;
pub use data::SessionData;
#[cfg(feature = "auth")]
pub use database::DatabaseSessions;
pub use error::SessionError;
pub use expiry::Expiry;
pub use handle::Session;
pub use memory::MemorySessions;
pub use settings::SessionSettings;
#[cfg(feature = "auth")]
pub use signed_cookies::SignedCookieSessions;
pub use store::SessionStore;
