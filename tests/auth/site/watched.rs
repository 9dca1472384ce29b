//! A session store that a test can watch, and take away.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use solent::auth::{DatabaseSessions, SessionData, SessionError, SessionStore};

/// What a test sees of a session store, and can do to it.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    pub(crate) is_away: AtomicBool,
    /// How many keys each comparison asked for.
    pub(crate) compared: Mutex<Vec<usize>>,
}

impl Watch {
    /// Waits until so many more comparisons have begun.
    pub(crate) async fn comparisons(&self, more: usize) {
        let until = self.compared.lock().unwrap().len() + more;
        let enough = || self.compared.lock().unwrap().len() >= until;
        crate::waiting::eventually("sockets are compared", enough).await;
    }

    fn answer<T>(&self, found: Result<T, SessionError>) -> Result<T, SessionError> {
        if self.is_away.load(Ordering::SeqCst) {
            Err(SessionError::Unavailable("away".into()))
        } else {
            found
        }
    }
}

#[derive(Debug)]
pub(super) struct Watched {
    pub(super) store: DatabaseSessions,
    pub(super) watch: Arc<Watch>,
}

impl SessionStore for Watched {
    fn load<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<SessionData>, SessionError>> {
        Box::pin(async { self.watch.answer(self.store.load(key).await) })
    }

    fn save<'a>(
        &'a self,
        key: Option<&'a str>,
        data: &'a SessionData,
        expires: DateTime<Utc>,
    ) -> BoxFuture<'a, Result<String, SessionError>> {
        self.store.save(key, data, expires)
    }

    fn delete<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), SessionError>> {
        self.store.delete(key)
    }

    fn are_live<'a>(&'a self, keys: &'a [&'a str]) -> BoxFuture<'a, Result<Vec<bool>, SessionError>> {
        Box::pin(async {
            self.watch.compared.lock().unwrap().push(keys.len());
            self.watch.answer(self.store.are_live(keys).await)
        })
    }

    fn clear_expired(&self) -> BoxFuture<'_, Result<u64, SessionError>> {
        self.store.clear_expired()
    }
}
