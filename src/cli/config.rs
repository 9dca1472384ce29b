//! `config show`: every value in force, and where it came from.

use futures_util::future::BoxFuture;

use super::print::print;
use super::{CliError, Command, Context};

pub(super) struct Config;

impl Command for Config {
    fn definition(&self) -> clap::Command {
        clap::Command::new("config").about("Tells what is configured").subcommand_required(true).subcommand(
            clap::Command::new("show")
                .about("Shows every value in force and where it came from; secrets are hidden"),
        )
    }

    fn run(&self, context: Context) -> BoxFuture<'static, Result<(), CliError>> {
        Box::pin(async move { print(context.load()?.show()) })
    }
}
