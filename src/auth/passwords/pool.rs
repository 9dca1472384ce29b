//! Password hashing for async code: on a few threads of its own, with a bounded queue.

use std::thread::available_parallelism;

use ::http::StatusCode;

use super::{Hasher, Rehash, new_salt, verify::verify_evenly};
use crate::{BlockingPool, Limits, PoolError};

/// Verifies and makes password hashes off the async threads. Cheap to clone; all clones share the threads.
///
/// At most half the cores hash at once, four at the most, and 64 calls wait: a flood of logins costs those who log
/// in, nobody else.
///
/// # Cancel safety
/// A call that is dropped while it waits for a thread is given up; a hash that is being computed is computed to its end and
/// thrown away.
///
/// ```
/// # use solent::auth::{Hasher, Passwords};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), solent::auth::PasswordError> {
/// let passwords = Passwords::new(Hasher::Pbkdf2Sha256 { iterations: 1_000 });
/// let encoded = passwords.make("open sesame").await?;
/// assert!(passwords.check("open sesame", Some(&encoded)).await?.correct);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Passwords {
    preferred: Hasher,
    rehash: Rehash,
    pool: BlockingPool,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Checked {
    /// Whether the password is the one behind the column.
    pub correct: bool,
    /// The column to be stored in place of the old one, when the policy asks for it. Store it before the session is
    /// written, whose hash is made from it.
    pub rehashed: Option<String>,
}

/// Why no password was hashed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PasswordError {
    /// Too many are being hashed already.
    #[error("no thread to hash a password")]
    Busy(#[source] PoolError),
    /// The hasher cannot work as configured.
    #[error("{0:?} cannot hash: expected at least 8 KiB of memory per lane and one pass")]
    Hasher(Hasher),
}

impl PasswordError {
    /// What a client should hear of it: 503 when too many are being hashed, else 500.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Busy(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Hasher(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl From<PoolError> for PasswordError {
    fn from(error: PoolError) -> Self {
        Self::Busy(error)
    }
}

impl Passwords {
    /// Makes new hashes with `preferred`; replaces [weaker](Rehash::Weaker) ones.
    pub fn new(preferred: Hasher) -> Self {
        let threads = available_parallelism().map_or(1, |cores| cores.get() / 2).clamp(1, 4);
        let limits = Limits { blocking_threads: threads, blocking_queue: 64, ..Limits::default() };
        Self { preferred, rehash: Rehash::default(), pool: BlockingPool::new(&limits) }
    }

    /// Another policy for replacing hashes.
    #[must_use]
    pub fn with_rehash(self, rehash: Rehash) -> Self {
        Self { rehash, ..self }
    }

    /// Whether `password` is the one behind a column; `None` stands for a user who does not exist, which takes as
    /// long as a wrong password.
    ///
    /// # Errors
    /// [`PasswordError::Busy`] when too many are being hashed.
    ///
    /// # Cancel safety
    /// A check that is dropped while it waits for a thread never runs.
    pub async fn check(&self, password: &str, encoded: Option<&str>) -> Result<Checked, PasswordError> {
        let (password, encoded) = (password.to_owned(), encoded.map(str::to_owned));
        let (preferred, rehash) = (self.preferred, self.rehash);
        let check = move || {
            let correct = verify_evenly(&password, encoded.as_deref(), preferred);
            let wanted = correct && encoded.is_some_and(|encoded| rehash.wants(&encoded, preferred));
            let rehashed = wanted.then(|| preferred.encode(&password, &new_salt())).flatten();
            Checked { correct, rehashed }
        };
        Ok(self.pool.run(check).await?)
    }

    /// The column for a new password.
    ///
    /// # Errors
    /// [`PasswordError::Busy`]; [`PasswordError::Hasher`] when the hasher does not take its cost.
    pub async fn make(&self, password: &str) -> Result<String, PasswordError> {
        let (password, preferred) = (password.to_owned(), self.preferred);
        let made = self.pool.run(move || preferred.encode(&password, &new_salt())).await?;
        made.ok_or(PasswordError::Hasher(preferred))
    }
}

impl Default for Passwords {
    fn default() -> Self {
        Self::new(Hasher::default())
    }
}
