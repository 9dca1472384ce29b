//! Users, passwords, signing and sessions, in Django's formats.

#[cfg(feature = "auth")]
mod auth_hash;
#[cfg(feature = "auth")]
mod authenticator;
#[cfg(feature = "auth")]
mod bearer;
#[cfg(feature = "auth")]
mod database;
#[cfg(feature = "auth")]
mod error;
#[cfg(feature = "auth")]
mod passwords;
#[cfg(feature = "auth")]
mod permission;
mod python_json;
#[cfg(feature = "auth")]
mod redirect;
#[cfg(feature = "auth")]
mod reset_token;
mod session;
#[cfg(feature = "auth")]
mod signing;
#[cfg(feature = "auth")]
mod sockets;
mod status;
#[cfg(feature = "auth")]
mod throttle;
mod user;
#[cfg(feature = "auth")]
mod users;

#[cfg(feature = "auth")]
pub use auth_hash::session_auth_hash;
#[cfg(feature = "auth")]
pub use authenticator::{
    Auth, AuthSettings, authenticate, change_password, login, logout, normalize_username,
};
#[cfg(feature = "auth")]
pub use bearer::{BEARER_SALT, BearerClaims, SignedTokens, TokenError, TokenVerifier};
#[cfg(feature = "jwt")]
pub use bearer::{JwtKey, JwtKeyError, JwtTokens};
#[cfg(feature = "auth")]
pub use database::{Database, DatabaseError, DatabaseOptions, Parameter, Row, parameter_names};
#[cfg(feature = "auth")]
pub use error::AuthError;
#[cfg(feature = "auth")]
pub use passwords::{
    Argon2Cost, Checked, Hasher, PasswordError, Passwords, Rehash, ScryptCost, is_usable, unusable_password,
    verify_password,
};
#[cfg(feature = "auth")]
pub use permission::{Ask, Permission, QueryPermission, permission};
#[cfg(feature = "auth")]
pub use redirect::{
    NEXT, escape_leading_slashes, iri_to_uri, login_redirect, url_has_allowed_host_and_scheme,
};
#[cfg(feature = "auth")]
pub use reset_token::{PasswordResetTokens, ResetAccount};
#[cfg(all(feature = "auth", feature = "redis"))]
pub use session::{CacheSessions, CachedDatabaseSessions, RedisCache, RedisCacheSettings};
#[cfg(feature = "auth")]
pub use session::{DatabaseSessions, SignedCookieSessions};
pub use session::{
    Expiry, MemorySessions, Session, SessionData, SessionError, SessionSettings, SessionStore,
    clear_expired_sessions,
};
#[cfg(feature = "auth")]
pub use signing::{
    Algorithm, DUMPS_SALT, SecretKeys, Signer, SigningError, TimestampSigner, dumps, loads, salted_hmac,
};
#[cfg(feature = "auth")]
pub(crate) use sockets::{Lease, follow, guard};
pub(crate) use status::{retry_after_of, status_of};
#[cfg(feature = "auth")]
pub use throttle::LoginThrottle;
pub use user::{Account, User};
#[cfg(feature = "auth")]
pub use users::{DatabaseUsers, NewUser, StoredUser, UserStore, UserTable};

/// Whether a request or connection came with a token that is believed, which no other site's page can have made it
/// bear.
#[cfg(feature = "auth")]
pub(crate) fn bears_token(scope: &crate::Scope) -> bool {
    scope.extensions.get::<BearerClaims>().is_some()
}

/// Without users there are no tokens.
#[cfg(not(feature = "auth"))]
pub(crate) fn bears_token(_: &crate::Scope) -> bool {
    false
}

/// Without users there is nobody to follow.
#[cfg(not(feature = "auth"))]
pub(crate) fn follow(_: &mut crate::Scope, _: crate::websocket::SocketHandle) -> Option<Lease> {
    None
}

/// Of what is not followed there are no leases.
#[cfg(not(feature = "auth"))]
pub(crate) type Lease = std::convert::Infallible;
