//! A chat: rooms in which browsers talk to each other.
//!
//! ```sh
//! cargo run --example chat            # then open http://127.0.0.1:8000/ in two windows
//! cargo run --example chat -- --blocking
//! ```

#![allow(unreachable_pub, reason = "the tests mount the same site")]

mod site;

use std::path::Path;

use solent::layers::MemoryChannelLayer;
use solent::server::Server;

#[tokio::main]
async fn main() -> solent::Result<()> {
    let blocking = std::env::args().any(|argument| argument == "--blocking");
    let handlers = if blocking { site::Handlers::Blocking } else { site::Handlers::Async };
    let templates = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    let app = site::application(&templates, handlers)?;
    Server::new(app)
        .debug(true)
        .channel_layer(MemoryChannelLayer::new())
        .bind("127.0.0.1:8000")
        .serve()
        .await?;
    Ok(())
}
