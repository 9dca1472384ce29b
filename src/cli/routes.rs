//! `routes`: every route with its name, guards and target.

use futures_util::future::BoxFuture;

use super::print::print;
use super::{CliError, Command, Context};

pub(super) struct Routes;

impl Command for Routes {
    fn definition(&self) -> clap::Command {
        clap::Command::new("routes").about("Lists every route, with its name, guards and target")
    }

    fn run(&self, context: Context) -> BoxFuture<'static, Result<(), CliError>> {
        Box::pin(async move { print(context.load()?.routes()) })
    }
}
