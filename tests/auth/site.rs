//! The site under test: views and sockets behind the whole stack, over raw sockets.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use serde::Deserialize;
use solent::auth::{
    Auth, AuthSettings, Database, DatabaseOptions, DatabaseSessions, DatabaseUsers, Hasher, NewUser,
    Passwords, QueryPermission, SecretKeys, SessionData, SessionError, SessionSettings, SessionStore,
    UserStore, authenticate, login, logout,
};
use solent::consumer::{Context, WebsocketConsumer, consumer};
use solent::http::{Form, HttpError, Request, RequestExt, Response, redirect};
use solent::layers::{ChannelLayer, MemoryChannelLayer};
use solent::middleware::{
    AllowedHosts, AllowedHostsLayer, AuthStack, LoginRequiredLayer, PermissionLayer, SessionLayer, auth_stack,
};
use solent::routing::{ProtocolTypeRouter, UrlRouter, ViewRouter, path};
use solent::server::{AccessLog, Running, Server};
use solent::websocket::Message;
use solent::{Result, Scoped};
use tokio::sync::Notify;
use tower::Layer;

use crate::raw::{Head, Raw};

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
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            keys: SecretKeys::new(KEY),
            sessions: SessionSettings::default(),
            interval: Duration::from_secs(30),
            layer: Some(Arc::new(MemoryChannelLayer::new())),
            watched: None,
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
        let auth = Auth::new(DatabaseUsers::new(database.clone()), plan.keys.clone(), settings);
        let store = DatabaseSessions::new(database.clone(), plan.keys);
        let sessions = match plan.watched {
            Some(watch) => SessionLayer::new(Watched { store, watch }),
            None => SessionLayer::new(store),
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

fn application(stack: &AuthStack, database: &Database) -> ProtocolTypeRouter {
    let enrolled = QueryPermission::new(
        "enrolled",
        database.clone(),
        "SELECT 1 FROM enrolled WHERE course_id = :course_id AND user_id = :user_id",
    );
    let enrolled = PermissionLayer::new(enrolled);
    let login_required = LoginRequiredLayer::new("/login/");
    let views = ViewRouter::new([
        path("whoami/", whoami),
        path("plain/", plain),
        path("count/", count),
        path("fail/", fail),
        path("login/", log_in),
        path("logout/", log_out),
        path("private/", whoami).layer(login_required.clone()),
        path("course/<int:course_id>/", whoami).layer(enrolled.clone()).layer(login_required.clone()),
    ])
    .unwrap();
    let sockets = UrlRouter::new([
        path("ws/whoami/", consumer::<WhoAmI>()),
        path("ws/login/", consumer::<LogsIn>()),
        path("ws/late/", consumer::<LogsInLate>()),
        path("ws/logout/", consumer::<LogsOut>()),
        path("ws/slow/", consumer::<Slow>()),
        path("ws/private/", login_required.layer(consumer::<WhoAmI>())),
        path("ws/course/<int:course_id>/", enrolled.layer(consumer::<WhoAmI>())),
    ])
    .unwrap();
    let hosts = AllowedHostsLayer::new(AllowedHosts::new(["localhost", "127.0.0.1"]));
    ProtocolTypeRouter::new()
        .http(hosts.layer(stack.layer(views)))
        .websocket(hosts.layer(stack.layer(sockets)))
}

fn name_of(scope: &impl Scoped) -> String {
    let user = &scope.scope().user;
    if user.is_authenticated() { user.username().to_owned() } else { "nobody".to_owned() }
}

async fn whoami(request: Request) -> String {
    name_of(&request)
}

async fn plain(_: Request) -> &'static str {
    "plain"
}

async fn count(request: Request) -> Result<String> {
    let session = &request.scope().session;
    let count = session.get::<u32>("count").await?.unwrap_or(0) + 1;
    session.set("count", &count).await?;
    Ok(count.to_string())
}

