//! The blocking JSON flavour: the twin of [`JsonWebsocketConsumer`](crate::consumer::JsonWebsocketConsumer).

use serde::de::DeserializeOwned;

use super::{Context, WebsocketConsumer};
use crate::layers::{Event, LayerGap};
use crate::websocket::{CloseFrame, Message};
use crate::{ClientError, Error, Result};

/// A blocking consumer whose clients send JSON. Mounted as `blocking::consumer::<Json<C>>()`.
///
/// Channels' name: `JsonWebsocketConsumer`. Handlers and errors are those of the async flavour.
///
/// ```
/// use solent::Result;
/// use solent::consumer::blocking::{Context, Json, JsonWebsocketConsumer, consumer};
/// use solent::layers::Value;
///
/// struct Notes(Vec<String>);
///
/// impl JsonWebsocketConsumer for Notes {
///     type Content = String;
///     type Event = Value;
///
///     fn connect(ctx: &mut Context) -> Result<Self> {
///         ctx.accept()?;
///         Ok(Self(Vec::new()))
///     }
///
///     fn receive_json(&mut self, ctx: &mut Context, note: String) -> Result<()> {
///         self.0.push(note);
///         ctx.send_json(&self.0)
///     }
/// }
///
/// let application = consumer::<Json<Notes>>();
/// ```
pub trait JsonWebsocketConsumer<S = ()>: Sized + Send + 'static {
    /// What clients send.
    type Content: DeserializeOwned + Send;
    /// See [`WebsocketConsumer::Event`].
    type Event: DeserializeOwned + Send + Sync + 'static;
    /// See [`WebsocketConsumer::GROUPS`].
    const GROUPS: &'static [&'static str] = &[];

    /// See [`WebsocketConsumer::connect`].
    ///
    /// # Errors
    /// See [`WebsocketConsumer::connect`].
    fn connect(ctx: &mut Context<S>) -> Result<Self>;

    /// A decoded message from the client. Channels: `receive_json`.
    ///
    /// # Errors
    /// See [`WebsocketConsumer::receive`].
    fn receive_json(&mut self, ctx: &mut Context<S>, content: Self::Content) -> Result<()>;

    /// How a text becomes [`Content`](Self::Content); by default by `serde_json`. Channels: `decode_json`.
    ///
    /// # Errors
    /// A [`ClientError`] `malformed` for what is not JSON or does not fit.
    fn decode_json(text: &str) -> Result<Self::Content, ClientError> {
        crate::websocket::decode_json(text)
    }

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

/// A [`JsonWebsocketConsumer`] as a [`WebsocketConsumer`].
#[derive(Debug)]
pub struct Json<C>(C);

impl<S, C: JsonWebsocketConsumer<S>> WebsocketConsumer<S> for Json<C> {
    type Event = C::Event;

    const GROUPS: &'static [&'static str] = C::GROUPS;

    fn connect(ctx: &mut Context<S>) -> Result<Self> {
        C::connect(ctx).map(Self)
    }

    fn receive(&mut self, ctx: &mut Context<S>, message: Message) -> Result<()> {
        let content = C::decode_json(message.as_text()?)?;
        self.0.receive_json(ctx, content)
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
