//! The background consumer: what a worker runs for the messages of one named channel.
//!
//! A [`Worker`](crate::server::Worker), or a server by [`workers`](crate::server::Server::workers), listens on plain
//! channels and hands each to the application that a [`ChannelNameRouter`](crate::routing::ChannelNameRouter) names.

mod context;
mod deliveries;
mod driver;
mod service;
mod stats;

use std::future::Future;

use serde::de::DeserializeOwned;

pub use context::BackgroundContext;
pub use deliveries::Deliveries;
pub use service::{BackgroundConsumerService, background_consumer, background_consumer_with_state};
pub use stats::{WorkerStats, WorkerStatsSnapshot};

use crate::Result;
use crate::layers::{Event, LayerGap};

/// Handles the messages of one named channel, one at a time: one value for all of them, until it fails.
///
/// Channels' names: `AsyncConsumer` (its synchronous twin, `SyncConsumer`, is
/// [`blocking::BackgroundConsumer`](super::blocking::BackgroundConsumer)). Which handler a message is for is told by
/// its `type`, which decodes into a variant of [`Event`](Self::Event). A worker has no client: it answers through the
/// channel layer.
///
/// # Examples
/// ```
/// use serde::Deserialize;
/// use solent::Result;
/// use solent::consumer::{BackgroundConsumer, BackgroundContext, background_consumer};
/// use solent::layers::Event;
/// use solent::routing::{ChannelNameRouter, ProtocolTypeRouter};
///
/// struct Thumbnails;
///
/// #[derive(Deserialize)]
/// #[serde(tag = "type", rename_all = "snake_case")]
/// enum Job {
///     Generate { id: i64 },
///     Delete { id: i64 },
/// }
///
/// impl BackgroundConsumer for Thumbnails {
///     type Event = Job;
///
///     async fn start(_: &mut BackgroundContext) -> Result<Self> {
///         Ok(Self)
///     }
///
///     async fn event(&mut self, _: &mut BackgroundContext, job: Event<Job>) -> Result<()> {
///         match job.get() {
///             Job::Generate { id } => println!("generating {id}"),
///             Job::Delete { id } => println!("deleting {id}"),
///         }
///         Ok(())
///     }
/// }
///
/// let app = ProtocolTypeRouter::new()
///     .channel(ChannelNameRouter::new().channel("thumbnails", background_consumer::<Thumbnails>()));
/// ```
///
/// # Errors
/// An error or a panic of a handler is logged with the channel and counted; the value is dropped, and the next message
/// gets a new one. A message that does not decode is left out, with a warning and a count.
///
/// # Cancel safety
/// A handler's future is dropped only when the time of a stop is over.
pub trait BackgroundConsumer<S = ()>: Sized + Send + 'static {
    /// The messages that this consumer understands, usually an enum tagged by `type`;
    /// [`Value`](crate::layers::Value) takes any.
    type Event: DeserializeOwned + Send + Sync + 'static;

    /// Makes the value, when the first message is there and again after a failure.
    fn start(ctx: &mut BackgroundContext<S>) -> impl Future<Output = Result<Self>> + Send;

    /// A message of the channel, or an event of a group that this value has joined.
    fn event(
        &mut self,
        ctx: &mut BackgroundContext<S>,
        event: Event<Self::Event>,
    ) -> impl Future<Output = Result<()>> + Send;

    /// The channel layer was away: events of these groups may have been missed. By default nothing.
    fn layer_gap(
        &mut self,
        ctx: &mut BackgroundContext<S>,
        gap: LayerGap,
    ) -> impl Future<Output = Result<()>> + Send {
        let _ = (ctx, gap);
        async { Ok(()) }
    }

    /// The worker stops, and every message that it took is handled. A value that failed does not hear of it.
    fn stop(&mut self, ctx: &mut BackgroundContext<S>) -> impl Future<Output = ()> + Send {
        let _ = ctx;
        async {}
    }
}
