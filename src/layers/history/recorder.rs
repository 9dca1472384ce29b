//! What is recorded of a set of groups, and the task that records it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::ring::{Item, Ring};
use super::{Inner, Key};
use crate::layers::{ChannelLayer, Delivery, LayerError, Mailbox, MailboxOptions, Overflow};

/// How long joining again waits after it has failed.
const PAUSE: Duration = Duration::from_secs(1);

/// What was recorded of a set of groups.
pub(super) struct Recorded {
    /// Tells this recording from those of other processes and times.
    pub(super) epoch: u64,
    ring: Mutex<Ring>,
    /// The number of what comes next.
    pub(super) next: watch::Sender<u64>,
    /// When the last follower left.
    pub(super) left: Mutex<Instant>,
}

impl Recorded {
    pub(super) fn ring(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, item: Item) {
        let mut ring = self.ring();
        ring.push(item);
        let next = ring.next();
        drop(ring);
        self.next.send_replace(next);
    }

    fn has_been_left_for(&self, time: Duration) -> bool {
        self.left.lock().unwrap_or_else(PoisonError::into_inner).elapsed() >= time
    }
}

/// Joins the groups and begins to record.
pub(super) async fn begin(
    history: &Arc<Inner>,
    layer: &Arc<dyn ChannelLayer>,
    key: &Key,
) -> Result<Arc<Recorded>, LayerError> {
    let mailbox = join(layer, key).await?;
    let recorded = Arc::new(Recorded {
        epoch: rand::random(),
        ring: Mutex::new(Ring::new(history.events, history.bytes)),
        next: watch::Sender::new(0),
        left: Mutex::new(Instant::now()),
    });
    let recorder = Recorder {
        history: Arc::downgrade(history),
        layer: Arc::clone(layer),
        key: key.clone(),
        recorded: Arc::clone(&recorded),
        keep: history.keep,
    };
    tokio::spawn(recorder.run(mailbox));
    Ok(recorded)
}

async fn join(layer: &Arc<dyn ChannelLayer>, (_, groups): &Key) -> Result<Mailbox, LayerError> {
    // What has no room is no secret: whoever follows is told.
    let options = MailboxOptions { overflow: Overflow::Close, events: 1000, ..MailboxOptions::default() };
    let mailbox = layer.new_channel("specific", options).await?;
    for group in groups {
        layer.group_add(group, &mailbox).await?;
    }
    Ok(mailbox)
}

struct Recorder {
    history: Weak<Inner>,
    layer: Arc<dyn ChannelLayer>,
    key: Key,
    recorded: Arc<Recorded>,
    keep: Duration,
}

impl Recorder {
    async fn run(self, mut mailbox: Mailbox) {
        let mut looks = interval((self.keep / 4).clamp(Duration::from_millis(50), Duration::from_secs(15)));
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let delivery = tokio::select! {
                delivery = mailbox.recv() => delivery,
                _ = looks.tick() => match self.is_over() {
                    true => return,
                    false => continue,
                },
            };
            match delivery {
                Delivery::Event(event) => self.recorded.push(Item::Event(event)),
                Delivery::Gap(_) => self.recorded.push(Item::Gap),
                Delivery::Overflow => {
                    mailbox = self.join_again().await;
                    self.recorded.push(Item::Gap);
                }
            }
        }
    }

    async fn join_again(&self) -> Mailbox {
        loop {
            match join(&self.layer, &self.key).await {
                Ok(mailbox) => return mailbox,
                Err(error) => {
                    tracing::debug!(%error, "groups cannot be recorded; trying again");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    /// Whether nobody follows, and nobody is expected back.
    fn is_over(&self) -> bool {
        let Some(history) = self.history.upgrade() else { return true };
        let keep = if history.is_full() { Duration::ZERO } else { self.keep };
        if self.recorded.next.receiver_count() > 0 || !self.recorded.has_been_left_for(keep) {
            return false;
        }
        let held = {
            let recordings = history.recordings.lock().unwrap_or_else(PoisonError::into_inner);
            recordings.get(&self.key).cloned()
        };
        match held {
            Some(held) => history.forget(&self.key, &held),
            None => true,
        }
    }
}
