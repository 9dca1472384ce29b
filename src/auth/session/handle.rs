//! The handle in a scope: loaded at first use, saved when something changed, and small while nobody asks.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ::http::{HeaderValue, StatusCode};
use chrono::Utc;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::{Mutex, MutexGuard};

use super::{Expiry, SessionData, SessionError, SessionSettings, SessionStore};

/// A shorter key is no key.
const KEY_CHARACTERS: usize = 8;

/// The session of a connection. Cheap to clone; all clones are one session.
///
/// Nothing is read before the first use. A key that the store does not know is never adopted: what is put into such
/// a session gets a new key. The default is no session at all, where reading finds nothing and writing is
/// [`SessionError::NoMiddleware`].
///
/// # Cancel safety
/// Entries change in memory, whole or not at all. Of `save`, `commit` and `flush` what a dropped future has written by then
/// stands in the store; called again, they write what is still to be written.
///
/// ```
/// # use std::sync::Arc;
/// use solent::auth::{MemorySessions, Session, SessionSettings};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), solent::auth::SessionError> {
/// let store = Arc::new(MemorySessions::new());
/// let session = Session::new(store.clone(), Arc::new(SessionSettings::default()), None);
/// session.set("cart", &[1, 2, 3]).await?;
/// session.save().await?;
///
/// let key = session.key().await?;
/// let later = Session::new(store, Arc::new(SessionSettings::default()), key.as_deref());
/// assert_eq!(later.get::<Vec<i32>>("cart").await?, Some(vec![1, 2, 3]));
/// # Ok(())
/// # }
/// ```
///
/// As the session middleware and `login` use it:
///
/// ```
/// # use std::{sync::Arc, time::Duration};
/// use solent::auth::{Expiry, MemorySessions, Session, SessionSettings};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> solent::Result<()> {
/// let session = Session::new(Arc::new(MemorySessions::new()), Arc::new(SessionSettings::default()), None);
/// session.set("step", "one").await?;
/// session.save().await?;
/// let key = session.key().await?;
///
/// session.cycle_key().await?;
/// session.remove("step").await?;
/// session.set_expiry(Expiry::After(Duration::from_secs(3600))).await?;
/// let cookie = session.commit().await?.expect("a new key needs a new cookie");
/// assert!(cookie.to_str()?.contains("Max-Age=3600"));
/// assert_ne!(session.key().await?, key);
/// session.shrink(); // a socket that idles holds nothing
/// assert!(session.data().await?.get::<String>("step")?.is_none());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct Session(Option<Arc<Inner>>);

struct Inner {
    store: Arc<dyn SessionStore>,
    settings: Arc<SessionSettings>,
    /// Whether the client presented a cookie, which an empty session takes away.
    presented: bool,
    over_tls: AtomicBool,
    accessed: AtomicBool,
    state: Mutex<State>,
}

struct State {
    key: Option<Box<str>>,
    /// `None` until it is loaded, and again once an idle socket needs it no more.
    data: Option<SessionData>,
    modified: bool,
    /// A key that is deleted as soon as the data is safe under its new one.
    outdated: Option<Box<str>>,
    /// Whether the response's or the handshake's headers are gone.
    answered: bool,
}

impl Session {
    /// The session that a client presented `key` of, or a new one.
    pub fn new(store: Arc<dyn SessionStore>, settings: Arc<SessionSettings>, key: Option<&str>) -> Self {
        let presented = key.is_some();
        let key = key.filter(|key| key.chars().count() >= KEY_CHARACTERS).map(Into::into);
        let state = State { key, data: None, modified: false, outdated: None, answered: false };
        Self(Some(Arc::new(Inner {
            store,
            settings,
            presented,
            over_tls: AtomicBool::new(false),
            accessed: AtomicBool::new(false),
            state: Mutex::new(state),
        })))
    }

    /// Whether session middleware stands in front of this application.
    pub fn is_present(&self) -> bool {
        self.0.is_some()
    }

    /// An entry as a `T`.
    ///
    /// # Errors
    /// [`SessionError::Unavailable`] when the store is away; [`SessionError::Entry`] when it is no `T`.
    pub async fn get<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, SessionError> {
        match self.loaded().await? {
            Some((_, state)) => state.data.as_ref().map_or(Ok(None), |data| data.get(name)),
            None => Ok(None),
        }
    }

    /// Sets an entry.
    ///
    /// # Errors
    /// [`SessionError::NoMiddleware`]; [`SessionError::Unavailable`]; [`SessionError::Entry`] when the value has no
    /// JSON form.
    pub async fn set<T: Serialize + ?Sized>(&self, name: &str, value: &T) -> Result<(), SessionError> {
        self.change(|data| data.set(name, value)).await
    }

