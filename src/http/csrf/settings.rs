//! What can be set about CSRF protection.

use std::time::{Duration, SystemTime};

use ::http::HeaderValue;

use crate::middleware::{CookieError, SameSite, SetCookie};

/// What can be set about CSRF protection; Django's settings of the same names.
///
/// ```
/// use solent::http::{CsrfLayer, CsrfSettings};
///
/// let mut settings = CsrfSettings::default();
/// settings.trusted_origins = vec!["https://*.example.com".to_owned()];
/// settings.use_sessions = true;
/// let layer = CsrfLayer::with_settings(settings);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CsrfSettings {
    /// `CSRF_COOKIE_NAME`: `csrftoken`.
    pub cookie_name: String,
    /// `CSRF_COOKIE_AGE`: a year.
    pub cookie_age: Duration,
    /// `CSRF_COOKIE_PATH`: `/`.
    pub cookie_path: String,
    /// `CSRF_COOKIE_DOMAIN`: this host alone.
    pub cookie_domain: Option<String>,
    /// `CSRF_COOKIE_SECURE`. Unless set, a cookie that is given over TLS is sent back over TLS alone.
    pub cookie_secure: Option<bool>,
    /// `CSRF_COOKIE_HTTPONLY`: no, scripts may read it.
    pub cookie_http_only: bool,
    /// `CSRF_COOKIE_SAMESITE`: `Lax`.
    pub cookie_same_site: SameSite,
    /// `CSRF_HEADER_NAME`, as it stands in a request: `x-csrftoken`.
    pub header_name: String,
    /// `CSRF_TRUSTED_ORIGINS`: further origins whose pages may send forms, such as `https://example.com` or
    /// `https://*.example.com`.
    pub trusted_origins: Vec<String>,
    /// `CSRF_USE_SESSIONS`: whether the session holds the secret in place of a cookie.
    pub use_sessions: bool,
}

impl Default for CsrfSettings {
    fn default() -> Self {
        Self {
            cookie_name: "csrftoken".to_owned(),
            cookie_age: Duration::from_secs(364 * 24 * 60 * 60),
            cookie_path: "/".to_owned(),
            cookie_domain: None,
            cookie_secure: None,
            cookie_http_only: false,
            cookie_same_site: SameSite::Lax,
            header_name: "x-csrftoken".to_owned(),
            trusted_origins: Vec::new(),
            use_sessions: false,
        }
    }
}

impl CsrfSettings {
    /// The header that gives the secret to the client.
    pub(super) fn cookie(&self, secret: &str, over_tls: bool) -> Result<HeaderValue, CookieError> {
        SetCookie::new(self.cookie_name.clone(), secret)
            .max_age(self.cookie_age)
            .path(self.cookie_path.clone())
            .domain(self.cookie_domain.clone())
            .secure(self.cookie_secure.unwrap_or(over_tls))
            .http_only(self.cookie_http_only)
            .same_site(self.cookie_same_site)
            .header(SystemTime::now())
    }
}
