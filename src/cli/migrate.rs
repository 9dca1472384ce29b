//! `migrate`: makes the tables that are missing.

use futures_util::future::BoxFuture;

use super::print::say;
use super::{CliError, Command, Context};

pub(super) struct Migrate;

impl Command for Migrate {
    fn definition(&self) -> clap::Command {
        clap::Command::new("migrate").about("Makes the tables that are missing").long_about(
            "Makes Django's tables of users and sessions, and those of the files in database.schema, where they are \
             missing. Tables that are there stay as they are.",
        )
    }

    fn run(&self, context: Context) -> BoxFuture<'static, Result<(), CliError>> {
        Box::pin(async move {
            let loaded = context.load()?;
            loaded.make_tables().await?;
            say!("all tables are there")
        })
    }
}