    /// Removes an entry; whether it was there.
    ///
    /// # Errors
    /// [`SessionError::NoMiddleware`]; [`SessionError::Unavailable`].
    pub async fn remove(&self, name: &str) -> Result<bool, SessionError> {
        let (_, mut state) = self.loaded().await?.ok_or(SessionError::NoMiddleware)?;
        let removed = state.data.get_or_insert_default().remove(name);
        state.modified |= removed;
        Ok(removed)
    }

    /// Removes all entries; the key stays.
    ///
    /// # Errors
    /// [`SessionError::NoMiddleware`]; [`SessionError::Unavailable`].
    pub async fn clear(&self) -> Result<(), SessionError> {
        self.change(|data| {
            *data = SessionData::default();
            Ok(())
        })
        .await
    }

    /// Sets when the session ends.
    ///
    /// # Errors
    /// [`SessionError::NoMiddleware`]; [`SessionError::Unavailable`].
    pub async fn set_expiry(&self, expiry: Expiry) -> Result<(), SessionError> {
        self.change(|data| data.set_expiry(expiry)).await
    }

    /// All entries.
    ///
    /// # Errors
    /// [`SessionError::Unavailable`].
    pub async fn data(&self) -> Result<SessionData, SessionError> {
        Ok(self.loaded().await?.and_then(|(_, state)| state.data.clone()).unwrap_or_default())
    }

    /// The key, when the store knows the session.
    ///
    /// # Errors
    /// [`SessionError::Unavailable`].
    pub async fn key(&self) -> Result<Option<String>, SessionError> {
        Ok(self.loaded().await?.and_then(|(_, state)| state.key.as_deref().map(str::to_owned)))
    }

    /// A new key for the same data; the old one is forgotten when the session is saved. Done at login, so that nobody
    /// can plant a key.
    ///
    /// # Errors
    /// [`SessionError::Answered`] when the client cannot learn the new key any more; [`SessionError::NoMiddleware`];
    /// [`SessionError::Unavailable`].
    pub async fn cycle_key(&self) -> Result<(), SessionError> {
        let (_, mut state) = self.loaded().await?.ok_or(SessionError::NoMiddleware)?;
        if state.answered {
            return Err(SessionError::Answered);
        }
        state.modified = true;
        if let Some(key) = state.key.take() {
            state.outdated = Some(key);
        }
        Ok(())
    }

    /// Forgets everything, in the store at once; the client's cookie goes with the answer.
    ///
    /// # Errors
    /// [`SessionError::Answered`] for a session that lives in the cookie alone, once the cookie cannot be changed;
    /// [`SessionError::NoMiddleware`]; [`SessionError::Unavailable`], in which case nothing has changed.
    pub async fn flush(&self) -> Result<(), SessionError> {
        let inner = self.0.as_ref().ok_or(SessionError::NoMiddleware)?;
        let mut state = inner.lock().await;
        if state.answered && !inner.store.keeps_state() {
            return Err(SessionError::Answered);
        }
        for key in state.key.iter().chain(&state.outdated) {
            inner.store.delete(key).await?;
        }
        *state =
            State { key: None, data: Some(SessionData::default()), modified: true, outdated: None, ..*state };
        Ok(())
    }

    /// Saves what changed, without waiting for the answer. In a consumer it is the only way to save after accept.
    ///
    /// # Errors
    /// [`SessionError::Deleted`] when the session was logged out meanwhile; [`SessionError::Answered`] when the
    /// client would need a new cookie and cannot get it any more; [`SessionError::Unavailable`].
    pub async fn save(&self) -> Result<(), SessionError> {
        let Some(inner) = &self.0 else { return Ok(()) };
        let mut state = inner.lock().await;
        if state.modified { inner.save(&mut state).await } else { Ok(()) }
    }

    /// Saves what changed, on the way to the answer, and gives the `Set-Cookie` header that must go with it. From
    /// then on the cookie cannot change. Called once: at accept by the consumer's side, for views by the session
    /// middleware.
    ///
    /// # Errors
    /// As [`save`](Self::save); [`SessionError::Store`] for cookie settings that do not fit into a header.
    pub async fn commit(&self) -> Result<Option<HeaderValue>, SessionError> {
        let Some(inner) = &self.0 else { return Ok(None) };
        let mut state = inner.state.lock().await;
        state.answered = true;
        if !inner.wants_saving(&state) {
            return Ok(None);
        }
        if state.is_empty() { inner.take_cookie() } else { inner.give_cookie(&mut state).await }
    }

    /// The same for a response, by Django's rules: nothing is saved when the server failed, and an unknown key's
    /// cookie is taken away.
    pub(crate) async fn commit_response(
        &self,
        status: StatusCode,
    ) -> Result<Option<HeaderValue>, SessionError> {
        let Some(inner) = &self.0 else { return Ok(None) };
        let mut state = inner.state.lock().await;
        state.answered = true;
        if state.is_empty() {
            return inner.take_cookie();
        }
        if !inner.wants_saving(&state) || status.is_server_error() {
            return Ok(None);
        }
        inner.give_cookie(&mut state).await
    }

