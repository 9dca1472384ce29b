//! What can go wrong with users.

use ::http::StatusCode;

use super::{DatabaseError, PasswordError, SessionError};

/// What can go wrong with users.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuthError {
    /// No auth middleware stands in front of this application.
    #[error("there are no users here: put an AuthLayer in front of the application")]
    NoMiddleware,
    /// The users' store is away. It may be back in a moment: 503.
    #[error("the users' store is unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The session.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The password.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// Too many log-ins of this account or from this address have failed; see [`LoginThrottle`](super::LoginThrottle).
    #[error("too many failed log-ins; expected the next one in {} s", retry_after.as_secs())]
    Throttled {
        /// How long to wait.
        retry_after: std::time::Duration,
    },
    /// The account is gone, or may not be used.
    #[error("there is no active account {0:?}")]
    NoAccount(String),
    /// What the users' store says.
    #[error("the users' store failed")]
    Store(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl AuthError {
    /// What a client should hear of it: 503 when something is away or busy, 429 after too
    /// many tries, else 500, or what the session says.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Session(error) => error.status(),
            Self::Password(error) => error.status(),
            Self::Throttled { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::NoMiddleware | Self::NoAccount(_) | Self::Store(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Whether something is away or busy: what was asked is neither so nor not so.
    pub fn is_unavailable(&self) -> bool {
        self.status() == StatusCode::SERVICE_UNAVAILABLE
    }
}

impl From<DatabaseError> for AuthError {
    fn from(error: DatabaseError) -> Self {
        if error.is_unavailable() { Self::Unavailable(error.into()) } else { Self::Store(error.into()) }
    }
}
