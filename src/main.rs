//! The `solent` binary: serves the course chat, with its templates from this source tree.
//!
//! It mounts the very site of `examples/chat`, on the crate's public API alone.

#[path = "../examples/chat/site/mod.rs"]
#[allow(unreachable_pub, reason = "the example and the tests mount the same site")]
mod site;

use std::process::ExitCode;

use site::{Settings, Site};
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
    let settings = Settings::from_arguments(std::env::args().skip(1))?;
    let (bind, debug) = (settings.bind.clone(), settings.debug);
    let site = Site::open(settings).await?;
    let layer = MemoryChannelLayer::new();
    Server::new(site.application()?).debug(debug).channel_layer(layer).bind(bind).serve().await?;
    Ok(())
}
