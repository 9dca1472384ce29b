//! What can go wrong with a session. A session that is unknown, expired or tampered with is none of these: it is empty.

use ::http::StatusCode;

/// What can go wrong with a session.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// No session middleware stands in front of this application.
    #[error("there is no session here: put a SessionLayer in front of the application")]
    NoMiddleware,
    /// The store is away. It may be back in a moment: 503.
    #[error("the session store is unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The session was deleted while this request ran, by a logout elsewhere. It is not made again: 400.
    #[error("the session was deleted before this request ended; it may have been logged out elsewhere")]
    Deleted,
    /// The response or the handshake has been answered, so that no cookie can be set any more.
    #[error(
        "the cookie cannot be changed any more: expected this before the answer (in a consumer, before accept)"
    )]
    Answered,
    /// An entry is not of the type asked for, or a value has no JSON form.
    #[error("session entry {name:?}")]
    Entry {
        /// The entry.
        name: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The store holds what only Python can read, and cannot be written back: the session is left as it is.
    #[error(
        "the session holds Python objects that cannot be written back, so it was left as it is; keep plain data in it"
    )]
    Foreign,
    /// What the store says.
    #[error("the session store failed")]
    Store(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl SessionError {
    /// What a client should hear of it: 503 when the store is away, 400 when the session was deleted, else 500.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Deleted => StatusCode::BAD_REQUEST,
            Self::NoMiddleware | Self::Answered | Self::Foreign | Self::Entry { .. } | Self::Store(_) => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
        }
    }

    /// Whether the store is away: the session is neither there nor gone.
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}

#[cfg(feature = "auth")]
impl From<crate::auth::DatabaseError> for SessionError {
    fn from(error: crate::auth::DatabaseError) -> Self {
        if error.is_unavailable() { Self::Unavailable(error.into()) } else { Self::Store(error.into()) }
    }
}
