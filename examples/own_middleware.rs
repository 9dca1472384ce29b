//! Middleware of one's own, one implementation for views and sockets: a token in the query names the user.
//!
//! Run with `cargo run --example own_middleware`, then look at `http://127.0.0.1:8000/?token=open-sesame`. Tokens in
//! addresses end up in logs: this shows the form of a middleware, not how to guard a site.

use std::task::{Context, Poll};

use futures_util::future::{BoxFuture, ready};
use solent::auth::{Account, User};
use solent::consumer::{self, WebsocketConsumer};
use solent::http::{Form, Request, RequestExt};
use solent::layers::Value;
use solent::middleware::Outcome;
use solent::routing::{ProtocolTypeRouter, RouteInfo, Routes, UrlRouter, ViewRouter, path};
use solent::server::Server;
use solent::websocket::Denial;
use solent::{Result, Scoped};
use tower::{Layer, Service};

/// The layer: what an application is wrapped with.
#[derive(Debug, Clone)]
struct TokenLayer;

impl<S> Layer<S> for TokenLayer {
    type Service = TokenCheck<S>;

    fn layer(&self, inner: S) -> TokenCheck<S> {
        TokenCheck(inner)
    }
}

/// The service of [`TokenLayer`].
#[derive(Debug, Clone)]
struct TokenCheck<S>(S);

/// `R` is a request or a connection: all that it needs is a scope.
impl<S, R> Service<R> for TokenCheck<S>
where
    R: Scoped,
    S: Service<
            R,
            Response: Outcome<S::Error> + Send + 'static,
            Error: Send + 'static,
            Future: Send + 'static,
        >,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<S::Response, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, mut request: R) -> Self::Future {
        let scope = request.scope_mut();
        let token = Form::parse(scope.query_string.as_bytes()).ok();
        match token.as_ref().and_then(|query| query.get("token")) {
            Some("open-sesame") => scope.user = User::new(Account::new("1", "ali")),
            Some(_) => return Box::pin(ready(S::Response::refused(Denial::forbidden("token")))),
            None => {}
        }
        Box::pin(self.0.call(request))
    }
}

impl<S: Routes> Routes for TokenCheck<S> {
    fn routes(&self) -> Vec<RouteInfo> {
        self.0.routes()
    }
}

async fn who(request: Request) -> Result<String> {
    Ok(format!("you are {:?}", request.user().username()))
}

struct Who;

impl WebsocketConsumer for Who {
    type Event = Value;

    async fn connect(ctx: &mut consumer::Context) -> Result<Self> {
        ctx.accept().await?;
        ctx.send(format!("you are {:?}", ctx.user().username())).await?;
        Ok(Self)
    }
}

pub(crate) fn app() -> Result<ProtocolTypeRouter> {
    let sockets = UrlRouter::new([path("ws/", consumer::consumer::<Who>())])?;
    Ok(ProtocolTypeRouter::new()
        .http(TokenLayer.layer(ViewRouter::new([path("", who)])?))
        .websocket(TokenLayer.layer(sockets)))
}

#[tokio::main]
async fn main() -> Result<()> {
    Ok(Server::new(app()?).bind("127.0.0.1:8000").serve().await?)
}
