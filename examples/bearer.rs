//! Clients that are no browsers: a token says who they are, in a header or in the subprotocol.
//!
//! Run with `cargo run --example bearer`. It prints a token; then
//! `curl -H "Authorization: Bearer TOKEN" http://127.0.0.1:8000/`, and a WebSocket client opens
//! `ws://127.0.0.1:8000/ws/` with the same header, or with the subprotocols `chat` and `bearer.TOKEN`.

use std::time::{Duration, SystemTime};

use solent::auth::{BearerClaims, SecretKeys, SignedTokens};
use solent::consumer::{Context, WebsocketConsumer, consumer};
use solent::http::{Request, RequestExt};
use solent::layers::Value;
use solent::middleware::{BearerLayer, OriginValidatorLayer};
use solent::routing::{ProtocolTypeRouter, UrlRouter, ViewRouter, path};
use solent::server::Server;
use solent::websocket::Message;
use solent::{Result, Scoped};
use tower::Layer;

/// Answers with who sent it.
struct Named;

impl WebsocketConsumer for Named {
    type Event = Value;

    async fn connect(ctx: &mut Context) -> Result<Self> {
        ctx.accept().await?;
        Ok(Self)
    }

    async fn receive(&mut self, ctx: &mut Context, message: Message) -> Result<()> {
        let id = ctx.user().id().unwrap_or_default().to_owned();
        ctx.send(format!("{id}: {}", message.as_text()?)).await
    }
}

async fn who(request: Request) -> Result<String> {
    let expires = request.scope().extensions.get::<BearerClaims>().and_then(|claims| claims.expires);
    let left = expires.and_then(|end| end.duration_since(SystemTime::now()).ok()).unwrap_or_default();
    Ok(format!("you are {:?} for {} minutes", request.user().id().unwrap_or_default(), left.as_secs() / 60))
}

/// The tokens of this service: valid for an hour.
pub(crate) fn tokens() -> SignedTokens {
    SignedTokens::new(SecretKeys::new("read this from the environment in earnest"), Duration::from_secs(3600))
}

/// A page and a socket, for bearers of a token alone.
pub(crate) fn app() -> Result<ProtocolTypeRouter> {
    let bearer = BearerLayer::claims_only(tokens()).required();
    // Programs send no Origin; browsers of other sites do, and are refused.
    let origins = OriginValidatorLayer::new(["localhost", "127.0.0.1"]).without_origin_for_bearer();
    let views = ViewRouter::new([path("", who)])?;
    let sockets = UrlRouter::new([path("ws/", consumer::<Named>())])?;
    Ok(ProtocolTypeRouter::new().http(bearer.layer(views)).websocket(bearer.layer(origins.layer(sockets))))
}

#[tokio::main]
async fn main() -> Result<()> {
    println!("a token of user 7: {}", tokens().sign("7", SystemTime::now()));
    Server::new(app()?).bind("127.0.0.1:8000").serve().await?;
    Ok(())
}
