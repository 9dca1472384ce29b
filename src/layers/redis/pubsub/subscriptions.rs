//! Which subscriptions of one host are in effect, which are asked for, and which may have become useless.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use tokio::sync::{Notify, mpsc, oneshot};

use super::names::Subscription;
use crate::layers::LayerError;
use crate::layers::locks::{lock, shrink_set};
use crate::layers::redis::wire::{Health, Part};

/// Subscriptions that nobody may need any more. Marked from anywhere, a mailbox's end included; looked at by the
/// subscriber a moment later, so that leaving and joining again costs nothing.
#[derive(Debug, Default)]
pub(super) struct Stale {
    names: Mutex<HashSet<Subscription>>,
    marked: Notify,
}

impl Stale {
    pub(super) fn mark(&self, subscription: Subscription) {
        lock(&self.names).insert(subscription);
        self.marked.notify_one();
    }

    pub(super) async fn marked(&self) {
        self.marked.notified().await;
    }

    pub(super) fn take(&self) -> Vec<Subscription> {
        std::mem::take(&mut *lock(&self.names)).into_iter().collect()
    }
}

/// Subscriptions that Redis has confirmed on the present connection.
#[derive(Debug, Default)]
pub(super) struct Confirmed(Mutex<HashSet<Subscription>>);

impl Confirmed {
    pub(super) fn contains(&self, subscription: &Subscription) -> bool {
        lock(&self.0).contains(subscription)
    }

    pub(super) fn add(&self, subscriptions: impl IntoIterator<Item = Subscription>) {
        lock(&self.0).extend(subscriptions);
    }

    /// Forgets those that are not wanted any more and returns them. Whoever comes to want one after this asks for it
    /// anew: joining happens before asking, and both happen before or after this, never across.
    pub(super) fn drop_unwanted(
        &self,
        candidates: Vec<Subscription>,
        is_wanted: impl Fn(&Subscription) -> bool,
    ) -> Vec<Subscription> {
        let mut confirmed = lock(&self.0);
        let unwanted = |candidate: &Subscription| !is_wanted(candidate) && confirmed.remove(candidate);
        let dropped = candidates.into_iter().filter(unwanted).collect();
        shrink_set(&mut confirmed);
        dropped
    }

    /// Forgets those that Redis has ended.
    pub(super) fn forget(&self, ended: &[Subscription]) {
        let mut confirmed = lock(&self.0);
        confirmed.retain(|subscription| !ended.contains(subscription));
    }

    pub(super) fn all(&self) -> Vec<Subscription> {
        lock(&self.0).iter().cloned().collect()
    }

    pub(super) fn clear(&self) {
        lock(&self.0).clear();
    }
}

/// A wish for a subscription, answered when it is in effect.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) subscription: Subscription,
    pub(super) done: oneshot::Sender<Result<(), String>>,
}

/// The layer's hand on the subscriber of one host.
#[derive(Debug)]
pub(super) struct Subscriptions {
    pub(super) confirmed: Arc<Confirmed>,
    pub(super) requests: mpsc::Sender<Request>,
    pub(super) health: Arc<Health>,
    pub(super) part: Part,
}

impl Subscriptions {
    /// Makes sure that a subscription is in effect.
    ///
    /// # Errors
    /// [`LayerError::Unavailable`] while the host is away, or with its words when it refuses.
    pub(super) async fn ensure(&self, subscription: Subscription) -> Result<(), LayerError> {
        if self.confirmed.contains(&subscription) {
            return Ok(());
        }
        self.health.check(self.part).await?;
        let (done, answer) = oneshot::channel();
        let ended = || self.health.unavailable("the layer has ended");
        self.requests.send(Request { subscription, done }).await.map_err(|_| ended())?;
        answer.await.map_err(|_| ended())?.map_err(|reason| self.health.unavailable(reason))
    }
}
