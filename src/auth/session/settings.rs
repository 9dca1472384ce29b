//! The session cookie's attributes.

use std::time::{Duration, SystemTime};

use ::http::HeaderValue;

use super::Expiry;
use crate::middleware::{CookieError, SameSite, SetCookie};

/// The session cookie and how long sessions last; Django's settings of the same names.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionSettings {
    /// `SESSION_COOKIE_NAME`: `sessionid`.
    pub cookie_name: String,
    /// `SESSION_COOKIE_AGE`: two weeks.
    pub cookie_age: Duration,
    /// `SESSION_COOKIE_PATH`: `/`.
    pub cookie_path: String,
    /// `SESSION_COOKIE_DOMAIN`: this host alone.
    pub cookie_domain: Option<String>,
    /// `SESSION_COOKIE_SECURE`. Unless set, a cookie that is given over TLS is sent back over TLS alone.
    pub cookie_secure: Option<bool>,
    /// `SESSION_COOKIE_HTTPONLY`: hidden from scripts.
    pub cookie_http_only: bool,
    /// `SESSION_COOKIE_SAMESITE`: `Lax`.
    pub cookie_same_site: SameSite,
    /// `SESSION_EXPIRE_AT_BROWSER_CLOSE`: no.
    pub expire_at_browser_close: bool,
    /// `SESSION_SAVE_EVERY_REQUEST`: no. With it, every request of a session puts its end off.
    pub save_every_request: bool,
}

impl Default for SessionSettings {
    fn default() -> Self {
        Self {
            cookie_name: "sessionid".to_owned(),
            cookie_age: Duration::from_secs(14 * 24 * 60 * 60),
            cookie_path: "/".to_owned(),
            cookie_domain: None,
            cookie_secure: None,
            cookie_http_only: true,
            cookie_same_site: SameSite::Lax,
            expire_at_browser_close: false,
            save_every_request: false,
        }
    }
}

impl SessionSettings {
    /// The header that gives a session's key to its client.
    pub(super) fn cookie(
        &self,
        key: &str,
        expiry: Expiry,
        over_tls: bool,
    ) -> Result<HeaderValue, CookieError> {
        let now = SystemTime::now();
        let cookie = SetCookie::new(self.cookie_name.clone(), key)
            .path(self.cookie_path.clone())
            .domain(self.cookie_domain.clone())
            .secure(self.cookie_secure.unwrap_or(over_tls))
            .http_only(self.cookie_http_only)
            .same_site(self.cookie_same_site);
        let until_close = match expiry {
            Expiry::Default => self.expire_at_browser_close,
            Expiry::BrowserClose => true,
            Expiry::After(_) | Expiry::At(_) => false,
        };
        let cookie =
            if until_close { cookie } else { cookie.max_age(expiry.age(now.into(), self.cookie_age)) };
        cookie.header(now)
    }

    /// The header that takes a session's key from its client.
    pub(super) fn deletion(&self) -> Result<HeaderValue, CookieError> {
        SetCookie::deletion(self.cookie_name.clone())
            .path(self.cookie_path.clone())
            .domain(self.cookie_domain.clone())
            .same_site(self.cookie_same_site)
            .header(SystemTime::now())
    }
}