    /// Whether anything has been read or written, on which the answer may depend.
    pub(crate) fn is_accessed(&self) -> bool {
        self.0.as_ref().is_some_and(|inner| inner.accessed.load(Ordering::Relaxed))
    }

    /// Marks the client's side as encrypted, which makes the cookie `Secure` unless the settings say otherwise.
    pub(crate) fn over_tls(self, over_tls: bool) -> Self {
        if let Some(inner) = &self.0 {
            inner.over_tls.store(over_tls, Ordering::Relaxed);
        }
        self
    }

    /// Lets go of the loaded data, for a socket that is about to idle. It is loaded again when somebody asks.
    pub fn shrink(&self) {
        if let Some(inner) = &self.0
            && let Ok(mut state) = inner.state.try_lock()
            && !state.modified
        {
            state.data = None;
        }
    }

    /// Whether the answer is gone, and with it the last chance for a new cookie.
    #[cfg(feature = "auth")]
    pub(crate) async fn is_answered(&self) -> bool {
        match &self.0 {
            Some(inner) => inner.state.lock().await.answered,
            None => false,
        }
    }

    /// The key, without loading anything; `None` when there is none or the session is in use at this moment.
    #[cfg(feature = "auth")]
    pub(crate) fn current_key(&self) -> Option<String> {
        let state = self.0.as_ref()?.state.try_lock().ok()?;
        state.key.as_deref().map(str::to_owned)
    }

    /// Where the session is kept.
    #[cfg(feature = "auth")]
    pub(crate) fn store(&self) -> Option<&Arc<dyn SessionStore>> {
        self.0.as_ref().map(|inner| &inner.store)
    }

    /// Takes back that the session was accessed: the middleware's own look is no access.
    #[cfg(feature = "auth")]
    pub(crate) fn forget_access(&self) {
        if let Some(inner) = &self.0 {
            inner.accessed.store(false, Ordering::Relaxed);
        }
    }

    async fn change(
        &self,
        change: impl FnOnce(&mut SessionData) -> Result<(), SessionError>,
    ) -> Result<(), SessionError> {
        let (_, mut state) = self.loaded().await?.ok_or(SessionError::NoMiddleware)?;
        change(state.data.get_or_insert_default())?;
        state.modified = true;
        Ok(())
    }

    async fn loaded(&self) -> Result<Option<(&Inner, MutexGuard<'_, State>)>, SessionError> {
        let Some(inner) = &self.0 else { return Ok(None) };
        let mut state = inner.lock().await;
        if state.data.is_none() {
            let found = match &state.key {
                Some(key) => inner.store.load(key).await?,
                None => None,
            };
            if found.is_none() {
                // An unknown key is dropped, so that nobody can choose another's.
                state.key = None;
            }
            state.data = Some(found.unwrap_or_default());
        }
        Ok(Some((inner, state)))
    }
}

impl State {
    /// No key and no data: nothing that a cookie could stand for.
    fn is_empty(&self) -> bool {
        self.key.is_none() && self.data.as_ref().is_none_or(SessionData::is_empty)
    }
}

impl Inner {
    async fn lock(&self) -> MutexGuard<'_, State> {
        self.accessed.store(true, Ordering::Relaxed);
        self.state.lock().await
    }

    fn wants_saving(&self, state: &State) -> bool {
        state.modified || (self.settings.save_every_request && state.data.is_some())
    }

    async fn save(&self, state: &mut State) -> Result<(), SessionError> {
        if state.answered && (state.key.is_none() || !self.store.keeps_state()) {
            return if state.is_empty() { Ok(()) } else { Err(SessionError::Answered) };
        }
        let data = state.data.get_or_insert_default();
        let expires = data.expiry().date(Utc::now(), self.settings.cookie_age);
        state.key = Some(self.store.save(state.key.as_deref(), data, expires).await?.into());
        state.modified = false;
        if let Some(outdated) = &state.outdated {
            self.store.delete(outdated).await?;
            state.outdated = None;
        }
        Ok(())
    }

    async fn give_cookie(&self, state: &mut State) -> Result<Option<HeaderValue>, SessionError> {
        // It was marked as answered on the way here; this is that answer.
        state.answered = false;
        let saved = self.save(state).await;
        state.answered = true;
        saved?;
        let expiry = state.data.as_ref().map_or(Expiry::Default, SessionData::expiry);
        let key = state.key.as_deref().unwrap_or_default();
        let cookie = self.settings.cookie(key, expiry, self.over_tls.load(Ordering::Relaxed));
        cookie.map(Some).map_err(|error| SessionError::Store(error.into()))
    }

    fn take_cookie(&self) -> Result<Option<HeaderValue>, SessionError> {
        let deletion = self.presented.then(|| self.settings.deletion()).transpose();
        deletion.map_err(|error| SessionError::Store(error.into()))
    }
}

impl fmt::Debug for Session {
    /// Without key and data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_present() { "Session" } else { "Session(none)" })
    }
}
