//! An axum `Router` inside Solent's HTTP side; any other tower service over `http` types fits in the same way.
//!
//! Run with `cargo run --example axum_in_solent`, then look at `http://127.0.0.1:8000/api/hello/you`.

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use solent::Result;
use solent::routing::{ProtocolTypeRouter, ViewRouter, include, mount, path};
use solent::server::Server;

async fn page(_: solent::http::Request) -> &'static str {
    "a page of Solent's"
}

async fn hello(Path(name): Path<String>) -> String {
    format!("hello {name}")
}

/// Solent's own views, and behind `/api/` an axum router, which sees the path without that prefix.
pub(crate) fn app() -> Result<ProtocolTypeRouter> {
    let api: Router = Router::new().route("/hello/{name}", get(hello));
    let views = ViewRouter::new([path("page/", page), include("api/", mount(api))])?;
    Ok(ProtocolTypeRouter::new().http(views))
}

#[tokio::main]
async fn main() -> Result<()> {
    Server::new(app()?).bind("127.0.0.1:8000").serve().await?;
    Ok(())
}
