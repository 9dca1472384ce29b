//! Sessions in this process's memory: for tests, and for sites of one process that may forget.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};
use futures_util::future::{BoxFuture, FutureExt as _, ready};

use super::store::new_key;
use super::{SessionData, SessionError, SessionStore};

/// Sessions in this process's memory. They are gone when it ends.
#[derive(Debug, Default)]
pub struct MemorySessions(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    sessions: HashMap<String, (SessionData, DateTime<Utc>)>,
    /// The number of sessions at which the expired ones are looked for, so that clients who never come back do not
    /// fill the memory.
    sweep_at: usize,
}

impl MemorySessions {
    /// No sessions yet.
    pub fn new() -> Self {
        Self::default()
    }

    fn with<T>(&self, work: impl FnOnce(&mut Kept) -> T) -> T {
        // A panic while it was held cannot have left half a change behind.
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Kept {
    fn is_live(&self, key: &str, now: DateTime<Utc>) -> bool {
        self.sessions.get(key).is_some_and(|(_, expires)| *expires > now)
    }

    fn sweep(&mut self) -> u64 {
        let (before, now) = (self.sessions.len(), Utc::now());
        self.sessions.retain(|_, (_, expires)| *expires > now);
        self.sweep_at = (self.sessions.len() * 2).max(1024);
        (before - self.sessions.len()) as u64
    }

    fn save(
        &mut self,
        key: Option<&str>,
        data: SessionData,
        expires: DateTime<Utc>,
    ) -> Result<String, SessionError> {
        let key = match key {
            Some(key) if self.sessions.contains_key(key) => key.to_owned(),
            Some(_) => return Err(SessionError::Deleted),
            None => new_key(),
        };
        if self.sessions.len() >= self.sweep_at {
            self.sweep();
        }
        self.sessions.insert(key.clone(), (data, expires));
        Ok(key)
    }
}

impl SessionStore for MemorySessions {
    fn load<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<SessionData>, SessionError>> {
        let found = self.with(|kept| kept.is_live(key, Utc::now()).then(|| kept.sessions[key].0.clone()));
        ready(Ok(found)).boxed()
    }

    fn save<'a>(
        &'a self,
        key: Option<&'a str>,
        data: &'a SessionData,
        expires: DateTime<Utc>,
    ) -> BoxFuture<'a, Result<String, SessionError>> {
        ready(self.with(|kept| kept.save(key, data.clone(), expires))).boxed()
    }

    fn delete<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), SessionError>> {
        self.with(|kept| kept.sessions.remove(key));
        ready(Ok(())).boxed()
    }

    fn are_live<'a>(&'a self, keys: &'a [&'a str]) -> BoxFuture<'a, Result<Vec<bool>, SessionError>> {
        let now = Utc::now();
        ready(Ok(self.with(|kept| keys.iter().map(|key| kept.is_live(key, now)).collect()))).boxed()
    }

    fn clear_expired(&self) -> BoxFuture<'_, Result<u64, SessionError>> {
        ready(Ok(self.with(Kept::sweep))).boxed()
    }
}
