//! `RecordingChannelLayer`: a layer in memory that remembers what was asked of it and fails when it is told to.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::layers::{
    ChannelLayer, ChannelName, Delivered, Event, GroupName, LayerError, LayerStatsSnapshot, Mailbox,
    MailboxOptions, MemoryChannelLayer,
};

/// What was asked of a layer.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Call {
    /// A message to one channel.
    Send {
        /// To whom.
        channel: ChannelName,
        /// What.
        event: Event,
    },
    /// A message to a group.
    GroupSend {
        /// To whom.
        group: GroupName,
        /// What.
        event: Event,
    },
    /// A membership began.
    GroupAdd {
        /// Of which group.
        group: GroupName,
        /// Whose.
        channel: ChannelName,
        /// Whether the group's events go past the consumer.
        forwarded: bool,
    },
    /// A membership was ended by its owner. Those that die with their mailbox are not told to any layer.
    GroupDiscard {
        /// Of which group.
        group: GroupName,
        /// Whose.
        channel: ChannelName,
    },
    /// A mailbox was made.
    NewChannel {
        /// Its name.
        channel: ChannelName,
    },
    /// A plain channel was received from or listened on.
    Receive {
        /// Its name.
        channel: ChannelName,
    },
    /// Everything was forgotten.
    Flush,
}

/// What goes wrong with one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// It never arrives, and nobody is told.
    Drop,
    /// It arrives later, behind what is sent meanwhile.
    Delay(Duration),
    /// It arrives twice.
    Duplicate,
    /// The send fails with [`LayerError::Unavailable`].
    Unavailable,
}

/// A channel layer for tests: the one in memory, with a record of what was asked of it, and with faults.
///
/// Cheap to clone; clones are the same layer. Faults hit messages in the order in which both come: one
/// [`inject`](Self::inject) hits the next send or group send, whoever makes it.
///
/// # Examples
/// ```
/// use solent::layers::{ChannelLayer, Event, GroupName};
/// use solent::testing::{Call, Fault, RecordingChannelLayer};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let layer = RecordingChannelLayer::new();
/// let (room, event) = (GroupName::new("room")?, Event::new(&serde_json::json!({ "type": "news" }))?);
/// layer.inject(Fault::Unavailable);
/// assert!(layer.group_send(&room, event.clone()).await.is_err());
/// assert!(layer.group_send(&room, event.clone()).await.is_ok());
/// assert_eq!(layer.calls().last(), Some(&Call::GroupSend { group: room, event }));
/// # Ok(())
/// # }
/// ```
///
/// A broker that is away, in front of a layer with settings of one's own:
///
/// ```
/// use serde_json::json;
/// use solent::layers::{ChannelLayer, Event, GroupName, MemoryChannelLayer};
/// use solent::testing::RecordingChannelLayer;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let layer = RecordingChannelLayer::over(MemoryChannelLayer::builder().capacity(10).build());
/// let (room, event) = (GroupName::new("room")?, Event::new(&json!({ "type": "news" }))?);
/// layer.fail();
/// assert!(layer.group_send(&room, event.clone()).await.is_err());
/// layer.restore(); // members hear of a gap
/// layer.group_send(&room, event.clone()).await?;
/// assert_eq!(layer.sent_to(&room), [event.clone(), event]);
/// layer.clear_calls();
/// assert!(layer.calls().is_empty());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default)]
pub struct RecordingChannelLayer(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    layer: MemoryChannelLayer,
    calls: Mutex<Vec<Call>>,
    faults: Mutex<VecDeque<Fault>>,
    is_away: AtomicBool,
}

impl RecordingChannelLayer {
    /// A layer without faults.
    pub fn new() -> Self {
        Self::default()
    }

    /// A recorder in front of a layer with settings of one's own.
    pub fn over(layer: MemoryChannelLayer) -> Self {
        Self(Arc::new(Inner { layer, ..Inner::default() }))
    }

