//! Sessions that live in the cookie itself: signed, readable by the client, and kept nowhere else.
//!
//! The server has no state of them, so a stolen old cookie stays valid until it is too old, and of the open sockets a
//! log-out closes only those that were opened with the very cookie. Prefer the database.

use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};
use futures_util::future::{BoxFuture, FutureExt as _, ready};

use super::codec::{Codec, SIGNED_COOKIES};
use super::{SessionData, SessionError, SessionStore};
use crate::auth::SecretKeys;

/// Sessions that live in the cookie itself.
///
/// ```
/// use std::time::Duration;
/// use solent::auth::{SecretKeys, SignedCookieSessions};
/// use solent::middleware::SessionLayer;
///
/// let two_weeks = Duration::from_secs(14 * 86_400);
/// let sessions = SessionLayer::new(SignedCookieSessions::new(SecretKeys::new("the site's key"), two_weeks));
/// ```
#[derive(Debug)]
pub struct SignedCookieSessions {
    codec: Codec,
    max_age: Duration,
}

impl SignedCookieSessions {
    /// Cookies that are signed with `keys` and valid for `max_age` (Django's `SESSION_COOKIE_AGE`) after each save.
    pub fn new(keys: SecretKeys, max_age: Duration) -> Self {
        Self { codec: Codec::new(keys, SIGNED_COOKIES), max_age }
    }

    fn read(&self, cookie: &str) -> Option<SessionData> {
        self.codec.decode(cookie, Some(self.max_age), SystemTime::now())
    }
}

impl SessionStore for SignedCookieSessions {
    fn load<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<SessionData>, SessionError>> {
        ready(Ok(self.read(key))).boxed()
    }

    fn save<'a>(
        &'a self,
        _key: Option<&'a str>,
        data: &'a SessionData,
        _expires: DateTime<Utc>,
    ) -> BoxFuture<'a, Result<String, SessionError>> {
        ready(Ok(self.codec.encode(data, SystemTime::now()))).boxed()
    }

    fn delete<'a>(&'a self, _key: &'a str) -> BoxFuture<'a, Result<(), SessionError>> {
        ready(Ok(())).boxed()
    }

    fn are_live<'a>(&'a self, keys: &'a [&'a str]) -> BoxFuture<'a, Result<Vec<bool>, SessionError>> {
        // What cannot be withdrawn stays live as long as the socket: the cookie's age was checked at the handshake.
        ready(Ok(vec![true; keys.len()])).boxed()
    }

    fn clear_expired(&self) -> BoxFuture<'_, Result<u64, SessionError>> {
        ready(Ok(0)).boxed()
    }

    fn keeps_state(&self) -> bool {
        false
    }
}
