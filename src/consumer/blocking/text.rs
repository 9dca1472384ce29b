//! The blocking text flavour: the twin of [`TextWebsocketConsumer`](crate::consumer::TextWebsocketConsumer).

use serde::de::DeserializeOwned;

use super::{Context, WebsocketConsumer};
use crate::layers::{Event, LayerGap};
use crate::websocket::{CloseFrame, Message};
use crate::{Error, Result};

/// A blocking consumer whose clients send text. Mounted as `blocking::consumer::<Text<C>>()`.
///
/// Handlers and errors are those of the async flavour.
///
/// ```
/// use solent::Result;
/// use solent::consumer::blocking::{Context, Text, TextWebsocketConsumer, consumer};
/// use solent::layers::Value;
///
/// struct Reverse;
///
/// impl TextWebsocketConsumer for Reverse {
///     type Event = Value;
///
///     fn connect(ctx: &mut Context) -> Result<Self> {
///         ctx.accept()?;
///         Ok(Self)
///     }
///
///     fn receive_text(&mut self, ctx: &mut Context, text: &str) -> Result<()> {
///         ctx.send(text.chars().rev().collect::<String>())
///     }
/// }
///
/// let application = consumer::<Text<Reverse>>();
/// ```
pub trait TextWebsocketConsumer<S = ()>: Sized + Send + 'static {
    /// See [`WebsocketConsumer::Event`].
    type Event: DeserializeOwned + Send + Sync + 'static;
    /// See [`WebsocketConsumer::GROUPS`].
    const GROUPS: &'static [&'static str] = &[];

    /// See [`WebsocketConsumer::connect`].
    ///
    /// # Errors
    /// See [`WebsocketConsumer::connect`].
    fn connect(ctx: &mut Context<S>) -> Result<Self>;

    /// A text from the client. Channels: `receive(text_data)`.
    ///
    /// # Errors
    /// See [`WebsocketConsumer::receive`].
    fn receive_text(&mut self, ctx: &mut Context<S>, text: &str) -> Result<()>;

    /// See [`WebsocketConsumer::event`].
    ///
    /// # Errors
    /// See [`WebsocketConsumer::event`].
    fn event(&mut self, ctx: &mut Context<S>, event: Event<Self::Event>) -> Result<()> {
        let _ = (ctx, event);
        Err(Error::msg("an event came for a consumer without an event handler"))
    }

    /// See [`WebsocketConsumer::layer_gap`].
    ///
    /// # Errors
    /// See [`WebsocketConsumer::layer_gap`].
    fn layer_gap(&mut self, ctx: &mut Context<S>, gap: LayerGap) -> Result<()> {
        let _ = (ctx, gap);
        Ok(())
    }

    /// See [`WebsocketConsumer::disconnect`].
    fn disconnect(&mut self, ctx: &mut Context<S>, close: CloseFrame) {
        let _ = (ctx, close);
    }
}

/// A [`TextWebsocketConsumer`] as a [`WebsocketConsumer`].
#[derive(Debug)]
pub struct Text<C>(C);

impl<S, C: TextWebsocketConsumer<S>> WebsocketConsumer<S> for Text<C> {
    type Event = C::Event;

    const GROUPS: &'static [&'static str] = C::GROUPS;

    fn connect(ctx: &mut Context<S>) -> Result<Self> {
        C::connect(ctx).map(Self)
    }

    fn receive(&mut self, ctx: &mut Context<S>, message: Message) -> Result<()> {
        self.0.receive_text(ctx, message.as_text()?)
    }

    fn event(&mut self, ctx: &mut Context<S>, event: Event<C::Event>) -> Result<()> {
        self.0.event(ctx, event)
    }

    fn layer_gap(&mut self, ctx: &mut Context<S>, gap: LayerGap) -> Result<()> {
        self.0.layer_gap(ctx, gap)
    }

    fn disconnect(&mut self, ctx: &mut Context<S>, close: CloseFrame) {
        self.0.disconnect(ctx, close);
    }
}