    /// What was asked so far, failed calls included.
    pub fn calls(&self) -> Vec<Call> {
        lock(&self.0.calls).clone()
    }

    /// The events that were sent to a group so far, whatever became of them.
    pub fn sent_to(&self, group: &GroupName) -> Vec<Event> {
        let calls = self.calls().into_iter();
        calls
            .filter_map(|call| match call {
                Call::GroupSend { group: to, event } if to == *group => Some(event),
                _ => None,
            })
            .collect()
    }

    /// Forgets the calls so far.
    pub fn clear_calls(&self) {
        lock(&self.0.calls).clear();
    }

    /// Lets the next message that no other fault waits for meet `fault`.
    pub fn inject(&self, fault: Fault) {
        lock(&self.0.faults).push_back(fault);
    }

    /// The broker is away: every call fails with [`LayerError::Unavailable`] until [`restore`](Self::restore).
    pub fn fail(&self) {
        self.0.is_away.store(true, Ordering::Release);
    }

    /// The broker is back: as layers over a broker do, every member is told that it may have missed something.
    pub fn restore(&self) {
        self.0.is_away.store(false, Ordering::Release);
        let groups = self.0.layer.hub().groups();
        self.gap(&groups);
    }

    /// Tells the members of these groups that they may have missed something.
    pub fn gap(&self, groups: &[GroupName]) {
        self.0.layer.hub().announce_gap(groups);
    }
}

impl Inner {
    fn record(&self, call: Call) -> Result<(), LayerError> {
        lock(&self.calls).push(call);
        if self.is_away.load(Ordering::Acquire) { Err(unavailable()) } else { Ok(()) }
    }

    fn next_fault(&self) -> Option<Fault> {
        lock(&self.faults).pop_front()
    }

    async fn send(&self, channel: &ChannelName, event: Event) -> Result<(), LayerError> {
        self.record(Call::Send { channel: channel.clone(), event: event.clone() })?;
        match self.next_fault() {
            None => self.layer.send(channel, event).await,
            Some(Fault::Drop) => Ok(()),
            Some(Fault::Unavailable) => Err(unavailable()),
            Some(Fault::Duplicate) => {
                self.layer.send(channel, event.clone()).await?;
                self.layer.send(channel, event).await
            }
            Some(Fault::Delay(time)) => {
                let (layer, channel) = (self.layer.clone(), channel.clone());
                tokio::spawn(async move {
                    tokio::time::sleep(time).await;
                    // A late message that finds no room is lost, as on any wire.
                    let _ = layer.send(&channel, event).await;
                });
                Ok(())
            }
        }
    }

    async fn group_send(&self, group: &GroupName, event: Event) -> Result<Delivered, LayerError> {
        self.record(Call::GroupSend { group: group.clone(), event: event.clone() })?;
        match self.next_fault() {
            None => self.layer.group_send(group, event).await,
            Some(Fault::Drop) => Ok(Delivered::default()),
            Some(Fault::Unavailable) => Err(unavailable()),
            Some(Fault::Duplicate) => {
                self.layer.group_send(group, event.clone()).await?;
                self.layer.group_send(group, event).await
            }
            Some(Fault::Delay(time)) => {
                let (layer, group) = (self.layer.clone(), group.clone());
                tokio::spawn(async move {
                    tokio::time::sleep(time).await;
                    let _ = layer.group_send(&group, event).await;
                });
                Ok(Delivered::default())
            }
        }
    }
}

