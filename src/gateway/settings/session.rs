//! `[session]`: sessions and their cookie.

use std::time::Duration;

use crate::auth::SessionSettings;
use crate::gateway::section::section;
use crate::gateway::setting::Placed;
use crate::gateway::words::words;
use crate::middleware::SameSite;

section! {
    /// `[session]`.
    pub(crate) struct SessionTable {
        /// Where sessions live: `db` (the database, as Django's), `signed_cookies` (in the visitor's browser, readable
        /// there, and not to be ended from here) or `memory` (this process alone, for trying out).
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
    }
}

/// Where sessions live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SessionBackend {
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
    SessionBackend { "db" => Self::Database, "signed_cookies" => Self::SignedCookies, "memory" => Self::Memory }
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
