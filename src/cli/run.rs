//! `run`: serves the site.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use tracing::{error, info, warn};

use super::signals::{Heard, Signals};
use super::watch::Watch;
use super::{CliError, Command, Context, logging};
use crate::gateway::{BuildError, Deployment};
use crate::server::Notifier;

pub(super) struct Run;

impl Command for Run {
    fn definition(&self) -> clap::Command {
        clap::Command::new("run").about("Serves the site (the default command)").long_about(
            "Serves the site until SIGTERM or SIGINT, then drains: no new connections, answers are finished, sockets \
             are closed one by one. A second signal stops at once. SIGHUP reads the config file and the \
             certificates again without dropping a connection; a file that is wrong is refused, and the one before \
             stays in force. With debug on, a changed file is read by itself. Under systemd (Type=notify) it tells how \
             it is, and that it is alive.",
        )
    }

    fn run(&self, context: Context) -> BoxFuture<'static, Result<(), CliError>> {
        Box::pin(async move {
            let loaded = context.load()?;
            let log = logging::begin(&loaded)?;
            if let Some(warnings) = loaded.warnings() {
                warn!("{}", warnings.told_as("warning"));
            }
            // From here on, so that no signal is missed.
            let mut signals = Signals::listen()?;
            let mut watch = Watch::new(context.config(), loaded.debug());
            let notifier = Arc::new(Notifier::from_env());
            let deployment = tokio::select! {
                started = loaded.start() => started?,
                () = signals.end() => return Ok(()),
            };
            let _watched = notifier.watch();
            let deployment = until_the_end(deployment, &mut signals, &mut watch, &notifier).await;
            notifier.stopping();
            tokio::select! {
                ended = deployment.shutdown() => ended?,
                () = signals.end() => warn!("a second signal: stopping at once"),
            }
            log.end().await;
            Ok(())
        })
    }
}

/// Serves and reloads until a signal ends it.
async fn until_the_end(
    mut deployment: Deployment,
    signals: &mut Signals,
    watch: &mut Watch,
    notifier: &Notifier,
) -> Deployment {
    notifier.ready("serving");
    loop {
        tokio::select! {
            heard = signals.next() => match heard {
                Heard::End => return deployment,
                Heard::Reload => {}
            },
            () = watch.changed() => {}
        }
        notifier.reloading();
        let reloaded = tokio::select! {
            reloaded = deployment.reload() => reloaded,
            () = signals.end() => return deployment,
        };
        // A file that is refused changes nothing: the one before is served on.
        notifier.ready(if reloaded.is_ok() { "serving" } else { "serving; the new config file is refused" });
        tell(reloaded);
    }
}

fn tell(reloaded: Result<Vec<&'static str>, BuildError>) {
    match reloaded {
        Ok(late) => {
            if !late.is_empty() {
                warn!("changes of {} take effect at the next start", late.join(", "));
            }
            info!("the config file was read again");
        }
        Err(refused) => {
            error!(
                "the new config file is refused, the one before stays in force: {}",
                CliError::from(refused)
            );
        }
    }
}
