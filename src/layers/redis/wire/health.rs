//! [`Health`]: what is known of one host's connections, and one log line per outage.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::layers::LayerError;
use crate::layers::locks::lock;

/// A connection whose state counts: each task that holds one has a number of its own.
pub(in crate::layers::redis) type Part = usize;

/// The state of one host: ready when all its parts are.
#[derive(Debug)]
pub(in crate::layers::redis) struct Health {
    host: String,
    parts: watch::Sender<HashMap<Part, State>>,
    outages: Mutex<HashMap<Part, Instant>>,
    reconnects: AtomicU64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    Connecting,
    Ready,
    Lost(String),
}

impl Health {
    /// A host with these connections still to be made.
    pub(in crate::layers::redis) fn new(host: String, parts: &[Part]) -> Self {
        let parts = parts.iter().map(|part| (*part, State::Connecting)).collect();
        Self {
            host,
            parts: watch::Sender::new(parts),
            outages: Mutex::default(),
            reconnects: AtomicU64::new(0),
        }
    }

    pub(in crate::layers::redis) fn is_ready(&self) -> bool {
        self.parts.borrow().values().all(|state| *state == State::Ready)
    }

    /// How often a lost connection was made again.
    pub(in crate::layers::redis) fn reconnects(&self) -> u64 {
        self.reconnects.load(Relaxed)
    }

    /// Whether a part was connected, or was tried to, and is not: what is sent over it now is surely not sent.
    pub(in crate::layers::redis) fn is_lost(&self, part: Part) -> bool {
        matches!(self.parts.borrow().get(&part), Some(State::Lost(_)))
    }

    /// How long a part has been away; `None` when it is not.
    pub(in crate::layers::redis) fn away(&self, part: Part) -> Option<Duration> {
        lock(&self.outages).get(&part).map(Instant::elapsed)
    }

    /// A part is connected. The last one to come back ends the outage.
    pub(in crate::layers::redis) fn ready(&self, part: Part) {
        self.parts.send_modify(|parts| drop(parts.insert(part, State::Ready)));
        let mut outages = lock(&self.outages);
        let Some(away) = outages.remove(&part).map(|since| since.elapsed()) else { return };
        self.reconnects.fetch_add(1, Relaxed);
        if outages.is_empty() {
            tracing::info!(host = self.host, seconds = away.as_secs_f32(), "Redis is back");
        }
    }

    /// A part has lost its connection, or cannot make one. Only the first of an outage is logged.
    pub(in crate::layers::redis) fn lost(&self, part: Part, reason: &str) {
        self.parts.send_modify(|parts| drop(parts.insert(part, State::Lost(reason.to_owned()))));
        let mut outages = lock(&self.outages);
        if outages.is_empty() {
            tracing::warn!(host = self.host, reason, "Redis is away");
        }
        outages.entry(part).or_insert_with(Instant::now);
    }

    /// A part has ended and counts no more.
    pub(in crate::layers::redis) fn ended(&self, part: Part) {
        self.parts.send_modify(|parts| drop(parts.remove(&part)));
        lock(&self.outages).remove(&part);
    }

    /// The error of an operation that needs this host.
    pub(in crate::layers::redis) fn unavailable(&self, reason: impl Into<String>) -> LayerError {
        LayerError::Unavailable { host: self.host.clone(), reason: reason.into() }
    }

    /// The parts' states, to be waited on.
    pub(in crate::layers::redis) fn watch(&self) -> Watch {
        Watch(self.parts.subscribe())
    }

    /// Waits until a part is ready. While its first connection is being made, that takes as long as it does; after that
    /// there is no waiting: a lost one is an error at once.
    pub(in crate::layers::redis) async fn check(&self, part: Part) -> Result<(), LayerError> {
        // The usual case, and the quick one: it is asked for every message.
        if self.parts.borrow().get(&part) == Some(&State::Ready) {
            return Ok(());
        }
        let mut parts = self.parts.subscribe();
        let state = match parts.wait_for(|parts| parts.get(&part) != Some(&State::Connecting)).await {
            Ok(parts) => parts.get(&part).cloned(),
            Err(_) => return Err(self.unavailable("the layer has ended")),
        };
        match state {
            Some(State::Lost(reason)) => Err(self.unavailable(reason)),
            _ => Ok(()),
        }
    }

    /// Waits until a part is ready, however long it is away, or has ended. Cancel safe.
    pub(in crate::layers::redis) async fn until_ready(&self, part: Part) {
        let is_away = |parts: &HashMap<Part, State>| {
            matches!(parts.get(&part), Some(State::Connecting | State::Lost(_)))
        };
        // The sender is this health's own and does not end before it.
        let _ = self.parts.subscribe().wait_for(|parts| !is_away(parts)).await;
    }

    /// Waits until every part is ready.
    ///
    /// # Errors
    /// [`LayerError::Unavailable`] as soon as one is lost.
    pub(in crate::layers::redis) async fn check_all(&self) -> Result<(), LayerError> {
        let parts: Vec<Part> = self.parts.borrow().keys().copied().collect();
        for part in parts {
            self.check(part).await?;
        }
        Ok(())
    }
}

/// A view of a host's parts.
#[derive(Debug)]
pub(in crate::layers::redis) struct Watch(watch::Receiver<HashMap<Part, State>>);

impl Watch {
    /// Waits until another part is lost: a connection on which nothing happens has not noticed yet what became of it.
    /// Cancel safe.
    pub(in crate::layers::redis) async fn another_lost(&mut self, own: Part) {
        loop {
            if self.0.changed().await.is_err() {
                return std::future::pending().await;
            }
            let parts = self.0.borrow_and_update();
            if parts.iter().any(|(part, state)| *part != own && matches!(state, State::Lost(_))) {
                return;
            }
        }
    }
}
