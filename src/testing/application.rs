//! `ApplicationCommunicator`: messages on a named channel, handled by a worker in process.

use std::panic::Location;
use std::time::Duration;

use serde::Serialize;
use tokio::time::{sleep, timeout};

use super::recording::RecordingChannelLayer;
use super::transcript::Transcript;
use super::websocket::PATIENCE;
use crate::consumer::WorkerStatsSnapshot;
use crate::layers::{ChannelLayer, ChannelName, Event, GroupName};
use crate::routing::ProtocolTypeRouter;
use crate::server::{RunningWorker, Worker};

/// Between two looks at a worker's counters; by tokio's clock, so that paused time passes by itself.
const LOOK: Duration = Duration::from_millis(1);

/// A worker in process, for one named channel of an application: messages go in, and what it sends through the channel
/// layer is looked at.
///
/// Its layer is a [`RecordingChannelLayer`], so that faults can be injected. An expectation that is not met panics with
/// the conversation so far.
///
/// Channels: `ApplicationCommunicator`, for scopes of type `channel`.
///
/// # Examples
/// ```
/// use serde_json::json;
/// use solent::Result;
/// use solent::consumer::{BackgroundConsumer, BackgroundContext, background_consumer};
/// use solent::layers::{Event, GroupName, Value};
/// use solent::routing::{ChannelNameRouter, ProtocolTypeRouter};
/// use solent::testing::ApplicationCommunicator;
///
/// struct Relay;
///
/// impl BackgroundConsumer for Relay {
///     type Event = Value;
///
///     async fn start(_: &mut BackgroundContext) -> Result<Self> {
///         Ok(Self)
///     }
///
///     async fn event(&mut self, ctx: &mut BackgroundContext, event: Event<Value>) -> Result<()> {
///         ctx.group_send(&GroupName::new("room")?, event.value()).await?;
///         Ok(())
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// let app = ProtocolTypeRouter::new()
///     .channel(ChannelNameRouter::new().channel("relay", background_consumer::<Relay>()));
/// let mut worker = ApplicationCommunicator::start(app, "relay").await;
/// worker.send(&json!({ "type": "news" })).await;
/// let sent = worker.receive_sent_to(&GroupName::new("room")?).await;
/// assert_eq!(sent.message_type(), Some("news"));
/// worker.stop().await;
/// # Ok(())
/// # }
/// ```
///
/// That nothing was sent, with a silence whose time passes by itself where tokio's is paused:
///
/// ```
/// # use serde_json::json;
/// # use solent::Result;
/// # use solent::layers::GroupName;
/// # use solent::testing::ApplicationCommunicator;
/// # async fn quiet(mut worker: ApplicationCommunicator) -> Result<()> {
/// worker.send(&json!({ "type": "draft" })).await;
/// worker.sends_nothing_to(&GroupName::new("room")?, std::time::Duration::from_secs(1)).await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use]
pub struct ApplicationCommunicator {
    worker: RunningWorker,
    layer: RecordingChannelLayer,
    channel: ChannelName,
    sent: u64,
    taken: Vec<(GroupName, usize)>,
    transcript: Transcript,
}

impl ApplicationCommunicator {
    /// Starts a worker for `channel`.
    ///
    /// # Panics
    /// When it does not start: without an application for that channel, say.
    #[track_caller]
    pub fn start(app: ProtocolTypeRouter, channel: &str) -> impl Future<Output = Self> + Send {
        let (at, channel) = (Location::caller(), channel.to_owned());
        async move {
            let (layer, transcript) = (RecordingChannelLayer::new(), Transcript::new());
            let worker = Worker::new(app).channel_layer(layer.clone()).channels([channel.as_str()]);
            let worker = match worker.start().await {
                Ok(worker) => worker,
                Err(error) => transcript.fail(at, crate::Error::from(error).chain()),
            };
            let channel = match ChannelName::new(channel) {
                Ok(channel) => channel,
                Err(error) => transcript.fail(at, error),
            };
            Self { worker, layer, channel, sent: 0, taken: Vec::new(), transcript }
        }
    }

