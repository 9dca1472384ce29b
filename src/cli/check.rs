//! `check`: looks for everything that is wrong with the config file.

use clap::{Arg, ArgAction};
use futures_util::future::BoxFuture;

use super::print::say;
use super::{CliError, Command, Context};

pub(super) struct Check;

impl Command for Check {
    fn definition(&self) -> clap::Command {
        clap::Command::new("check")
            .about("Looks for everything that is wrong with the config file")
            .long_about(
                "Looks for everything that is wrong with the config file, its templates and its queries, and tells \
                 all of it at once. The exit code is 0 when nothing is. Queries are tried on the database, in which \
                 nothing is made or changed: what a start would make of a SQLite database is tried in memory. \
                 --offline leaves the database out.",
            )
            .arg(
                Arg::new("offline")
                    .long("offline")
                    .action(ArgAction::SetTrue)
                    .help("Leaves the database out: queries are not tried"),
            )
    }

    fn run(&self, context: Context) -> BoxFuture<'static, Result<(), CliError>> {
        Box::pin(async move {
            let loaded = context.load()?;
            if !context.arguments().get_flag("offline") {
                let missing = loaded.check_with_database().await?;
                if !missing.is_empty() {
                    say!("not in the database yet: {}; `migrate` makes tables", missing.join(", "))?;
                }
            }
            if let Some(warnings) = loaded.warnings() {
                eprintln!("warning: {}", warnings.told_as("warning"));
            }
            say!("{}: nothing is wrong", context.config().display())
        })
    }
}
