//! [`Health`]: what is known of one host's connections, and one log line per outage.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Instant;

use tokio::sync::watch;

use crate::layers::LayerError;
use crate::layers::locks::lock;

/// A connection whose state counts: each task that holds one has a number of its own.
pub(in crate::layers::redis) type Part = usize;

/// The state of one host: ready when all its parts are.
#[derive(Debug)]
pub(in crate::layers::redis) struct Health {
    host: String,
    parts: Mutex<HashMap<Part, State>>,
    state: watch::Sender<State>,
    lost_at: Mutex<Option<Instant>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    Connecting,
    Ready,
    Lost(String),
}

impl Health {
    /// A host whose `parts` connections are still to be made.
    pub(in crate::layers::redis) fn new(host: String, parts: usize) -> Self {
        let parts = (0..parts).map(|part| (part, State::Connecting)).collect();
        Self {
            host,
            parts: Mutex::new(parts),
            state: watch::Sender::new(State::Connecting),
            lost_at: Mutex::default(),
        }
    }

    pub(in crate::layers::redis) fn is_ready(&self) -> bool {
        *self.state.borrow() == State::Ready
    }

    /// A part is connected. The last one to come back ends the outage.
    pub(in crate::layers::redis) fn ready(&self, part: Part) {
        let mut parts = lock(&self.parts);
        parts.insert(part, State::Ready);
        if parts.values().any(|state| *state != State::Ready) {
            return;
        }
        self.state.send_replace(State::Ready);
        if let Some(since) = lock(&self.lost_at).take() {
            let seconds = since.elapsed().as_secs_f32();
            tracing::info!(host = self.host, seconds, "Redis is back");
        }
    }

    /// A part has lost its connection, or cannot make one. Only the first of an outage is logged.
    pub(in crate::layers::redis) fn lost(&self, part: Part, reason: &str) {
        let mut parts = lock(&self.parts);
        parts.insert(part, State::Lost(reason.to_owned()));
        self.state.send_replace(State::Lost(reason.to_owned()));
        let mut lost_at = lock(&self.lost_at);
        if lost_at.is_none() {
            *lost_at = Some(Instant::now());
            tracing::warn!(host = self.host, reason, "Redis is away");
        }
    }

    /// The error of an operation that needs this host.
    pub(in crate::layers::redis) fn unavailable(&self, reason: impl Into<String>) -> LayerError {
        LayerError::Unavailable { host: self.host.clone(), reason: reason.into() }
    }

    /// Waits until the host is ready. While its first connections are being made, that takes as long as they do; after
    /// that there is no waiting: a lost host is an error at once.
    pub(in crate::layers::redis) async fn check(&self) -> Result<(), LayerError> {
        let mut watch = self.state.subscribe();
        let state = match watch.wait_for(|state| *state != State::Connecting).await {
            Ok(state) => state.clone(),
            Err(_) => return Err(self.unavailable("the layer has ended")),
        };
        match state {
            State::Lost(reason) => Err(self.unavailable(reason)),
            _ => Ok(()),
        }
    }
}
