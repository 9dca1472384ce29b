//! [`Auth`]: who a session's user is, and logging in and out.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use subtle::ConstantTimeEq;
use unicode_normalization::UnicodeNormalization;

use super::auth_hash::{AuthHashes, MadeBy};
use super::sockets::{Following, Ticket, prepare};
use super::throttle::Failures;
use super::{
    AuthError, LoginThrottle, Passwords, SecretKeys, Session, SessionError, StoredUser, User, UserStore,
};
use crate::http::CsrfToken;
use crate::{Protocol, Scope, Scoped};

const USER_ID: &str = "_auth_user_id";
const BACKEND: &str = "_auth_user_backend";
const HASH: &str = "_auth_user_hash";

/// What can be set about users; Django's settings of the same names.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct AuthSettings {
    /// How passwords are hashed and verified.
    pub passwords: Passwords,
    /// `AUTHENTICATION_BACKENDS`: the names under which a session may say that its user was authenticated. The first
    /// one is written. Django's own `ModelBackend`, so that Django knows the sessions that are made here.
    pub backends: Vec<String>,
    /// How often open sockets are compared with the database. 30 s; longer spares queries, shorter notices sooner
    /// what Django itself has changed.
    pub recheck_interval: Duration,
    /// How many log-ins may fail before the next has to wait.
    pub throttle: LoginThrottle,
}

impl Default for AuthSettings {
    fn default() -> Self {
        Self {
            passwords: Passwords::default(),
            backends: vec!["django.contrib.auth.backends.ModelBackend".to_owned()],
            recheck_interval: Duration::from_secs(30),
            throttle: LoginThrottle::default(),
        }
    }
}

/// Users by session: who they are, and logging in and out. Cheap to clone; one per site.
///
/// # Cancel safety
/// What a dropped future has done by then stands: an entry of the session, which the answer saves, or a stored password. A
/// hash that is being computed is computed to its end and thrown away.
///
/// ```
/// # use std::sync::Arc;
/// use solent::auth::{Auth, AuthSettings, Database, DatabaseUsers, MemorySessions, NewUser, SecretKeys, Session};
/// use solent::{Protocol, Scope};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> solent::Result<()> {
/// # let database = Database::connect("sqlite::memory:", Default::default()).await?;
/// # database.migrate().await?;
/// let mut settings = AuthSettings::default();
/// # settings.passwords = solent::auth::Passwords::new(solent::auth::Hasher::Pbkdf2Sha256 { iterations: 1_000 });
/// settings.throttle.per_account = Some(3);
/// let password = settings.passwords.make("lovelace").await?;
/// let users = DatabaseUsers::new(database);
/// users.create(NewUser { username: "ada", password: &password, ..NewUser::default() }).await?;
/// let auth = Auth::new(users, SecretKeys::new("the site's key"), settings);
///
/// // In a view the scope is the request's, and the session middleware has put the session there.
/// let mut scope = Scope::new(Protocol::HTTP, "/login/");
/// scope.session = Session::new(Arc::new(MemorySessions::new()), Arc::default(), None);
/// let from = Some([192, 0, 2, 7].into());
/// assert!(auth.authenticate_from(from, "ada", "a guess").await?.is_none());
/// let ada = auth.authenticate_from(from, "ada", "lovelace").await?.expect("it is her");
/// auth.login(&mut scope, &ada).await?;
/// auth.change_password(&mut scope, &ada, "byron").await?;
/// assert!(auth.authenticate("ada", "byron").await?.is_some());
/// auth.logout(&mut scope).await?;
/// assert!(!scope.user.is_authenticated());
/// auth.close_sockets(&scope.env, &ada).await;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Auth(Arc<Inner>);

pub(super) struct Inner {
    pub(super) users: Arc<dyn UserStore>,
    hashes: AuthHashes,
    pub(super) settings: AuthSettings,
    pub(super) following: Following,
    failures: Failures,
}

