//! The JSON flavour: a consumer that receives decoded values.

use std::future::Future;

use serde::de::DeserializeOwned;

use super::{Context, WebsocketConsumer};
use crate::layers::{Event, LayerGap};
use crate::websocket::{CloseFrame, Message};
use crate::{ClientError, Result};

/// A consumer whose clients send JSON. Mounted as `consumer::<Json<C>>()`.
///
/// Channels' name: `AsyncJsonWebsocketConsumer`. A message that is not JSON, or does not fit
/// [`Content`](Self::Content), is the client's error and never reaches the handler.
///
/// ```
/// use serde::Deserialize;
/// use serde_json::json;
/// use solent::Result;
/// use solent::consumer::{Context, Json, JsonWebsocketConsumer, consumer};
/// use solent::layers::Value;
/// use solent::testing::WebsocketCommunicator;
///
/// struct Adder;
///
/// #[derive(Deserialize)]
/// struct Sum {
///     left: i64,
///     right: i64,
/// }
///
/// impl JsonWebsocketConsumer for Adder {
///     type Content = Sum;
///     type Event = Value;
///
///     async fn connect(ctx: &mut Context) -> Result<Self> {
///         ctx.accept().await?;
///         Ok(Self)
///     }
///
///     async fn receive_json(&mut self, ctx: &mut Context, sum: Sum) -> Result<()> {
///         ctx.send_json(&json!({ "sum": sum.left + sum.right })).await
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// let mut client = WebsocketCommunicator::new(consumer::<Json<Adder>>(), "/");
/// client.connect().await?;
/// client.send_json(&json!({ "left": 2, "right": 3 })).await;
/// assert_eq!(client.receive_json::<serde_json::Value>().await, json!({ "sum": 5 }));
/// client.send_text("[2, ").await;
/// assert_eq!(client.receive_json::<serde_json::Value>().await["code"], "malformed");
/// assert!(<Adder as JsonWebsocketConsumer>::decode_json(r#"{"left": 2}"#).is_err());
/// # Ok(())
/// # }
/// ```
pub trait JsonWebsocketConsumer<S = ()>: Sized + Send + 'static {
    /// What clients send.
    type Content: DeserializeOwned + Send;
    /// See [`WebsocketConsumer::Event`].
    type Event: DeserializeOwned + Send + Sync + 'static;
    /// See [`WebsocketConsumer::GROUPS`].
    const GROUPS: &'static [&'static str] = &[];

    /// See [`WebsocketConsumer::connect`].
    fn connect(ctx: &mut Context<S>) -> impl Future<Output = Result<Self>> + Send;

    /// A decoded message from the client. Channels: `receive_json`.
    fn receive_json(
        &mut self,
        ctx: &mut Context<S>,
        content: Self::Content,
    ) -> impl Future<Output = Result<()>> + Send;

    /// How a text becomes [`Content`](Self::Content); by default by `serde_json`. Channels: `decode_json`.
    ///
    /// # Errors
    /// A [`ClientError`] `malformed` for what is not JSON or does not fit.
    fn decode_json(text: &str) -> Result<Self::Content, ClientError> {
        crate::websocket::decode_json(text)
    }

    /// See [`WebsocketConsumer::event`].
    fn event(
        &mut self,
        ctx: &mut Context<S>,
        event: Event<Self::Event>,
    ) -> impl Future<Output = Result<()>> + Send {
        let _ = (ctx, event);
        async { Err(crate::Error::msg("an event came for a consumer without an event handler")) }
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

/// A [`JsonWebsocketConsumer`] as a [`WebsocketConsumer`].
#[derive(Debug)]
pub struct Json<C>(C);

impl<S: Send + Sync + 'static, C: JsonWebsocketConsumer<S>> WebsocketConsumer<S> for Json<C> {
    type Event = C::Event;

    const GROUPS: &'static [&'static str] = C::GROUPS;

    async fn connect(ctx: &mut Context<S>) -> Result<Self> {
        C::connect(ctx).await.map(Self)
    }

    async fn receive(&mut self, ctx: &mut Context<S>, message: Message) -> Result<()> {
        let content = C::decode_json(message.as_text()?)?;
        self.0.receive_json(ctx, content).await
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
