//! Where sessions are kept.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use rand::RngExt as _;

use super::{SessionData, SessionError};

/// Where sessions are kept. A session that is unknown, has expired or does not decode is absent, never an error.
///
/// Asked by hand; `examples/own_session_store.rs` implements one:
///
/// ```
/// use chrono::{TimeDelta, Utc};
/// use solent::auth::{MemorySessions, SessionData, SessionStore as _};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), solent::auth::SessionError> {
/// let store = MemorySessions::new();
/// let key = store.save(None, &SessionData::default(), Utc::now() + TimeDelta::hours(1)).await?;
/// assert_eq!(store.are_live(&[&key, "unknown"]).await?, [true, false]);
/// # Ok(())
/// # }
/// ```
pub trait SessionStore: fmt::Debug + Send + Sync + 'static {
    /// A live session's data.
    fn load<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<SessionData>, SessionError>>;

    /// Keeps data until `expires` and gives the key that it is kept under: a new one when `key` is `None`.
    ///
    /// # Errors
    /// [`SessionError::Deleted`] when there is no session of this `key` any more; it is not made again.
    fn save<'a>(
        &'a self,
        key: Option<&'a str>,
        data: &'a SessionData,
        expires: DateTime<Utc>,
    ) -> BoxFuture<'a, Result<String, SessionError>>;

    /// Forgets a session, if there is one.
    fn delete<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), SessionError>>;

    /// Which of many sessions are live, in their order. Asked of whole batches, for the sessions of open sockets.
    fn are_live<'a>(&'a self, keys: &'a [&'a str]) -> BoxFuture<'a, Result<Vec<bool>, SessionError>> {
        Box::pin(async move {
            let mut live = Vec::with_capacity(keys.len());
            for key in keys {
                live.push(self.load(key).await?.is_some());
            }
            Ok(live)
        })
    }

    /// Forgets all sessions that have expired; how many there were.
    fn clear_expired(&self) -> BoxFuture<'_, Result<u64, SessionError>>;

    /// Whether the server keeps the data under a key. If not, the key is the data: it changes with every save, and
    /// deleting it forgets nothing.
    fn keeps_state(&self) -> bool {
        true
    }
}

/// A store that is chosen when the program starts.
impl<S: SessionStore + ?Sized> SessionStore for Arc<S> {
    fn load<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<SessionData>, SessionError>> {
        (**self).load(key)
    }

    fn save<'a>(
        &'a self,
        key: Option<&'a str>,
        data: &'a SessionData,
        expires: DateTime<Utc>,
    ) -> BoxFuture<'a, Result<String, SessionError>> {
        (**self).save(key, data, expires)
    }

    fn delete<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), SessionError>> {
        (**self).delete(key)
    }

    fn are_live<'a>(&'a self, keys: &'a [&'a str]) -> BoxFuture<'a, Result<Vec<bool>, SessionError>> {
        (**self).are_live(keys)
    }

    fn clear_expired(&self) -> BoxFuture<'_, Result<u64, SessionError>> {
        (**self).clear_expired()
    }

    fn keeps_state(&self) -> bool {
        (**self).keeps_state()
    }
}

/// A new session's key: 32 characters of `a-z0-9`.
pub(super) fn new_key() -> String {
    const CHARACTERS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    let mut rng = rand::rng();
    (0..32).map(|_| char::from(CHARACTERS[rng.random_range(0..CHARACTERS.len())])).collect()
}