impl Auth {
    /// The users of `users`, whose sessions are bound to their passwords by `keys`.
    pub fn new(users: impl UserStore, keys: SecretKeys, settings: AuthSettings) -> Self {
        let (following, hashes) = (Following::new(&keys), AuthHashes::new(&keys));
        let failures = Failures::new(settings.throttle.clone());
        Self(Arc::new(Inner { users: Arc::new(users), hashes, settings, following, failures }))
    }

    pub(super) fn inner(&self) -> &Arc<Inner> {
        &self.0
    }

    /// The active user of a name and a password; `None` for a wrong one of either, which takes as long.
    ///
    /// A password that was hashed in a weaker way is hashed anew, see [`Rehash`](super::Rehash). Failures are not counted
    /// here, where nobody's address is known.
    ///
    /// # Errors
    /// [`AuthError::Unavailable`]; [`AuthError::Password`] when too many passwords are being hashed.
    ///
    /// # Cancel safety
    /// A check that is dropped may still store a new hash of the same password, or not.
    pub async fn authenticate(&self, username: &str, password: &str) -> Result<Option<User>, AuthError> {
        let stored = self.0.users.by_username(username).await?;
        let column = stored.as_ref().map(|user| &*user.password);
        let checked = self.0.settings.passwords.check(password, column).await?;
        let Some(user) = stored.filter(|user| checked.correct && user.account.is_active) else {
            return Ok(None);
        };
        if let Some(encoded) = checked.rehashed {
            self.0.users.set_password(&user.account.id, &encoded).await?;
        }
        Ok(Some(User::new(user.account)))
    }

    /// As [`authenticate`](Self::authenticate) for a client at `address`, whose failures are counted.
    ///
    /// # Errors
    /// [`AuthError::Throttled`] after too many of them; as [`authenticate`](Self::authenticate).
    pub async fn authenticate_from(
        &self,
        address: Option<IpAddr>,
        username: &str,
        password: &str,
    ) -> Result<Option<User>, AuthError> {
        let attempt = self.0.failures.begin(username, address);
        let attempt = attempt.map_err(|retry_after| AuthError::Throttled { retry_after })?;
        let found = self.authenticate(username, password).await;
        match &found {
            Ok(Some(_)) => attempt.succeeded(),
            Ok(None) => {}
            Err(_) => attempt.came_to_nothing(),
        }
        found
    }

    /// Makes `user` the one of this session. An anonymous session keeps its data under a new key; that of another
    /// user is forgotten.
    ///
    /// In a consumer it works before accept, and the cookie goes with the answer.
    ///
    /// # Errors
    /// [`SessionError::Answered`] after accept; [`AuthError::NoAccount`] when the user is gone meanwhile or not
    /// active; [`AuthError::Unavailable`].
    pub async fn login(&self, to: &mut (impl Scoped + Send), user: &User) -> Result<(), AuthError> {
        let scope = to.scope_mut();
        let id = user.id().unwrap_or_default();
        let stored = self.0.users.by_id(id).await?.filter(|stored| stored.account.is_active);
        let stored = stored.ok_or_else(|| AuthError::NoAccount(user.username().to_owned()))?;
        let hash = self.0.hashes.make(&stored.password);
        let session = scope.session.clone();
        self.make_room(scope, &session, id, &hash).await?;
        session.set(USER_ID, id).await?;
        session.set(BACKEND, self.0.settings.backends.first().map_or("", String::as_str)).await?;
        session.set(HASH, &hash).await?;
        if let Some(csrf) = scope.extensions.get::<CsrfToken>() {
            csrf.rotate();
        }
        self.0.users.logged_in(id).await?;
        self.admit(scope, stored);
        Ok(())
    }

    /// What Django does before it writes a user into a session: a new key, and nothing left of another user.
    async fn make_room(
        &self,
        scope: &Scope,
        session: &Session,
        id: &str,
        hash: &str,
    ) -> Result<(), AuthError> {
        let (old_id, old_hash) = (entry(session, USER_ID).await?, entry(session, HASH).await?);
        let is_same = |old_hash: &str| bool::from(old_hash.as_bytes().ct_eq(hash.as_bytes()));
        match (old_id, old_hash) {
            (None, _) => session.cycle_key().await?,
            (Some(old_id), Some(old_hash)) if is_same_key(&old_id, id) && is_same(&old_hash) => {
                if session.is_answered().await {
                    return Err(SessionError::Answered.into());
                }
            }
            _ if session.is_answered().await => return Err(SessionError::Answered.into()),
            _ => self.end_session(scope, session).await?,
        }
        Ok(())
    }