async fn fail(request: Request) -> Result<String> {
    request.scope().session.set("count", &99).await?;
    Err(solent::Error::msg("on purpose"))
}

async fn log_in(mut request: Request) -> Result<Response> {
    let form = Form::read(&mut request).await?;
    let (username, password) = (form.get("username").unwrap_or(""), form.get("password").unwrap_or(""));
    let Some(user) = authenticate(&request, username, password).await? else {
        return Err(HttpError::forbidden("Please enter a correct username and password.").into());
    };
    login(&mut request, &user).await?;
    Ok(redirect("/whoami/")?)
}

async fn log_out(mut request: Request) -> Result<String> {
    logout(&mut request).await?;
    Ok(request.user().username().to_owned())
}

/// Says who its user is, and again when asked.
struct WhoAmI;

impl WebsocketConsumer for WhoAmI {
    type Event = serde_json::Value;

    async fn connect(ctx: &mut Context) -> Result<Self> {
        ctx.accept().await?;
        ctx.send(name_of(ctx.scope())).await?;
        Ok(Self)
    }

    async fn receive(&mut self, ctx: &mut Context, _: Message) -> Result<()> {
        ctx.send(name_of(ctx.scope())).await
    }
}

#[derive(Deserialize)]
struct Credentials {
    username: String,
    password: String,
}

/// Logs in during the handshake, by the query.
struct LogsIn;

impl WebsocketConsumer for LogsIn {
    type Event = serde_json::Value;

    async fn connect(ctx: &mut Context) -> Result<Self> {
        let Credentials { username, password } = credentials(&ctx.scope().query_string);
        let user = authenticate(ctx.scope(), &username, &password).await?;
        login(ctx.scope_mut(), &user.unwrap()).await?;
        ctx.accept().await?;
        ctx.send(name_of(ctx.scope())).await?;
        Ok(Self)
    }
}

fn credentials(query: &str) -> Credentials {
    let form = Form::parse(query.as_bytes()).unwrap();
    let field = |name| form.get(name).unwrap().to_owned();
    Credentials { username: field("username"), password: field("password") }
}

/// Tries to log in after it has accepted, and says what came of it.
struct LogsInLate;

impl WebsocketConsumer for LogsInLate {
    type Event = serde_json::Value;

    async fn connect(ctx: &mut Context) -> Result<Self> {
        ctx.accept().await?;
        let user = authenticate(ctx.scope(), "alice", "wonderland-1").await?.unwrap();
        let outcome = match login(ctx.scope_mut(), &user).await {
            Ok(()) => "logged in".to_owned(),
            Err(error) => error.to_string(),
        };
        ctx.send(outcome).await?;
        Ok(Self)
    }
}

/// Logs out when it gets a message.
struct LogsOut;

impl WebsocketConsumer for LogsOut {
    type Event = serde_json::Value;

    async fn connect(ctx: &mut Context) -> Result<Self> {
        ctx.accept().await?;
        Ok(Self)
    }

    async fn receive(&mut self, ctx: &mut Context, _: Message) -> Result<()> {
        Ok(logout(ctx.scope_mut()).await?)
    }
}

/// Accepts when its test says so.
struct Slow;

/// The consumer has been made.
pub(crate) static CONNECTING: Notify = Notify::const_new();

/// The consumer may accept.
pub(crate) static MAY_ACCEPT: Notify = Notify::const_new();

impl WebsocketConsumer for Slow {
    type Event = serde_json::Value;

    async fn connect(ctx: &mut Context) -> Result<Self> {
        CONNECTING.notify_one();
        MAY_ACCEPT.notified().await;
        ctx.accept().await?;
        Ok(Self)
    }
}

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
        let enough = async {
            while self.compared.lock().unwrap().len() < until {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(crate::raw::PATIENCE, enough).await.expect("sockets are compared in time");
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
struct Watched {
    store: DatabaseSessions,
    watch: Arc<Watch>,
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
