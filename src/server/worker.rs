//! [`Worker`]: a process that handles the messages of named channels and serves no sockets.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};
use tokio::time::timeout;
use tracing::{info, warn};

use super::crew::{Ended, Plan};
use crate::consumer::WorkerStatsSnapshot;
use crate::layers::{ChannelLayer, ChannelLayers, LayerError};
use crate::routing::ProtocolTypeRouter;
use crate::{Environment, Limits};

/// Handles the messages of plain channels: Channels' `runworker`.
///
/// The application's `channel` part, usually a [`ChannelNameRouter`](crate::routing::ChannelNameRouter), says what
/// handles which channel. Workers in any number of processes, in Rust or Python, may share a channel: the layers
/// `memory` and `redis` give each message to one of them, `redis-pubsub` to all.
///
/// # Examples
/// ```no_run
/// # async fn example(app: solent::routing::ProtocolTypeRouter) -> Result<(), solent::server::WorkerError> {
/// use solent::layers::MemoryChannelLayer;
/// use solent::server::Worker;
///
/// Worker::new(app).channel_layer(MemoryChannelLayer::new()).channels(["thumbnails", "mail"]).run().await
/// # }
/// ```
///
/// Several messages at once, whose order does not matter:
///
/// ```
/// # async fn example(app: solent::routing::ProtocolTypeRouter) -> Result<(), solent::server::WorkerError> {
/// use std::time::Duration;
/// use solent::Limits;
/// use solent::layers::MemoryChannelLayer;
/// use solent::server::Worker;
///
/// let mut limits = Limits::default();
/// limits.drain_time = Duration::from_secs(60);
/// let worker = Worker::new(app)
///     .channel_layer(MemoryChannelLayer::new())
///     .channels(["thumbnails"])
///     .concurrency(8)
///     .queue(1)
///     .limits(limits)
///     .start()
///     .await?;
/// println!("handled so far: {}", worker.stats().handled);
/// worker.shutdown().await;
/// # Ok(())
/// # }
/// ```
#[must_use]
pub struct Worker {
    app: ProtocolTypeRouter,
    layers: ChannelLayers,
    limits: Limits,
    plan: Plan,
    signal: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

/// Why a worker did not start, or ended before it was told to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WorkerError {
    /// There is nothing to work on.
    #[error("a worker needs at least one channel")]
    NoChannels,
    /// There is no layer to listen on.
    #[error("a worker needs a channel layer")]
    NoLayer(#[source] LayerError),
    /// A layer that can't be reached.
    #[error("channel layer {alias:?} did not start")]
    Layer {
        /// The layer's alias.
        alias: String,
        /// What the layer said.
        source: LayerError,
    },
    /// A channel that can't be listened on.
    #[error("cannot listen on channel {channel:?}")]
    Listen {
        /// The channel.
        channel: String,
        /// What the layer said.
        source: LayerError,
    },
    /// A channel that no application takes, or whose application has ended.
    #[error("nothing handles channel {channel:?}: {reason}")]
    Application {
        /// The channel.
        channel: String,
        /// What the application said.
        reason: String,
    },
    /// The system does not let signals be heard.
    #[error("signals cannot be heard on this system")]
    Signals,
}

impl Worker {
    /// A worker for an application, with the default limits and no channel layer.
    pub fn new(app: ProtocolTypeRouter) -> Self {
        Self {
            app,
            layers: ChannelLayers::default(),
            limits: Limits::default(),
            plan: Plan::default(),
            signal: None,
        }
    }

    /// The channel layer `default`.
    pub fn channel_layer(mut self, layer: impl ChannelLayer) -> Self {
        self.layers.insert("default", Arc::new(layer));
        self
    }

    /// All channel layers, by alias.
    pub fn channel_layers(mut self, layers: ChannelLayers) -> Self {
        self.layers = layers;
        self
    }

    /// The alias of the layer that is listened on. Default: `default`. Channels: `--layer`.
    pub fn layer(mut self, alias: impl Into<String>) -> Self {
        self.plan.alias = alias.into();
        self
    }

    /// The channels whose messages are handled.
    pub fn channels<T: Into<String>>(mut self, names: impl IntoIterator<Item = T>) -> Self {
        self.plan.channels.extend(names.into_iter().map(Into::into));
        self
    }

    /// How many messages of one channel are handled at once. Default: 1, which keeps their order; more costs it.
    pub fn concurrency(mut self, values: usize) -> Self {
        self.plan.concurrency = values;
        self
    }