    /// Forgets the session, its data and its user, and closes its open sockets, everywhere.
    ///
    /// # Errors
    /// [`AuthError::Unavailable`], in which case the user is still logged in; [`SessionError::Answered`] after accept
    /// for sessions that live in the cookie.
    pub async fn logout(&self, from: &mut (impl Scoped + Send)) -> Result<(), AuthError> {
        let scope = from.scope_mut();
        let session = scope.session.clone();
        self.end_session(scope, &session).await?;
        scope.user = User::anonymous();
        scope.extensions.remove::<Ticket>();
        Ok(())
    }

    /// Stores a new password. The session at hand stays, under a new key; all other sessions of the user end, and so
    /// do their open sockets.
    ///
    /// # Errors
    /// As [`login`](Self::login).
    pub async fn change_password(
        &self,
        of: &mut (impl Scoped + Send),
        user: &User,
        password: &str,
    ) -> Result<(), AuthError> {
        let scope = of.scope_mut();
        let id = user.id().ok_or_else(|| AuthError::NoAccount(String::new()))?;
        let encoded = self.0.settings.passwords.make(password).await?;
        self.0.users.set_password(id, &encoded).await?;
        if scope.user.id() == Some(id) {
            scope.session.cycle_key().await?;
            scope.session.set(HASH, &self.0.hashes.make(&encoded)).await?;
        }
        self.0.following.user_changed(&scope.env, id).await;
        Ok(())
    }

    /// Closes all open sockets of a user, everywhere and at once: to be called after an account was deactivated.
    pub async fn close_sockets(&self, env: &crate::Environment, user: &User) {
        if let Some(id) = user.id() {
            self.0.following.user_changed(env, id).await;
        }
    }

    /// How passwords are hashed and verified.
    pub fn passwords(&self) -> &Passwords {
        &self.0.settings.passwords
    }

    /// Finds out who the user of a scope's session is, and puts the user into the scope.
    pub(crate) async fn resolve(&self, scope: &mut Scope) -> Result<(), AuthError> {
        let session = scope.session.clone();
        if scope.protocol == Protocol::WEBSOCKET && session.current_key().is_some() {
            prepare(self, &scope.env).await;
        }
        let Some(stored) = self.session_user(&session).await? else { return Ok(()) };
        let hash = entry(&session, HASH).await?.unwrap_or_default();
        match self.0.hashes.verify(&hash, &stored.password) {
            Some(MadeBy::CurrentKey) => {}
            Some(MadeBy::FallbackKey) if scope.protocol == Protocol::WEBSOCKET => {}
            Some(MadeBy::FallbackKey) => {
                session.cycle_key().await?;
                session.set(HASH, &self.0.hashes.make(&stored.password)).await?;
            }
            None => return self.end_session(scope, &session).await,
        }
        self.admit(scope, stored);
        Ok(())
    }

    /// Puts the active user of a primary key into the scope; `false` when there is none.
    pub(crate) async fn resolve_id(&self, scope: &mut Scope, id: &str) -> Result<bool, AuthError> {
        if scope.protocol == Protocol::WEBSOCKET {
            prepare(self, &scope.env).await;
        }
        let stored = self.0.users.by_id(id).await?.filter(|stored| stored.account.is_active);
        let Some(stored) = stored else { return Ok(false) };
        self.admit(scope, stored);
        scope.auth = Some(self.clone());
        Ok(true)
    }