    /// The worker's channel layer: what it was asked, and its faults.
    pub fn layer(&self) -> &RecordingChannelLayer {
        &self.layer
    }

    /// Sends a message to the channel. Channels: `send_input`.
    ///
    /// # Panics
    /// When it can't be an event, or the layer does not take it.
    #[track_caller]
    pub fn send<T: Serialize + ?Sized>(&mut self, message: &T) -> impl Future<Output = ()> + Send + '_ {
        let at = Location::caller();
        let event = Event::new(message);
        async move {
            let event = event.unwrap_or_else(|error| self.transcript.fail(at, error));
            self.transcript.note(format!("-> {}: {:?}", self.channel, event.value()));
            self.sent += 1;
            if let Err(error) = self.layer.send(&self.channel, event).await {
                self.transcript.fail(at, error);
            }
        }
    }

    /// Waits until every message that was sent here was handled, failed, or was not understood, and says how many.
    ///
    /// # Panics
    /// When that takes longer than 5 s.
    #[track_caller]
    pub fn handled(&mut self) -> impl Future<Output = WorkerStatsSnapshot> + Send + '_ {
        let at = Location::caller();
        async move {
            let done = async {
                loop {
                    let stats = self.worker.stats();
                    if stats.handled + stats.failed + stats.undecodable >= self.sent {
                        return stats;
                    }
                    sleep(LOOK).await;
                }
            };
            match timeout(PATIENCE, done).await {
                Ok(stats) => stats,
                Err(_) => {
                    let stats = self.worker.stats();
                    let sent = self.sent;
                    self.transcript
                        .fail(at, format!("{sent} messages were sent, and after {PATIENCE:?}: {stats:?}"))
                }
            }
        }
    }

    /// The next event that the worker sends to a group. Channels: `receive_output`.
    ///
    /// # Panics
    /// When none comes in 5 s.
    #[track_caller]
    pub fn receive_sent_to(&mut self, group: &GroupName) -> impl Future<Output = Event> + Send + '_ {
        let (at, group) = (Location::caller(), group.clone());
        async move {
            match timeout(PATIENCE, self.next_sent_to(&group)).await {
                Ok(event) => event,
                Err(_) => {
                    let stats = self.worker.stats();
                    self.transcript
                        .fail(at, format!("nothing was sent to {group} within {PATIENCE:?}; {stats:?}"))
                }
            }
        }
    }

    async fn next_sent_to(&mut self, group: &GroupName) -> Event {
        let known = self.taken.iter().position(|(known, _)| known == group);
        let place = known.unwrap_or_else(|| {
            self.taken.push((group.clone(), 0));
            self.taken.len() - 1
        });
        loop {
            let next = self.layer.sent_to(group).into_iter().nth(self.taken[place].1);
            if let Some(event) = next {
                self.taken[place].1 += 1;
                self.transcript.note(format!("<- {group}: {:?}", event.value()));
                return event;
            }
            sleep(LOOK).await;
        }
    }

    /// Checks that the worker sends nothing to a group for a time. Channels: `receive_nothing`.
    ///
    /// # Panics
    /// When it does.
    #[track_caller]
    pub fn sends_nothing_to(
        &mut self,
        group: &GroupName,
        time: Duration,
    ) -> impl Future<Output = ()> + Send + '_ {
        let (at, group) = (Location::caller(), group.clone());
        async move {
            if let Ok(event) = timeout(time, self.next_sent_to(&group)).await {
                self.transcript
                    .fail(at, format!("expected nothing for {group}, and there came {:?}", event.value()));
            }
        }
    }

    /// Stops the worker: what it has taken is handled first. Channels: `wait`, `stop`.
    ///
    /// # Cancel safety
    /// Dropping the future stops waiting, and what still runs.
    pub async fn stop(self) {
        self.worker.shutdown().await;
    }
}
