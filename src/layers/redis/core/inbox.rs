//! The task that reads this process's inbox on one host.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::watch;
use tokio::time::sleep;

use super::PIPE;
use super::local::Local;
use super::scripts::Handed;
use super::source::{Popped, Source};
use crate::layers::redis::wire::{Backoff, Health, Part};

/// Messages that share one round trip.
const BATCH: usize = 32;

pub(super) struct Inbox {
    pub(super) source: Source,
    pub(super) local: Arc<Local>,
    pub(super) health: Arc<Health>,
    pub(super) part: Part,
    /// How long messages live that were popped by a process that died: nobody else would take them back.
    pub(super) life: u64,
    /// Closed when the layer has ended.
    pub(super) layer: watch::Receiver<()>,
}

impl Inbox {
    pub(super) async fn run(mut self) {
        let mut layer = self.layer.clone();
        tokio::select! {
            () = self.read() => {}
            // Nobody is left to whom a message could be lost.
            _ = layer.changed() => {}
        }
        self.health.ended(self.part);
    }

    async fn read(&mut self) {
        let mut backoff = Backoff::default();
        // What was handed over and is not confirmed for sure: after a lost connection nobody knows how far Redis got.
        let (mut handed, mut sure) = (Vec::<Bytes>::new(), false);
        loop {
            match self.turn(&handed, sure).await {
                Ok(found) => {
                    if self.source.connection.is_some() {
                        self.health.ready(self.part);
                    }
                    backoff = Backoff::default();
                    if !found.is_empty() {
                        // After an outage memberships are restored, and who has lost something is told, before this.
                        self.health.until_ready(PIPE).await;
                    }
                    found.iter().for_each(|(message, _)| self.local.hand_out(&self.source.key, message));
                    (handed, sure) = (found.into_iter().map(|(message, _)| message).collect(), true);
                }
                Err(reason) => {
                    sure = false;
                    self.health.lost(self.part, &reason);
                    sleep(backoff.next()).await;
                }
            }
        }
    }

    /// What waits, or what comes first within some seconds.
    async fn turn(&mut self, handed: &[Bytes], sure: bool) -> Result<Vec<Popped>, String> {
        let confirmed = if sure { Handed::All } else { Handed::These(handed) };
        let found = self.source.fetch(BATCH, self.life, confirmed).await?;
        if !found.is_empty() {
            return Ok(found);
        }
        self.health.ready(self.part);
        Ok(self.source.wait().await?.into_iter().collect())
    }
}
