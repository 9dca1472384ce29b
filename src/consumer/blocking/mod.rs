//! The synchronous twin: consumers whose handlers block, run on the server's bounded pool.
//!
//! Every handler gets a thread for its own duration, never longer: sending only appends to the outbox, so a client
//! that reads slowly holds no thread. Channels' `SyncConsumer` shares one thread among all consumers of a process;
//! here only the pool's size and queue (`blocking_threads`, `blocking_queue`) bound them.

mod background;
mod context;
mod json;
mod pool;
mod text;

use serde::de::DeserializeOwned;

pub use background::{
    BackgroundConsumer, BackgroundContext, BlockingBackground, background_consumer,
    background_consumer_with_state,
};
pub use context::Context;
pub use json::{Json, JsonWebsocketConsumer};
pub use pool::Blocking;
pub use text::{Text, TextWebsocketConsumer};

use super::{ConsumerService, consumer_with_state as async_consumer};
use crate::layers::{Event, LayerGap};
use crate::websocket::{CloseFrame, Message};
use crate::{ClientError, Error, Result};

/// One WebSocket connection with blocking handlers. Channels: `WebsocketConsumer`.
///
/// Handlers mean the same as in [`WebsocketConsumer`](super::WebsocketConsumer), errors and panics included.
pub trait WebsocketConsumer<S = ()>: Sized + Send + 'static {
    /// See [`WebsocketConsumer::Event`](super::WebsocketConsumer::Event).
    type Event: DeserializeOwned + Send + Sync + 'static;
    /// See [`WebsocketConsumer::GROUPS`](super::WebsocketConsumer::GROUPS).
    const GROUPS: &'static [&'static str] = &[];

    /// The handshake.
    ///
    /// # Errors
    /// A refusal, or the program's error: see [`WebsocketConsumer`](super::WebsocketConsumer).
    fn connect(ctx: &mut Context<S>) -> Result<Self>;

    /// A message from the client.
    ///
    /// # Errors
    /// The client's or the program's: see [`WebsocketConsumer`](super::WebsocketConsumer).
    fn receive(&mut self, ctx: &mut Context<S>, message: Message) -> Result<()> {
        let _ = (ctx, message);
        Err(ClientError::new("unexpected", "this socket takes no messages").into())
    }

    /// An event from the channel layer.
    ///
    /// # Errors
    /// See [`receive`](Self::receive).
    fn event(&mut self, ctx: &mut Context<S>, event: Event<Self::Event>) -> Result<()> {
        let _ = (ctx, event);
        Err(Error::msg("an event came for a consumer without an event handler"))
    }

    /// The channel layer was away.
    ///
    /// # Errors
    /// See [`receive`](Self::receive).
    fn layer_gap(&mut self, ctx: &mut Context<S>, gap: LayerGap) -> Result<()> {
        let _ = (ctx, gap);
        Ok(())
    }

    /// The end; runs exactly once for every accepted connection.
    fn disconnect(&mut self, ctx: &mut Context<S>, close: CloseFrame) {
        let _ = (ctx, close);
    }
}

/// A blocking consumer type, ready to be routed to.
pub fn consumer<C: WebsocketConsumer>() -> ConsumerService<Blocking<C>> {
    consumer_with_state(())
}

/// A blocking consumer type with the application's state.
///
/// ```
/// # use std::path::PathBuf;
/// use solent::Result;
/// use solent::consumer::blocking::{Context, WebsocketConsumer, consumer_with_state};
/// use solent::layers::Value;
///
/// struct Motd;
///
/// impl WebsocketConsumer<PathBuf> for Motd {
///     type Event = Value;
///
///     fn connect(ctx: &mut Context<PathBuf>) -> Result<Self> {
///         ctx.accept()?;
///         ctx.send(std::fs::read_to_string(ctx.state())?)?;
///         Ok(Self)
///     }
/// }
///
/// let application = consumer_with_state::<Motd, _>(PathBuf::from("/etc/motd"));
/// ```
pub fn consumer_with_state<C, S>(state: S) -> ConsumerService<Blocking<C>, S>
where
    C: WebsocketConsumer<S>,
    S: Clone + Send + Sync + 'static,
{
    async_consumer::<Blocking<C>, S>(state)
}
