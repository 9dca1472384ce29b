//! The task that reads one plain channel on one host, while someone in this process wants its messages.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, sleep, timeout};

use super::PIPE;
use super::local::Local;
use super::plain::{Message, PlainChannel, PlainChannels};
use super::source::{Popped, Source};
use crate::layers::ChannelName;
use crate::layers::redis::wire::{Backoff, Health, Part};

/// How long a reader waits for someone to want a message again before it asks whether it may end.
const PATIENCE: Duration = Duration::from_secs(1);

/// How often what a dead reader left is looked for.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How long a live reader may take from popping to confirming.
const MOMENT: Duration = Duration::from_millis(250);

pub(super) struct Worker {
    pub(super) source: Source,
    /// The place of the source's host.
    pub(super) host: usize,
    pub(super) local: Arc<Local>,
    pub(super) health: Arc<Health>,
    pub(super) part: Part,
    pub(super) name: ChannelName,
    pub(super) channel: Arc<PlainChannel>,
    pub(super) channels: Arc<PlainChannels>,
    /// What was handed over and not confirmed, because the connection was lost in between.
    pub(super) unconfirmed: Vec<Bytes>,
    /// When it was last looked for what a dead reader left.
    pub(super) looked: Option<Instant>,
}

impl Worker {
    pub(super) async fn run(mut self) {
        let mut backoff = Backoff::default();
        loop {
            if !self.channel.is_wanted() {
                let idle = timeout(PATIENCE, self.channel.wanted.notified()).await.is_err();
                if idle && self.return_all().await.is_ok() && self.channels.may_end(&self.name) {
                    break;
                }
                continue;
            }
            match self.turn().await {
                Ok(()) => {
                    self.health.ready(self.part);
                    backoff = Backoff::default();
                }
                Err(reason) => {
                    self.health.lost(self.part, &reason);
                    sleep(backoff.next()).await;
                }
            }
        }
        self.health.ended(self.part);
    }

    /// Hands over one message: one that waits, or the first that comes within some seconds.
    async fn turn(&mut self) -> Result<(), String> {
        if self.looked.is_none_or(|looked| looked.elapsed() >= LOOK_EVERY) {
            self.take_back().await?;
            self.looked = Some(Instant::now());
        }
        let waiting = self.source.take(&self.unconfirmed).await?;
        self.unconfirmed.clear();
        self.health.ready(self.part);
        match waiting {
            Some(popped) => {
                let message = popped.0.clone();
                self.hand_over(popped).await?;
                self.unconfirmed.push(message.clone());
                // At once, and not with the next read: that may be long after, and another process would take the
                // message back and handle it again.
                self.source.confirm(&message).await?;
                self.unconfirmed.clear();
                Ok(())
            }
            None => {
                let _reading = self.channel.reading(self.host, self.source.id);
                match self.source.wait().await? {
                    Some(popped) => self.hand_over(popped).await,
                    None => Ok(()),
                }
            }
        }
    }

    /// Takes back what a dead reader had popped. A live one confirms at once, so what is still there after a moment is
    /// a dead one's. (Python takes everything back at once, and so handles messages twice now and then.)
    async fn take_back(&mut self) -> Result<(), String> {
        let mut suspects = self.source.in_flight().await?;
        suspects.retain(|message| !self.unconfirmed.contains(message));
        if suspects.is_empty() {
            return Ok(());
        }
        sleep(MOMENT).await;
        let still: HashSet<Bytes> = self.source.in_flight().await?.into_iter().collect();
        suspects.retain(|message| still.contains(message));
        self.source.restore(&suspects).await
    }

    /// Hands over a message; when whoever wanted it has gone, it goes back to Redis for others.
    async fn hand_over(&mut self, popped: Popped) -> Result<(), String> {
        let (framed, score) = popped;
        let Some((event, _)) = self.local.read(&self.source.key, &framed) else { return Ok(()) };
        self.health.until_ready(PIPE).await;
        match self.channel.offer(Message { framed, score, event }) {
            Ok(()) => {
                self.local.hub.stats().count_delivered(1);
                Ok(())
            }
            Err(unwanted) => self.source.put_back(&[(unwanted.framed, unwanted.score)]).await,
        }
    }

    /// Gives Redis back what receivers were handed and did not take.
    async fn return_all(&mut self) -> Result<(), String> {
        let returned = self.channel.take_returned();
        if returned.is_empty() {
            return Ok(());
        }
        let popped: Vec<Popped> =
            returned.iter().map(|message| (message.framed.clone(), message.score)).collect();
        let done = self.source.put_back(&popped).await;
        if done.is_err() {
            self.channel.keep(returned);
        }
        done
    }
}
