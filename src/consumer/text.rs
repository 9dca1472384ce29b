//! The text flavour: a consumer that receives text messages only.

use std::future::Future;

use serde::de::DeserializeOwned;

use super::{Context, WebsocketConsumer};
use crate::layers::{Event, LayerGap};
use crate::websocket::{CloseFrame, Message};
use crate::{Error, Result};

/// A consumer whose clients send text. Mounted as `consumer::<Text<C>>()`.
///
/// A binary message is the client's error (`wrong_kind`) and never reaches the handler.
///
/// ```
/// use solent::Result;
/// use solent::consumer::{Context, Text, TextWebsocketConsumer, consumer};
/// use solent::layers::Value;
///
/// struct Shout;
///
/// impl TextWebsocketConsumer for Shout {
///     type Event = Value;
///
///     async fn connect(ctx: &mut Context) -> Result<Self> {
///         ctx.accept().await?;
///         Ok(Self)
///     }
///
///     async fn receive_text(&mut self, ctx: &mut Context, text: &str) -> Result<()> {
///         ctx.send(text.to_uppercase()).await
///     }
/// }
///
/// let application = consumer::<Text<Shout>>();
/// ```
pub trait TextWebsocketConsumer<S = ()>: Sized + Send + 'static {
    /// See [`WebsocketConsumer::Event`].
    type Event: DeserializeOwned + Send + Sync + 'static;
    /// See [`WebsocketConsumer::GROUPS`].
    const GROUPS: &'static [&'static str] = &[];

    /// See [`WebsocketConsumer::connect`].
    fn connect(ctx: &mut Context<S>) -> impl Future<Output = Result<Self>> + Send;

    /// A text from the client. Channels: `receive(text_data)`.
    fn receive_text(&mut self, ctx: &mut Context<S>, text: &str) -> impl Future<Output = Result<()>> + Send;

    /// See [`WebsocketConsumer::event`].
    fn event(
        &mut self,
        ctx: &mut Context<S>,
        event: Event<Self::Event>,
    ) -> impl Future<Output = Result<()>> + Send {
        let _ = (ctx, event);
        async { Err(Error::msg("an event came for a consumer without an event handler")) }
    }

    /// See [`WebsocketConsumer::layer_gap`].
    fn layer_gap(&mut self, ctx: &mut Context<S>, gap: LayerGap) -> impl Future<Output = Result<()>> + Send {
        let _ = (ctx, gap);
        async { Ok(()) }
    }

    /// See [`WebsocketConsumer::disconnect`].
    fn disconnect(&mut self, ctx: &mut Context<S>, close: CloseFrame) -> impl Future<Output = ()> + Send {
        let _ = (ctx, close);
        async {}
    }
}

/// A [`TextWebsocketConsumer`] as a [`WebsocketConsumer`].
#[derive(Debug)]
pub struct Text<C>(C);

impl<S: Send + Sync + 'static, C: TextWebsocketConsumer<S>> WebsocketConsumer<S> for Text<C> {
    type Event = C::Event;

    const GROUPS: &'static [&'static str] = C::GROUPS;

    async fn connect(ctx: &mut Context<S>) -> Result<Self> {
        C::connect(ctx).await.map(Self)
    }

    async fn receive(&mut self, ctx: &mut Context<S>, message: Message) -> Result<()> {
        self.0.receive_text(ctx, message.as_text()?).await
    }

    async fn event(&mut self, ctx: &mut Context<S>, event: Event<C::Event>) -> Result<()> {
        self.0.event(ctx, event).await
    }

    async fn layer_gap(&mut self, ctx: &mut Context<S>, gap: LayerGap) -> Result<()> {
        self.0.layer_gap(ctx, gap).await
    }

    async fn disconnect(&mut self, ctx: &mut Context<S>, close: CloseFrame) {
        self.0.disconnect(ctx, close).await;
    }
}
