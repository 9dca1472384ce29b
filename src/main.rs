//! The `solent` binary: serves the course chat, with its templates from this source tree.
//!
//! It mounts the very site of `examples/chat`, on the crate's public API alone.

#[path = "../examples/chat/site/mod.rs"]
#[allow(unreachable_pub, reason = "the example and the tests mount the same site")]
mod site;

use std::path::Path;
use std::process::ExitCode;

use solent::layers::MemoryChannelLayer;
use solent::server::Server;

#[tokio::main]
async fn main() -> ExitCode {
    match serve().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("solent: {}", error.chain());
            ExitCode::FAILURE
        }
    }
}

async fn serve() -> solent::Result<()> {
    let templates = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    let blocking = std::env::args().any(|argument| argument == "--blocking");
    let handlers = if blocking { site::Handlers::Blocking } else { site::Handlers::Async };
    let app = site::application(&templates, handlers)?;
    let server = Server::new(app).debug(true).channel_layer(MemoryChannelLayer::new());
    server.bind("127.0.0.1:8000").serve().await?;
    Ok(())
}