fn unavailable() -> LayerError {
    LayerError::Unavailable { host: "recording".to_owned(), reason: "the test says so".to_owned() }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Each change is one push or pop.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl ChannelLayer for RecordingChannelLayer {
    fn send<'a>(&'a self, channel: &'a ChannelName, event: Event) -> BoxFuture<'a, Result<(), LayerError>> {
        Box::pin(self.0.send(channel, event))
    }

    fn receive<'a>(&'a self, channel: &'a ChannelName) -> BoxFuture<'a, Result<Event, LayerError>> {
        Box::pin(async move {
            self.0.record(Call::Receive { channel: channel.clone() })?;
            self.0.layer.receive(channel).await
        })
    }

    fn listen<'a>(
        &'a self,
        channel: &'a ChannelName,
        options: MailboxOptions,
    ) -> BoxFuture<'a, Result<Mailbox, LayerError>> {
        Box::pin(async move {
            self.0.record(Call::Receive { channel: channel.clone() })?;
            self.0.layer.listen(channel, options).await
        })
    }

    fn new_channel<'a>(
        &'a self,
        prefix: &'a str,
        options: MailboxOptions,
    ) -> BoxFuture<'a, Result<Mailbox, LayerError>> {
        Box::pin(async move {
            let mailbox = self.0.layer.new_channel(prefix, options).await?;
            self.0.record(Call::NewChannel { channel: mailbox.name().clone() })?;
            Ok(mailbox)
        })
    }

    fn group_add<'a>(
        &'a self,
        group: &'a GroupName,
        member: &'a Mailbox,
    ) -> BoxFuture<'a, Result<(), LayerError>> {
        Box::pin(async move {
            let (group_name, channel) = (group.clone(), member.name().clone());
            self.0.record(Call::GroupAdd { group: group_name, channel, forwarded: false })?;
            self.0.layer.group_add(group, member).await
        })
    }

    fn group_forward<'a>(
        &'a self,
        group: &'a GroupName,
        member: &'a Mailbox,
    ) -> BoxFuture<'a, Result<(), LayerError>> {
        Box::pin(async move {
            let (group_name, channel) = (group.clone(), member.name().clone());
            self.0.record(Call::GroupAdd { group: group_name, channel, forwarded: true })?;
            self.0.layer.group_forward(group, member).await
        })
    }

    fn group_discard<'a>(
        &'a self,
        group: &'a GroupName,
        member: &'a Mailbox,
    ) -> BoxFuture<'a, Result<(), LayerError>> {
        Box::pin(async move {
            let (group_name, channel) = (group.clone(), member.name().clone());
            self.0.record(Call::GroupDiscard { group: group_name, channel })?;
            self.0.layer.group_discard(group, member).await
        })
    }

    fn group_add_channel<'a>(
        &'a self,
        group: &'a GroupName,
        channel: &'a ChannelName,
    ) -> BoxFuture<'a, Result<(), LayerError>> {
        Box::pin(async move {
            let (group_name, name) = (group.clone(), channel.clone());
            self.0.record(Call::GroupAdd { group: group_name, channel: name, forwarded: false })?;
            self.0.layer.group_add_channel(group, channel).await
        })
    }

    fn group_discard_channel<'a>(
        &'a self,
        group: &'a GroupName,
        channel: &'a ChannelName,
    ) -> BoxFuture<'a, Result<(), LayerError>> {
        Box::pin(async move {
            self.0.record(Call::GroupDiscard { group: group.clone(), channel: channel.clone() })?;
            self.0.layer.group_discard_channel(group, channel).await
        })
    }

    fn group_send<'a>(
        &'a self,
        group: &'a GroupName,
        event: Event,
    ) -> BoxFuture<'a, Result<Delivered, LayerError>> {
        Box::pin(self.0.group_send(group, event))
    }

    fn has_members<'a>(&'a self, group: &'a GroupName) -> BoxFuture<'a, Result<Option<bool>, LayerError>> {
        self.0.layer.has_members(group)
    }

    fn flush(&self) -> BoxFuture<'_, Result<(), LayerError>> {
        Box::pin(async move {
            self.0.record(Call::Flush)?;
            self.0.layer.flush().await
        })
    }

    fn is_ready(&self) -> bool {
        !self.0.is_away.load(Ordering::Acquire)
    }

    fn stats(&self) -> LayerStatsSnapshot {
        self.0.layer.stats()
    }

    fn describe(&self) -> String {
        "recording".to_owned()
    }
}
