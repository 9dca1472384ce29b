//! What users live in: the database, sessions, and the middleware that knows them.

use std::sync::Arc;

use tower::Layer;

use super::BuildError;
use crate::auth::{
    Auth, AuthSettings, CacheSessions, CachedDatabaseSessions, Database, DatabaseSessions, DatabaseUsers,
    MemorySessions, Passwords, RedisCache, SecretKeys, SessionStore, SignedCookieSessions, UserTable,
};
use crate::gateway::settings::{SessionBackend, Settings};
use crate::http::BoxedHttp;
use crate::middleware::{AuthLayer, CookieLayer, SessionLayer};
use crate::routing::BoxedApplication;

/// The stores of a deployment and the middleware over them. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Users {
    pub(crate) database: Option<Database>,
    pub(crate) auth: Option<Auth>,
    sessions: Option<SessionLayer>,
    /// Where the sessions are.
    pub(crate) store: Option<Arc<dyn SessionStore>>,
}

impl Users {
    /// Opens the database, where there is one.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub(crate) async fn open(settings: &Settings) -> Result<Self, BuildError> {
        let database = match &settings.database {
            Some(database) => Some(Database::connect(database.url.0.expose(), database.options()).await?),
            None => None,
        };
        let keys = keys_of(settings);
        let auth = match (&database, &keys) {
            (Some(database), Some(keys)) => Some(auth_of(settings, database, keys)?),
            _ => None,
        };
        let store = store_of(settings, database.as_ref(), keys.as_ref());
        let sessions =
            store.clone().map(|store| SessionLayer::new(store).with_settings(settings.session.settings()));
        Ok(Self { database, auth, sessions, store })
    }

    /// Cookies, session and user around a view.
    pub(super) fn around_view(&self, view: BoxedHttp) -> BoxedHttp {
        let view = match &self.auth {
            Some(auth) => BoxedHttp::new(AuthLayer::new(auth.clone()).layer(view)),
            None => view,
        };
        let view = match &self.sessions {
            Some(sessions) => BoxedHttp::new(sessions.layer(view)),
            None => view,
        };
        BoxedHttp::new(CookieLayer::new().layer(view))
    }

    /// Cookies, session and user around a consumer.
    pub(super) fn around_consumer(&self, consumer: BoxedApplication) -> BoxedApplication {
        let consumer = match &self.auth {
            Some(auth) => BoxedApplication::new(AuthLayer::new(auth.clone()).layer(consumer)),
            None => consumer,
        };
        let consumer = match &self.sessions {
            Some(sessions) => BoxedApplication::new(sessions.layer(consumer)),
            None => consumer,
        };
        BoxedApplication::new(CookieLayer::new().layer(consumer))
    }
}

/// What signs; `None` without a key.
pub(super) fn keys_of(settings: &Settings) -> Option<SecretKeys> {
    let key = settings.secret_key.as_ref()?;
    let fallbacks = settings.secret_key_fallbacks.iter().map(|key| key.expose());
    Some(SecretKeys::new(key.expose()).with_fallbacks(fallbacks))
}

fn auth_of(settings: &Settings, database: &Database, keys: &SecretKeys) -> Result<Auth, BuildError> {
    let mut auth = AuthSettings::default();
    auth.recheck_interval = settings.auth.recheck;
    auth.throttle = settings.auth.throttle.throttle();
    auth.passwords = Passwords::default().with_rehash(settings.auth.rehash.into());
    Ok(Auth::new(users_of(settings, database)?, keys.clone(), auth))
}

/// The users of the site's table.
pub(crate) fn users_of(settings: &Settings, database: &Database) -> Result<DatabaseUsers, BuildError> {
    Ok(DatabaseUsers::in_table(database.clone(), table_of(settings))?)
}

/// Where users are.
pub(crate) fn table_of(settings: &Settings) -> UserTable {
    let mut table = UserTable::default();
    table.table.clone_from(&settings.auth.user_table.value);
    table.id.clone_from(&settings.auth.id_column.value);
    table.username.clone_from(&settings.auth.name_column.value);
    table
}

fn store_of(
    settings: &Settings,
    database: Option<&Database>,
    keys: Option<&SecretKeys>,
) -> Option<Arc<dyn SessionStore>> {
    let backend = settings.session.backend.as_ref().map(|backend| backend.value);
    let backend = backend.or(database.map(|_| SessionBackend::Database))?;
    Some(match backend {
        SessionBackend::Database => Arc::new(DatabaseSessions::new(database?.clone(), keys?.clone())),
        SessionBackend::SignedCookies => {
            Arc::new(SignedCookieSessions::new(keys?.clone(), settings.session.cookie_age))
        }
        SessionBackend::Cache => Arc::new(CacheSessions::new(cache_of(settings)?)),
        SessionBackend::CachedDatabase => {
            let database = DatabaseSessions::new(database?.clone(), keys?.clone());
            Arc::new(CachedDatabaseSessions::new(cache_of(settings)?, database))
        }
        SessionBackend::Memory => Arc::new(MemorySessions::new()),
    })
}

fn cache_of(settings: &Settings) -> Option<RedisCache> {
    settings.session.cache.as_ref()?.cache()
}
