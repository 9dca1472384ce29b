//! The course chat site: log in, open a course, talk in its room.
//!
//! ```sh
//! cargo run --example chat                       # then open http://127.0.0.1:8000/ in two browsers
//! cargo run --example chat -- --blocking         # the same rooms with blocking consumers
//! cargo run --example chat -- --database postgres://me@localhost/courses --bind 127.0.0.1:9000
//! ```
//!
//! Members of the demo: `alice` (password `wonderland-1`) and `bob` (`builder-2`) are in course 1, `carol` (`singer-3`)
//! is in course 2. `--production` turns debugging off; it needs a secret key in `SOLENT_SECRET_KEY` and a database
//! without the demo's accounts.

#![allow(unreachable_pub, reason = "the tests mount the same site")]

mod site;

use std::process::ExitCode;

use site::{Settings, Site};
use solent::layers::MemoryChannelLayer;
use solent::server::Server;

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", error.chain());
            ExitCode::FAILURE
        }
    }
}

async fn run() -> solent::Result<()> {
    let settings = Settings::from_arguments(std::env::args().skip(1))?;
    let (bind, debug) = (settings.bind.clone(), settings.debug);
    let site = Site::open(settings).await?;
    let layer = MemoryChannelLayer::new();
    Server::new(site.application()?).debug(debug).channel_layer(layer).bind(bind).serve().await?;
    Ok(())
}
