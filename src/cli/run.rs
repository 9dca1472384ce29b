//! `run`: serves the site.

use futures_util::future::BoxFuture;

use super::{CliError, Command, Context, logging};

pub(super) struct Run;

impl Command for Run {
    fn definition(&self) -> clap::Command {
        clap::Command::new("run").about("Serves the site (the default command)").long_about(
            "Serves the site until SIGTERM or SIGINT, then drains: no new connections, answers are finished, sockets \
             are closed one by one. A second signal stops at once.",
        )
    }

    fn run(&self, context: Context) -> BoxFuture<'static, Result<(), CliError>> {
        Box::pin(async move {
            let loaded = context.load()?;
            logging::begin(&loaded);
            let server = loaded.server().await?;
            server.serve().await.map_err(CliError::of)
        })
    }
}
