//! `[session]`: sessions and their cookie.

use std::time::Duration;

use super::changed;
use super::channel_layers::HostUrl;
use crate::auth::{RedisCache, RedisCacheSettings, SessionSettings};
use crate::gateway::section::section;
use crate::gateway::setting::Placed;
use crate::gateway::words::words;
use crate::layers::redis::Host;
use crate::middleware::SameSite;

section! {
    /// `[session]`.
    pub(crate) struct SessionTable {
        /// Where sessions live: `db` (the database, as Django's), `signed_cookies` (in the visitor's browser, readable
        /// there, and not to be ended from here), `cache` (Django's cache on Redis), `cached_db` (the database, behind that
        /// cache) or `memory` (this process alone, for trying out). Without it, `db` where there is a database.
        backend: Option<Placed<SessionBackend>> = None,
        /// The cookie's name.
        cookie_name: String = SessionSettings::default().cookie_name,
        /// How long a session lives.
        cookie_age: Duration = SessionSettings::default().cookie_age,
        /// Whether the cookie travels over TLS alone. Without it, a cookie that was given over TLS does.
        cookie_secure: Option<bool> = None,
        /// Whether the cookie comes with requests from other sites: `Lax`, `Strict` or `None`.
        cookie_samesite: CookieSameSite = CookieSameSite::Lax,
        /// The domain that the cookie belongs to. Without it, the host that gave it.
        cookie_domain: Option<String> = None,
        /// Django's cache on Redis, for the backends `cache` and `cached_db`.
        cache: Option<SessionCache> = None,
    }
}

section! {
    /// `session.cache`: as Django's `CACHES` has it.
    pub(crate) struct SessionCache {
        /// `LOCATION`: the Redis.
        url: HostUrl,
        /// `KEY_PREFIX`.
        key_prefix: String = String::new(),
        /// `VERSION`.
        version: u32 = 1,
    }
}

/// Where sessions live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SessionBackend {
    Cache,
    CachedDatabase,
    Database,
    SignedCookies,
    Memory,
}

/// The cookie's `SameSite`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CookieSameSite {
    Lax,
    Strict,
    None,
}

words! {
    SessionBackend {
        "db" => Self::Database,
        "signed_cookies" => Self::SignedCookies,
        "cache" => Self::Cache,
        "cached_db" => Self::CachedDatabase,
        "memory" => Self::Memory,
    }
    CookieSameSite { "Lax" => Self::Lax, "Strict" => Self::Strict, "None" => Self::None }
}

impl From<CookieSameSite> for SameSite {
    fn from(from: CookieSameSite) -> Self {
        match from {
            CookieSameSite::Lax => Self::Lax,
            CookieSameSite::Strict => Self::Strict,
            CookieSameSite::None => Self::None,
        }
    }
}

impl SessionTable {
    pub(crate) fn settings(&self) -> SessionSettings {
        let mut settings = SessionSettings::default();
        settings.cookie_name.clone_from(&self.cookie_name);
        settings.cookie_age = self.cookie_age;
        settings.cookie_secure = self.cookie_secure;
        settings.cookie_same_site = self.cookie_samesite.into();
        settings.cookie_domain.clone_from(&self.cookie_domain);
        settings
    }
}

impl SessionCache {
    /// The cache; `None` for a host that a check has refused.
    pub(crate) fn cache(&self) -> Option<RedisCache> {
        let host = Host::parse(self.url.0.expose()).ok()?;
        Some(RedisCache::new(changed(|cache: &mut RedisCacheSettings| {
            cache.hosts = vec![host];
            cache.key_prefix.clone_from(&self.key_prefix);
            cache.version = self.version;
        })))
    }
}
