//! Solent: the whole stack, as a site would run it.

use std::time::Duration;

use chrono::{SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use solent::Result;
use solent::auth::{
    Auth, AuthSettings, Database, DatabaseOptions, DatabaseSessions, DatabaseUsers, NewUser, SecretKeys,
    SignedCookieSessions, User, login,
};
use solent::consumer::{Context, WebsocketConsumer, consumer};
use solent::http::proxy::Proxy;
use solent::http::{
    BoxedHttp, Render, Request, Response, StaticFiles, Templates, TemplatesLayer, get, with_state,
};
use solent::layers::{Event, GroupName, MemoryChannelLayer, Value};
use solent::middleware::{
    AllowedHosts, AllowedHostsLayer, AuthStack, SessionLayer, allowed_hosts_origin_validator, auth_stack,
};
use solent::routing::{BoxedApplication, ProtocolTypeRouter, UrlRouter, ViewRouter, include, path, re_path};
use solent::server::{AccessLog, Server, Tls};
use solent::websocket::Message;
use tower::Layer;

use super::{Variant, certificate_of};

#[derive(Deserialize)]
struct Incoming {
    message: String,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "type")]
enum ChatEvent {
    #[serde(rename = "chat.message")]
    Message { message: String, user: String, time: String },
}

impl ChatEvent {
    /// What a member's message becomes: parsed, and stamped with user and time.
    fn stamp(ctx: &Context, message: &Message) -> Result<Self> {
        let Incoming { message } = message.json()?;
        Ok(Self::Message { message, user: ctx.user().username().to_owned(), time: now() })
    }
}

/// The time in a form whose length never varies: clients count bytes.
pub fn now() -> String {
    Utc::now().to_rfc3339_opts(SecondsFormat::Micros, true)
}

fn room(ctx: &Context) -> Result<GroupName> {
    let course_id: i64 = ctx.url_route().get("course_id")?;
    Ok(GroupName::new(format!("chat_{course_id}"))?)
}

struct Forwarded(GroupName);

impl WebsocketConsumer for Forwarded {
    type Event = Value;

    async fn connect(ctx: &mut Context) -> Result<Self> {
        let group = room(ctx)?;
        ctx.group_forward(&group).await?;
        ctx.accept().await?;
        Ok(Self(group))
    }

    async fn receive(&mut self, ctx: &mut Context, message: Message) -> Result<()> {
        let event = ChatEvent::stamp(ctx, &message)?;
        ctx.group_send(&self.0, &event).await?;
        Ok(())
    }
}

struct Handled(GroupName);

impl WebsocketConsumer for Handled {
    type Event = ChatEvent;

    async fn connect(ctx: &mut Context) -> Result<Self> {
        let group = room(ctx)?;
        ctx.group_add(&group).await?;
        ctx.accept().await?;
        Ok(Self(group))
    }

    async fn receive(&mut self, ctx: &mut Context, message: Message) -> Result<()> {
        let event = ChatEvent::stamp(ctx, &message)?;
        ctx.group_send(&self.0, &event).await?;
        Ok(())
    }

    async fn event(&mut self, ctx: &mut Context, event: Event<ChatEvent>) -> Result<()> {
        ctx.send_event(&event).await
    }
}

struct Echo;

impl WebsocketConsumer for Echo {
    type Event = Value;

    async fn connect(ctx: &mut Context) -> Result<Self> {
        ctx.accept().await?;
        Ok(Self)
    }

    async fn receive(&mut self, ctx: &mut Context, message: Message) -> Result<()> {
        ctx.send(message).await
    }
}

/// A page of the size that sites have: a list inside a frame, and who is logged in.
pub const PAGE: &str = include_str!("page.html");

/// What the page lists.
pub fn courses() -> Vec<serde_json::Value> {
    (1..=10).map(|id| json!({ "id": id, "title": "Networks from the wire up", "overview": "What travels, and how." })).collect()
}

async fn plain(_: Request) -> Result<Response> {
    Ok(Response::new("hello".into()))
}

/// What the page is made of, given as it is: `json!` would copy it first.
#[derive(Serialize)]
struct Courses {
    courses: Vec<serde_json::Value>,
}

async fn page(request: Request) -> Result<Response> {
    request.render("page.html", Courses { courses: courses() })
}

async fn enter(user: User, mut request: Request) -> Result<Response> {
    login(&mut request, &user).await?;
    plain(request).await
}

/// Who visits: a stack of middleware, and the one user there is.
struct Visitors {
    stack: AuthStack,
    user: User,
}

