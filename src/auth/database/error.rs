//! What can go wrong with a database, told apart by what a client should hear of it.

use std::time::Duration;

use ::http::StatusCode;

/// What can go wrong with a database.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatabaseError {
    /// It is away, too busy or too slow. It may be back in a moment: 503.
    #[error("the database is unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A parameter's value does not fit its place, such as letters where a whole number stands: “not found”.
    #[error("parameter :{name}: expected {expected}, found {found}")]
    Unfit {
        /// The parameter.
        name: String,
        /// The type at its place.
        expected: String,
        /// The value.
        found: String,
    },
    /// A unique value is there already.
    #[error("a row with this value is there already")]
    Conflict(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The statement itself is wrong.
    #[error("{0}")]
    Statement(String),
    /// What [`Database::prepare`](super::Database::prepare) tells of a statement that the database does not understand.
    #[error("the database does not understand the statement: {message}")]
    Misunderstood {
        /// What the database says, with parameters called by their names.
        message: String,
        /// The byte of the statement that it means, where that is known.
        at: Option<usize>,
    },
    /// Not a URL of a database that is known.
    #[error("expected sqlite:path, sqlite::memory: or postgres://user:password@host/name, found {0:?}")]
    Url(String),
    /// What the database says.
    #[error("the database refused a statement")]
    Refused(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl DatabaseError {
    /// What a client should hear of it: 503 when the database is away, 404 for a value that does not fit, else 500.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Unfit { .. } => StatusCode::NOT_FOUND,
            Self::Conflict(_)
            | Self::Statement(_)
            | Self::Misunderstood { .. }
            | Self::Url(_)
            | Self::Refused(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Whether the database is away: what was asked is neither so nor not so.
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }

    pub(super) fn slow(limit: Duration) -> Self {
        Self::Unavailable(format!("no answer within {limit:?}").into())
    }

    /// Names the URL's kind alone: the rest may hold a password.
    pub(super) fn url(url: &str) -> Self {
        Self::Url(url.split_once(':').map_or_else(|| url.to_owned(), |(scheme, _)| format!("{scheme}:…")))
    }
}

// Not part of what is promised: the crate behind may change.
#[doc(hidden)]
impl From<sqlx::Error> for DatabaseError {
    fn from(error: sqlx::Error) -> Self {
        if is_away(&error) {
            // The wrapping of both says the same over again.
            return Self::Unavailable(match error {
                sqlx::Error::Io(error) => error.into(),
                sqlx::Error::Database(said) => said.into_error(),
                other => other.into(),
            });
        }
        match error {
            sqlx::Error::Database(said) if said.is_unique_violation() => Self::Conflict(said.into_error()),
            sqlx::Error::Database(said) => Self::Refused(said.into_error()),
            other => Self::Refused(other.into()),
        }
    }
}

/// Whether the error tells nothing of the statement.
pub(super) fn is_away(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| is_away_code(&code)),
        _ => false,
    }
}

/// PostgreSQL's codes have five characters, SQLite's are numbers whose lowest byte tells the kind.
fn is_away_code(code: &str) -> bool {
    if code.len() == 5 {
        // Connection exceptions, insufficient resources, operator intervention (shutting down, starting up, time-out),
        // and a server or standby that takes no writes for now.
        return ["08", "53", "57P", "57014", "25006", "55P03"].iter().any(|class| code.starts_with(class));
    }
    // BUSY, LOCKED, NOMEM, READONLY, IOERR, FULL, CANTOPEN.
    code.parse::<u32>().is_ok_and(|code| matches!(code & 0xff, 5 | 6 | 7 | 8 | 10 | 13 | 14))
}
