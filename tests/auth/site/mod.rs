//! The site under test: views and sockets behind the whole stack, over raw sockets.

mod application;
mod consumers;
mod watched;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use solent::auth::{
    Auth, AuthSettings, Database, DatabaseOptions, DatabaseSessions, DatabaseUsers, Hasher, NewUser,
    Passwords, SecretKeys, SessionSettings, SessionStore, UserStore, UserTable,
};
use solent::layers::{ChannelLayer, MemoryChannelLayer};
use solent::middleware::{SessionLayer, auth_stack};
use solent::server::{AccessLog, Running, Server};

use crate::raw::{Head, Raw};
use application::application;
use watched::Watched;

pub(crate) use application::{log_in, log_out, whoami};
pub(crate) use consumers::{CONNECTING, MAY_ACCEPT, WhoAmI};
pub(crate) use watched::Watch;

/// The secret key of the sites under test.
pub(crate) const KEY: &str = "a key for tests that is long enough to be one";

/// A hasher that costs nothing.
pub(crate) const CHEAP: Hasher = Hasher::Pbkdf2Sha256 { iterations: 10 };

pub(crate) struct Site {
    pub(crate) running: Running,
    pub(crate) database: Database,
    pub(crate) auth: Auth,
    _folder: Option<tempfile::TempDir>,
}

/// What a test may change.
pub(crate) struct Plan {
    pub(crate) keys: SecretKeys,
    pub(crate) sessions: SessionSettings,
    pub(crate) interval: Duration,
    pub(crate) layer: Option<Arc<dyn ChannelLayer>>,
    /// Stands in front of the session store.
    pub(crate) watched: Option<Arc<Watch>>,
    pub(crate) users: UserTable,
    /// In place of the database's sessions.
    pub(crate) store: Option<Store>,
}

pub(crate) type Store = Arc<dyn SessionStore>;

impl Default for Plan {
    fn default() -> Self {
        Self {
            keys: SecretKeys::new(KEY),
            sessions: SessionSettings::default(),
            interval: Duration::from_secs(30),
            layer: Some(Arc::new(MemoryChannelLayer::new())),
            watched: None,
            users: UserTable::default(),
            store: None,
        }
    }
}

/// A database with alice (enrolled in course 1), bob (inactive) and carol (enrolled in nothing).
pub(crate) async fn database_at(path: PathBuf) -> Database {
    let url = format!("sqlite:{}", path.display());
    let database = Database::connect(&url, DatabaseOptions::default()).await.unwrap();
    database.migrate().await.unwrap();
    let users = DatabaseUsers::new(database.clone());
    for (username, password) in [("alice", "wonderland-1"), ("bob", "builder-2"), ("carol", "singer-3")] {
        let password = &CHEAP.encode(password, "abcdefghijklmnopqrstuv").unwrap();
        users.create(NewUser { username, password, ..NewUser::default() }).await.unwrap();
    }
    database.execute("UPDATE auth_user SET is_active = 0 WHERE username = 'bob'", &[]).await.unwrap();
    database.execute("CREATE TABLE enrolled (course_id integer, user_id integer)", &[]).await.unwrap();
    database.execute("INSERT INTO enrolled VALUES (1, 1)", &[]).await.unwrap();
    database
}

impl Site {
    pub(crate) async fn start() -> Self {
        Self::with(Plan::default()).await
    }

    pub(crate) async fn with(plan: Plan) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = database_at(folder.path().join("site.sqlite3")).await;
        Self { _folder: Some(folder), ..Self::on(database, plan).await }
    }

    /// A site on a database that is there already.
    pub(crate) async fn on(database: Database, plan: Plan) -> Self {
        let mut settings = AuthSettings::default();
        settings.passwords = Passwords::new(CHEAP);
        settings.recheck_interval = plan.interval;
        let users = DatabaseUsers::in_table(database.clone(), plan.users).unwrap();
        let auth = Auth::new(users, plan.keys.clone(), settings);
        let store = DatabaseSessions::new(database.clone(), plan.keys);
        let sessions = match (plan.watched, plan.store) {
            (Some(watch), _) => SessionLayer::new(Watched { store, watch }),
            (None, Some(other)) => SessionLayer::new(other),
            (None, None) => SessionLayer::new(store),
        };
        let stack = auth_stack(sessions.with_settings(plan.sessions), auth.clone());
        let mut server = Server::new(application(&stack, &database)).bind("127.0.0.1:0");
        if let Some(layer) = plan.layer {
            let mut layers = solent::layers::ChannelLayers::new();
            layers.insert("default", layer);
            server = server.channel_layers(layers);
        }
        let running = server.access_log(AccessLog::off()).start().await.unwrap();
        Self { running, database, auth, _folder: None }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.running.addresses()[0]
    }

    pub(crate) async fn get(&self, path: &str, cookie: &str) -> (Head, String) {
        self.request(&format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{}\r\n", cookie_line(cookie))).await
    }

    pub(crate) async fn post(&self, path: &str, cookie: &str, form: &str) -> (Head, String) {
        self.request(&format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {}\r\n{}\r\n{form}",
            form.len(),
            cookie_line(cookie),
        ))
        .await
    }

    pub(crate) async fn request(&self, bytes: &str) -> (Head, String) {
        let mut raw = Raw::connect(self.address()).await;
        raw.send(bytes).await;
        raw.response().await
    }

    /// Logs in and gives the cookie.
    pub(crate) async fn login(&self, username: &str, password: &str) -> String {
        let (head, body) =
            self.post("/login/", "", &format!("username={username}&password={password}")).await;
        assert_eq!(head.status, 302, "{body}");
        cookie_of(&head)
    }

    pub(crate) async fn alice(&self) -> String {
        self.login("alice", "wonderland-1").await
    }

    pub(crate) async fn socket(&self, path: &str, cookie: &str) -> Raw {
        Raw::websocket_with(self.address(), path, &cookie_line(cookie)).await
    }

    /// A handshake's answer.
    pub(crate) async fn handshake(&self, path: &str, cookie: &str) -> Head {
        let mut raw = Raw::connect(self.address()).await;
        raw.send(crate::raw::handshake(path, &cookie_line(cookie))).await;
        raw.head().await
    }

    pub(crate) async fn users(&self) -> DatabaseUsers {
        DatabaseUsers::new(self.database.clone())
    }
}

pub(crate) fn cookie_line(cookie: &str) -> String {
    if cookie.is_empty() { String::new() } else { format!("Cookie: {cookie}\r\n") }
}

/// `name=value` of the first `Set-Cookie`.
pub(crate) fn cookie_of(head: &Head) -> String {
    let cookie = head.header("set-cookie").unwrap_or_else(|| panic!("no cookie: {}", head.text));
    cookie.split(';').next().unwrap().to_owned()
}

/// Lets a database be changed as Django would change it.
pub(crate) async fn set_password(site: &Site, username: &str, password: &str) {
    let encoded = CHEAP.encode(password, "vutsrqponmlkjihgfedcba").unwrap();
    let values = [("password", encoded.into()), ("username", username.into())];
    site.database
        .execute("UPDATE auth_user SET password = :password WHERE username = :username", &values)
        .await
        .unwrap();
}

/// The stored user, whoever changed it.
pub(crate) async fn stored(site: &Site, username: &str) -> solent::auth::StoredUser {
    site.users().await.by_username(username).await.unwrap().unwrap()
}
