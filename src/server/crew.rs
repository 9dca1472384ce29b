//! A process's workers: a listener on each channel, and the applications that handle what comes.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::sleep;
use tracing::{error, info, warn};

use super::worker::WorkerError;
use crate::consumer::Deliveries;
use crate::layers::{ChannelLayer, ChannelName, LayerError, Mailbox, MailboxOptions};
use crate::routing::ProtocolTypeRouter;
use crate::websocket::{Acceptance, Accepted, Connection, Refusal, Transport};
use crate::{Environment, Error, Protocol, Scope};

/// How often a layer that may start late is asked whether it is there.
const ASK_EVERY: Duration = Duration::from_millis(250);

/// What is worked on, and how.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) alias: String,
    pub(super) channels: Vec<String>,
    pub(super) concurrency: usize,
    /// Messages that may wait in this process for one channel's handlers; `None`: the limit `mailbox_events`.
    pub(super) queue: Option<usize>,
}

impl Default for Plan {
    fn default() -> Self {
        Self { alias: "default".to_owned(), channels: Vec::new(), concurrency: 1, queue: None }
    }
}

/// Tells of workers that have ended before their time.
pub(super) type Ended = mpsc::Receiver<WorkerError>;

/// What all workers of a process share.
#[derive(Clone)]
struct Crew {
    app: ProtocolTypeRouter,
    env: Arc<Environment>,
    layer: Arc<dyn ChannelLayer>,
    options: MailboxOptions,
    concurrency: usize,
    ended: mpsc::Sender<WorkerError>,
}

impl Plan {
    /// Starts a worker for each channel; they end with the environment's drain.
    ///
    /// # Errors
    /// [`WorkerError`]: no layer, a channel that cannot be listened on, or one that no application takes.
    pub(super) async fn start(
        &self,
        app: &ProtocolTypeRouter,
        env: &Arc<Environment>,
    ) -> Result<Ended, WorkerError> {
        let (sender, ended) = mpsc::channel(1);
        if self.channels.is_empty() {
            return Ok(ended);
        }
        let layer = env.layers.handle(&self.alias).map_err(WorkerError::NoLayer)?.layer().clone();
        let (events, bytes) =
            (self.queue.unwrap_or(env.limits.mailbox_events).max(1), env.limits.mailbox_bytes);
        let crew = Crew {
            app: app.clone(),
            env: Arc::clone(env),
            layer,
            options: MailboxOptions { events, bytes, ..MailboxOptions::default() },
            concurrency: self.concurrency.max(1),
            ended: sender,
        };
        info!("Running worker for channels {:?}", self.channels);
        for name in &self.channels {
            if let Err(error) = crew.start(name).await {
                env.closing.cancel();
                return Err(error);
            }
        }
        Ok(ended)
    }
}

impl Crew {
    async fn start(&self, name: &str) -> Result<(), WorkerError> {
        let channel = ChannelName::parse(name).map_err(|error| self.failed(name, error.into()))?;
        match self.layer.listen(&channel, self.options).await {
            Ok(mailbox) => self.work(&channel, mailbox).await,
            // The layer has started without its broker, as it was told to.
            Err(error @ LayerError::Unavailable { .. }) => {
                warn!(channel = name, %error, "a worker waits for its channel layer");
                let crew = self.clone();
                self.env.tasks.spawn(async move { crew.start_later(&channel).await });
                Ok(())
            }
            Err(error) => Err(self.failed(name, error)),
        }
    }

    async fn start_later(&self, channel: &ChannelName) {
        let listening = async {
            loop {
                sleep(ASK_EVERY).await;
                match self.layer.listen(channel, self.options).await {
                    Err(LayerError::Unavailable { .. }) => {}
                    outcome => break outcome,
                }
            }
        };
        let outcome = tokio::select! {
            () = self.env.closing.cancelled() => return,
            outcome = listening => outcome,
        };
        let outcome = match outcome {
            Ok(mailbox) => self.work(channel, mailbox).await,
            Err(error) => Err(self.failed(channel.as_str(), error)),
        };
        if let Err(error) = outcome {
            self.tell(error);
        }
    }

    /// Starts the applications that share one channel's messages.
    async fn work(&self, channel: &ChannelName, mailbox: Mailbox) -> Result<(), WorkerError> {
        let deliveries = Deliveries::new(mailbox, self.env.closing.clone());
        let closer = deliveries.clone();
        self.env.tasks.spawn(async move { closer.close_in_time().await });
        for _ in 0..self.concurrency {
            let mut running = self.app.call(self.connection(channel, deliveries.clone()));
            tokio::select! {
                outcome = &mut running => return Err(no_application(channel, outcome)),
                () = deliveries.taken() => {}
            }
            let (crew, channel) = (self.clone(), channel.clone());
            self.env.tasks.spawn(async move {
                tokio::select! {
                    outcome = running => crew.over(&channel, outcome),
                    () = crew.env.stopped.cancelled() => {
                        warn!(%channel, "a worker's handler was given up: the time to stop is over");
                    }
                }
            });
        }
        Ok(())
    }

    fn connection(&self, channel: &ChannelName, deliveries: Deliveries) -> Connection {
        let mut scope =
            Scope::within(Arc::clone(&self.env), Protocol::CHANNEL, Arc::default(), String::new());
        scope.channel = Some(channel.as_str().to_owned());
        scope.extensions.insert(deliveries);
        Connection::new(scope, NoSocket)
    }

    /// An application has ended: in good order only when it was told to.
    fn over(&self, channel: &ChannelName, outcome: Result<(), Refusal>) {
        if !self.env.closing.is_cancelled() {
            self.tell(no_application(channel, outcome));
        }
    }

    fn tell(&self, error: WorkerError) {
        error!(%error, "a worker has ended");
        // The first is enough: it ends the others.
        let _ = self.ended.try_send(error);
    }

    fn failed(&self, channel: &str, source: LayerError) -> WorkerError {
        WorkerError::Listen { channel: channel.to_owned(), source }
    }
}

fn no_application(channel: &ChannelName, outcome: Result<(), Refusal>) -> WorkerError {
    let reason = match outcome {
        Ok(()) => "it ended before the worker".to_owned(),
        Err(Refusal::Denied(denial)) if !denial.detail.is_empty() => denial.detail,
        Err(Refusal::Denied(denial)) => denial.text.into_owned(),
        Err(Refusal::NotFound(_)) => "no route leads to it".to_owned(),
    };
    WorkerError::Application { channel: channel.as_str().to_owned(), reason }
}

/// The transport of a connection that is none: a channel's messages come through its scope.
struct NoSocket;

impl Transport for NoSocket {
    fn accept(self: Box<Self>, _: Acceptance) -> Result<Accepted, Error> {
        Err(Error::msg("a channel has no socket: its messages are handled by a background consumer"))
    }
}