    /// The active user that a session names, whose password may have changed since.
    async fn session_user(&self, session: &Session) -> Result<Option<StoredUser>, AuthError> {
        let (Some(id), Some(backend)) = (entry(session, USER_ID).await?, entry(session, BACKEND).await?)
        else {
            return Ok(None);
        };
        if !self.0.settings.backends.contains(&backend) {
            return Ok(None);
        }
        Ok(self.0.users.by_id(&id).await?.filter(|stored| stored.account.is_active))
    }

    fn admit(&self, scope: &mut Scope, stored: StoredUser) {
        scope.extensions.insert(self.0.following.ticket(&stored.password));
        scope.user = User::new(stored.account);
    }

    async fn end_session(&self, scope: &Scope, session: &Session) -> Result<(), AuthError> {
        let key = session.key().await?;
        session.flush().await?;
        if let Some(key) = key {
            self.0.following.session_ended(&scope.env, &key).await;
        }
        Ok(())
    }

    fn of(scope: &Scope) -> Result<Self, AuthError> {
        scope.auth.clone().ok_or(AuthError::NoMiddleware)
    }
}

/// Whether two primary keys are one: Django writes a UUID into sessions with hyphens, and into SQLite without.
fn is_same_key(one: &str, other: &str) -> bool {
    let uuid = |key| uuid::Uuid::try_parse(key).ok();
    one == other || uuid(one).is_some_and(|one| uuid(other) == Some(one))
}

/// A session's entry that Django writes as text; one of another type was not written by it and counts as absent.
async fn entry(session: &Session, name: &str) -> Result<Option<String>, AuthError> {
    match session.get(name).await {
        Err(SessionError::Entry { .. }) => Ok(None),
        found => Ok(found?),
    }
}

/// The active user of a name and a password, see [`Auth::authenticate_from`]; the address is the client's.
///
/// # Errors
/// [`AuthError::NoMiddleware`]; as [`Auth::authenticate_from`]. Unhandled, too many failures are a 429.
pub fn authenticate<'a, S: Scoped>(
    scope: &S,
    username: &'a str,
    password: &'a str,
) -> impl Future<Output = Result<Option<User>, AuthError>> + Send + use<'a, S> {
    // Taken out of the scope here: a request's body lets nobody hold a request across an await.
    let auth = Auth::of(scope.scope());
    let address = scope.scope().client.map(|client| client.ip());
    async move { auth?.authenticate_from(address, username, password).await }
}

/// Logs a user in, see [`Auth::login`]. Takes a request, or in a consumer `ctx.scope_mut()`. Channels: `login`.
///
/// # Errors
/// [`AuthError::NoMiddleware`]; as [`Auth::login`].
///
/// # Cancel safety
/// As of [`Auth`]'s methods.
pub async fn login(to: &mut (impl Scoped + Send), user: &User) -> Result<(), AuthError> {
    Auth::of(to.scope())?.login(to, user).await
}

/// Logs the user out, see [`Auth::logout`]. Takes a request, or in a consumer `ctx.scope_mut()`. Channels: `logout`.
///
/// # Errors
/// [`AuthError::NoMiddleware`]; as [`Auth::logout`].
///
/// # Cancel safety
/// As of [`Auth`]'s methods.
pub async fn logout(from: &mut (impl Scoped + Send)) -> Result<(), AuthError> {
    Auth::of(from.scope())?.logout(from).await
}

/// Stores a new password and ends the user's other sessions, see [`Auth::change_password`]. Takes a request, or in a
/// consumer `ctx.scope_mut()`.
///
/// # Errors
/// [`AuthError::NoMiddleware`]; as [`Auth::change_password`].
///
/// # Cancel safety
/// As of [`Auth`]'s methods.
pub async fn change_password(
    of: &mut (impl Scoped + Send),
    user: &User,
    password: &str,
) -> Result<(), AuthError> {
    Auth::of(of.scope())?.change_password(of, user, password).await
}

/// A name as Django's login form and its user model normalise it (NFKC), so that two ways of typing one name are one
/// user. Passwords are never normalised.
pub fn normalize_username(username: &str) -> String {
    username.nfkc().collect()
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Auth").field("users", &self.0.users).finish_non_exhaustive()
    }
}