impl Visitors {
    /// `signed` keeps sessions in the cookie, anything else in SQLite.
    async fn new(sessions: &str) -> Self {
        let keys = SecretKeys::new("a secret key of the load harness, long enough for anyone");
        let file = std::env::temp_dir().join(format!("solent-load-{}.db", std::process::id()));
        let database =
            Database::connect(&format!("sqlite:{}", file.display()), DatabaseOptions::default()).await;
        let database = database.expect("a file for the database");
        database.migrate().await.expect("tables");
        let users = DatabaseUsers::new(database.clone());
        let alice = NewUser { username: "alice", password: "!", ..NewUser::default() };
        let user = User::new(users.create(alice).await.expect("a user"));
        let layer = match sessions {
            "signed" => SessionLayer::new(SignedCookieSessions::new(keys.clone(), Duration::from_secs(3600))),
            _ => SessionLayer::new(DatabaseSessions::new(database, keys.clone())),
        };
        Self { stack: auth_stack(layer, Auth::new(users, keys, AuthSettings::default())), user }
    }
}

/// Serves a whole site: `users` is `anonymous`, `signed` or `database`; `what` is the kind of consumer.
pub fn serve(runtime: tokio::runtime::Runtime, users: &str, what: &str, variant: Variant<'_>) {
    let pattern = r"^ws/room/(?P<course_id>\d+)/$";
    let route = match what {
        "forwarded" => re_path(pattern, consumer::<Forwarded>()),
        "handled" => re_path(pattern, consumer::<Handled>()),
        "echo" => re_path(pattern, consumer::<Echo>()),
        other => panic!("no such consumer: {other}"),
    };
    runtime.block_on(async {
        let visitors = Visitors::new(users).await;
        let hosts = AllowedHosts::new(["127.0.0.1"]);
        let mut views = vec![
            path("plain/", get(plain)),
            path("page/", get(page)),
            path("enter/", get(with_state(visitors.user.clone(), enter))),
        ];
        if let Variant::Front { folder, upstream } = variant {
            views.push(include("static/", StaticFiles::folder(folder)));
            views.push(include("behind/", Proxy::new(upstream.parse().expect("a URL"))));
        }
        let views = ViewRouter::new(views);
        let pages = TemplatesLayer::new(Templates::embedded([("page.html", PAGE)]));
        let views = pages.layer(views.expect("routes"));
        let sockets = UrlRouter::new([route]).expect("a route");
        let origins = allowed_hosts_origin_validator(&hosts);
        let (http, websocket) = match users {
            "anonymous" => (BoxedHttp::new(views), BoxedApplication::new(origins.layer(sockets))),
            _ => (
                BoxedHttp::new(AllowedHostsLayer::new(hosts).layer(visitors.stack.layer(views))),
                BoxedApplication::new(origins.layer(visitors.stack.layer(sockets))),
            ),
        };
        let app = ProtocolTypeRouter::new().http(http).websocket(websocket);
        let server = match variant {
            Variant::Redis(url) => on_redis(Server::new(app), url),
            Variant::Plain | Variant::Tls | Variant::Front { .. } => {
                Server::new(app).channel_layer(MemoryChannelLayer::new())
            }
        };
        let server = match variant {
            Variant::Tls => server.bind_tls("127.0.0.1:0", certificate()),
            Variant::Plain | Variant::Redis(_) | Variant::Front { .. } => server.bind("127.0.0.1:0"),
        };
        let running = server.access_log(AccessLog::off()).start().await.expect("a start");
        super::announce(running.addresses()[0], "");
        std::future::pending::<()>().await;
    });
}

#[cfg(feature = "redis")]
fn on_redis(server: Server, url: &str) -> Server {
    use solent::layers::redis::{Host, RedisPubSubChannelLayer, RedisSettings};
    let settings = RedisSettings::of(Host::parse(url).expect("a URL"));
    server.channel_layer(RedisPubSubChannelLayer::new(settings).expect("settings"))
}

#[cfg(not(feature = "redis"))]
fn on_redis(_: Server, _: &str) -> Server {
    panic!("built without the feature redis")
}

/// A new certificate, which clients find by this process's number.
fn certificate() -> Tls {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
    let (certificate, key) =
        (certificate_of(std::process::id()), tempfile::NamedTempFile::new().expect("a file"));
    std::fs::write(&certificate, made.cert.pem()).expect("a file");
    std::fs::write(key.path(), made.signing_key.serialize_pem()).expect("a file");
    Tls::from_pem_files(&certificate, key.path()).expect("a pair")
}
