//! The consumers of the site under test.

use serde::Deserialize;
use solent::Result;
use solent::auth::{SessionError, authenticate, login, logout};
use solent::consumer::{Context, WebsocketConsumer, blocking};
use solent::http::Form;
use solent::websocket::Message;
use tokio::sync::Notify;

use super::application::name_of;

/// Says who its user is, and again when asked.
pub(crate) struct WhoAmI;

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
pub(super) struct LogsIn;

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

/// The same, with a blocking handler; after accept it counts in its session.
pub(super) struct BlockingLogsIn;

impl blocking::WebsocketConsumer for BlockingLogsIn {
    type Event = serde_json::Value;

    fn connect(ctx: &mut blocking::Context) -> Result<Self> {
        let Credentials { username, password } = credentials(&ctx.scope().query_string);
        ctx.wait_for(async |scope| {
            let user = authenticate(scope, &username, &password).await?;
            login(scope, &user.unwrap()).await
        })?;
        ctx.accept()?;
        ctx.send(name_of(ctx.scope()))?;
        Ok(Self)
    }

    fn receive(&mut self, ctx: &mut blocking::Context, _: Message) -> Result<()> {
        let count = ctx.wait_for(async |scope| {
            let count = scope.session.get::<u32>("count").await?.unwrap_or(0) + 1;
            scope.session.set("count", &count).await?;
            scope.session.save().await?;
            Ok::<_, SessionError>(count)
        })?;
        ctx.send(count.to_string())
    }
}

fn credentials(query: &str) -> Credentials {
    let form = Form::parse(query.as_bytes()).unwrap();
    let field = |name| form.get(name).unwrap().to_owned();
    Credentials { username: field("username"), password: field("password") }
}

/// Tries to log in after it has accepted, and says what came of it.
pub(super) struct LogsInLate;

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
pub(super) struct LogsOut;

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
pub(super) struct Slow;

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
