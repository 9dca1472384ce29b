//! Consumers: one value per connection, with a handler for each thing that can happen to it.
//!
//! Stands between [`websocket`](crate::websocket), whose driver calls the handlers one at a time, and
//! [`layers`](crate::layers), through which consumers talk to each other. A consumer never meets hyper.

mod background;
pub mod blocking;
mod caught;
mod channel;
mod context;
mod forwarded;
mod http;
mod json;
mod policy;
mod service;
mod text;
mod unsent;

use std::future::Future;

use serde::de::DeserializeOwned;

pub use background::{
    BackgroundConsumer, BackgroundConsumerService, BackgroundContext, Deliveries, WorkerStats,
    WorkerStatsSnapshot, background_consumer, background_consumer_with_state,
};
pub(crate) use channel::OwnChannel;
pub use context::Context;
pub(crate) use context::Core;
pub use forwarded::Forwarded;
pub use http::{
    HttpConsumer, HttpConsumerService, HttpContext, ToHttpConsumer, http_consumer, http_consumer_with_state,
};
pub use json::{Json, JsonWebsocketConsumer};
pub use policy::{OnError, Policy};
pub use service::{ConsumerService, consumer, consumer_with_state};
pub use text::{Text, TextWebsocketConsumer};
pub(crate) use unsent::OutboxFull;

use crate::layers::{Event, LayerGap};
use crate::websocket::{CloseFrame, Message};
use crate::{Error, Result};

/// One WebSocket connection: made by [`connect`](Self::connect), then called for each message, event and the end.
///
/// Handlers run one at a time, inside the connection's own task: a slow handler slows only its own client. `S` is
/// the application's state, given to [`consumer_with_state`]; a consumer that wants one can't be mounted without.
///
/// Channels' name: `AsyncWebsocketConsumer`. Its synchronous twin is [`blocking::WebsocketConsumer`].
///
/// # Examples
/// ```
/// use solent::Result;
/// use solent::consumer::{Context, WebsocketConsumer, consumer};
/// use solent::layers::Value;
/// use solent::websocket::Message;
///
/// struct Echo;
///
/// impl WebsocketConsumer for Echo {
///     type Event = Value;
///
///     async fn connect(ctx: &mut Context) -> Result<Self> {
///         ctx.accept().await?;
///         Ok(Self)
///     }
///
///     async fn receive(&mut self, ctx: &mut Context, message: Message) -> Result<()> {
///         ctx.send(message).await
///     }
/// }
///
/// let application = consumer::<Echo>();
/// ```
///
/// # Errors
/// What a handler's error means is told by its type:
/// - [`ClientError`](crate::ClientError): the client's mistake; reported to it or closed with 1008, by the route's
///   [`OnError`] policy.
/// - [`Denial`](crate::websocket::Denial) and [`KwargError`](crate::KwargError) before accept: the refusal, or 404.
/// - An unavailable channel layer: 503 before accept; after it the client is told (`layer_unavailable`) and the
///   socket lives on.
/// - Anything else, and every panic: 500 before accept, close code 1011 after, and a log entry with the route and
///   the error's chain.
///
/// # Cancel safety
/// A handler's future is dropped only when the drain's time is over; [`connect`](Self::connect)'s also when the
/// accept time passes before the handshake is answered. A client that leaves meanwhile is noticed then, over HTTP/2
/// at once.
///
/// What was missed while the channel layer was away is not sent again, so that the client should load it:
///
/// ```
/// use serde_json::json;
/// use solent::Result;
/// use solent::consumer::{Context, WebsocketConsumer, consumer};
/// use solent::layers::{GroupName, LayerGap, Value};
/// use solent::testing::{RecordingChannelLayer, WebsocketCommunicator};
///
/// struct Room;
///
/// impl WebsocketConsumer for Room {
///     type Event = Value;
///     const GROUPS: &'static [&'static str] = &["room"];
///
///     async fn connect(ctx: &mut Context) -> Result<Self> {
///         ctx.accept().await?;
///         Ok(Self)
///     }
///
///     async fn layer_gap(&mut self, ctx: &mut Context, gap: LayerGap) -> Result<()> {
///         ctx.send_json(&json!({ "type": "reload", "groups": gap.groups.len() })).await
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// let layer = RecordingChannelLayer::new();
/// let mut client = WebsocketCommunicator::new(consumer::<Room>(), "/").channel_layer(layer.clone());
/// client.connect().await?;
/// layer.gap(&[GroupName::new("room")?]);
/// assert_eq!(client.receive_json::<serde_json::Value>().await["type"], "reload");
/// # Ok(())
/// # }
/// ```
pub trait WebsocketConsumer<S = ()>: Sized + Send + 'static {
    /// The events that this consumer understands, usually an enum tagged by `type`;
    /// [`Value`](crate::layers::Value) takes any.
    type Event: DeserializeOwned + Send + Sync + 'static;

    /// Groups that every connection joins before `connect` and leaves before `disconnect`. Channels: `groups`.
    const GROUPS: &'static [&'static str] = &[];

    /// The handshake: accept, deny, or leave it open for a later event to decide. Channels: `connect`.
    fn connect(ctx: &mut Context<S>) -> impl Future<Output = Result<Self>> + Send;

    /// A message from the client. By default a [`ClientError`](crate::ClientError): nothing was expected.
    /// Channels: `receive`.
    fn receive(&mut self, ctx: &mut Context<S>, message: Message) -> impl Future<Output = Result<()>> + Send {
        let _ = (ctx, message);
        async { Err(crate::ClientError::new("unexpected", "this socket takes no messages").into()) }
    }

    /// An event from the channel layer, for handled memberships and the consumer's own channel. By default an error.
    fn event(
        &mut self,
        ctx: &mut Context<S>,
        event: Event<Self::Event>,
    ) -> impl Future<Output = Result<()>> + Send {
        let _ = (ctx, event);
        async { Err(Error::msg("an event came for a consumer without an event handler")) }
    }

    /// The channel layer was away: messages to these groups may have been missed. By default nothing.
    ///
    /// What is sent to the client here reaches it before any event that came after the outage: forwarded ones wait until
    /// this is done.
    fn layer_gap(&mut self, ctx: &mut Context<S>, gap: LayerGap) -> impl Future<Output = Result<()>> + Send {
        let _ = (ctx, gap);
        async { Ok(()) }
    }

    /// The end; runs exactly once for every accepted connection, whatever ended it. Channels: `disconnect`.
    ///
    /// `close` is what the peer sent, or what the server sent, or 1005 for a close frame without a code, or 1006 for
    /// a connection that was lost. Groups are left already; the channel's name is still known.
    fn disconnect(&mut self, ctx: &mut Context<S>, close: CloseFrame) -> impl Future<Output = ()> + Send {
        let _ = (ctx, close);
        async {}
    }
}
