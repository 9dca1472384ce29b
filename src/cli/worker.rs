//! `worker`: handles the messages of named channels, without serving the site.

use clap::{Arg, ArgAction, value_parser};
use futures_util::future::BoxFuture;

use super::{CliError, Command, Context, logging};

pub(super) struct Worker;

impl Command for Worker {
    fn definition(&self) -> clap::Command {
        clap::Command::new("worker")
            .about("Handles the messages of named channels")
            .long_about(
                "Handles the messages of named channels by the program's background consumers, until SIGTERM or SIGINT; \
                 then what was taken is finished. Any number of workers may share a channel.",
            )
            .arg(
                Arg::new("channels")
                    .value_name("CHANNEL")
                    .num_args(1..)
                    .required(true)
                    .action(ArgAction::Append)
                    .help("The channels to work on"),
            )
            .arg(
                Arg::new("layer")
                    .long("layer")
                    .value_name("ALIAS")
                    .default_value("default")
                    .help("The channel layer"),
            )
            .arg(
                Arg::new("concurrency")
                    .long("concurrency")
                    .value_name("N")
                    .value_parser(value_parser!(u16).range(1..))
                    .default_value("1")
                    .help("Messages of one channel that are handled at once; more than 1 costs their order"),
            )
    }

    fn run(&self, context: Context) -> BoxFuture<'static, Result<(), CliError>> {
        Box::pin(async move {
            let loaded = context.load()?;
            let log = logging::begin(&loaded)?;
            let arguments = context.arguments();
            let channels = arguments.get_many::<String>("channels").into_iter().flatten().cloned();
            let alias = arguments.get_one::<String>("layer").cloned().unwrap_or_default();
            let concurrency = arguments.get_one::<u16>("concurrency").copied().unwrap_or(1);
            let worker = loaded.worker()?.layer(alias).channels(channels).concurrency(concurrency.into());
            let ended = worker.run().await.map_err(CliError::of);
            log.end().await;
            ended
        })
    }
}
