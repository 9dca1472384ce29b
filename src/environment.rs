//! What all connections of one server share: limits, channel layers, route names, the debug switch.

use std::sync::{Arc, OnceLock};

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::consumer::WorkerStats;
use crate::layers::ChannelLayers;
use crate::metrics::Metrics;
use crate::routing::Names;
use crate::websocket::Sockets;
use crate::{BlockingPool, Limits};

/// What all connections of one server share. Built by the server, read by everything downstream of it.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Environment {
    /// Detailed error pages and live templates; never in production.
    pub debug: bool,
    /// The server's bounds.
    pub limits: Limits,
    /// The channel layers, by alias.
    pub layers: ChannelLayers,
    /// The names of all routes, views and sockets alike, for reversing.
    pub names: Arc<Names>,
    /// All open WebSockets.
    pub sockets: Arc<Sockets>,
    /// What this process's workers did.
    pub workers: Arc<WorkerStats>,
    /// The server's counters; [`Figures`](crate::metrics::Figures) reads them.
    pub metrics: Arc<Metrics>,
    /// Cancelled when a drain begins: answers without an end end then.
    pub(crate) closing: CancellationToken,
    /// Cancelled when a drain's time is over.
    pub(crate) stopped: CancellationToken,
    /// Work beside connections that a drain waits for.
    pub(crate) tasks: TaskTracker,
    /// Made on first use, so that who builds an environment need not know of it.
    blocking: Arc<OnceLock<BlockingPool>>,
}

impl Environment {
    /// The pool for blocking views and consumers, bounded by [`limits`](Self::limits) as they stand at its first
    /// use.
    pub fn blocking(&self) -> &BlockingPool {
        self.blocking.get_or_init(|| BlockingPool::new(&self.limits))
    }
}