    /// Messages that may wait in this process for one channel's handlers. Default: the limit `mailbox_events`, 100.
    /// Over `redis-pubsub`, which has no place for them elsewhere, what comes beyond it is dropped and counted; the
    /// other layers keep it for whoever is free.
    pub fn queue(mut self, messages: usize) -> Self {
        self.plan.queue = Some(messages);
        self
    }

    /// The bounds: `drain_time` is what handlers have to end in, `blocking_threads` what blocking ones share.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Stops when `signal` resolves, in place of SIGTERM and SIGINT.
    pub fn shutdown_signal(mut self, signal: impl Future<Output = ()> + Send + 'static) -> Self {
        self.signal = Some(Box::pin(signal));
        self
    }

    /// Works until SIGTERM, SIGINT or the signal of the host program; then takes no more messages, and ends when those
    /// that it took are handled, after `drain_time` at the latest. A second signal ends it at once.
    ///
    /// # Errors
    /// [`WorkerError`]: what kept it from starting, or ended it before its time.
    ///
    /// # Cancel safety
    /// Dropping the future stops the worker, and what still runs.
    pub async fn run(mut self) -> Result<(), WorkerError> {
        let signal = self.signal.take();
        let mut running = self.start().await?;
        match signal {
            Some(signal) => {
                tokio::select! {
                    () = signal => {}
                    error = running.failed() => return Err(error),
                }
                running.shutdown().await;
                Ok(())
            }
            None => running.until_signal().await,
        }
    }

    /// Starts and gives the running worker.
    ///
    /// # Errors
    /// [`WorkerError`]: what kept it from starting.
    ///
    /// # Cancel safety
    /// Dropping the future stops what was started.
    pub async fn start(self) -> Result<RunningWorker, WorkerError> {
        if self.plan.channels.is_empty() {
            return Err(WorkerError::NoChannels);
        }
        let mut env = Environment::default();
        env.limits = self.limits;
        env.layers = self.layers;
        let env = Arc::new(env);
        for (alias, layer) in env.layers.iter() {
            let failed = |source| WorkerError::Layer { alias: alias.to_owned(), source };
            layer.start().await.map_err(failed)?;
        }
        let ended = self.plan.start(&self.app, &env).await?;
        Ok(RunningWorker { env, ended })
    }
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Worker").field("plan", &self.plan).finish_non_exhaustive()
    }
}

/// A running worker. Dropping it stops it as a signal would, without waiting.
#[must_use]
pub struct RunningWorker {
    env: Arc<Environment>,
    ended: Ended,
}

impl RunningWorker {
    /// What became of the messages so far.
    pub fn stats(&self) -> WorkerStatsSnapshot {
        self.env.workers.snapshot()
    }

    /// Waits for a channel's handlers to end although nobody told them to.
    async fn failed(&mut self) -> WorkerError {
        match self.ended.recv().await {
            Some(error) => error,
            None => std::future::pending().await,
        }
    }

    /// Takes no more messages and waits until those that were taken are handled, at most for `drain_time`.
    ///
    /// # Cancel safety
    /// Dropping the future stops waiting, and what still runs.
    pub async fn shutdown(self) {
        self.env.closing.cancel();
        self.env.tasks.close();
        info!("stopping the workers");
        if timeout(self.env.limits.drain_time, self.env.tasks.wait()).await.is_err() {
            warn!(handlers = self.env.tasks.len(), "the time to stop is over: giving up what still runs");
        }
        for (_, layer) in self.env.layers.iter() {
            layer.settle().await;
        }
    }

    async fn until_signal(mut self) -> Result<(), WorkerError> {
        let signals = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()));
        let (Ok(mut terminate), Ok(mut interrupt)) = signals else { return Err(WorkerError::Signals) };
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            error = self.failed() => return Err(error),
        }
        tokio::select! {
            () = self.shutdown() => {}
            _ = terminate.recv() => warn!("a second signal: stopping at once"),
            _ = interrupt.recv() => warn!("a second signal: stopping at once"),
        }
        Ok(())
    }
}

impl Drop for RunningWorker {
    fn drop(&mut self) {
        self.env.closing.cancel();
        self.env.stopped.cancel();
    }
}

impl std::fmt::Debug for RunningWorker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RunningWorker").field("stats", &self.stats()).finish_non_exhaustive()
    }
}
