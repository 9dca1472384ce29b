//! `clearsessions`: forgets the sessions that have expired.

use futures_util::future::BoxFuture;

use super::print::say;
use super::{CliError, Command, Context};

pub(super) struct ClearSessions;

impl Command for ClearSessions {
    fn definition(&self) -> clap::Command {
        clap::Command::new("clearsessions").about("Forgets the sessions that have expired").long_about(
            "Forgets the sessions that have expired, which nobody else takes out of the database. Django's command \
             of the same name; either side may run it, from cron for example.",
        )
    }

    fn run(&self, context: Context) -> BoxFuture<'static, Result<(), CliError>> {
        Box::pin(async move {
            let cleared = context.load()?.clear_expired_sessions().await?;
            say!("{cleared} expired sessions cleared")
        })
    }
}
