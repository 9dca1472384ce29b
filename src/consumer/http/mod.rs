//! The HTTP consumer: a view that holds a channel, for server-sent events and long polling.
//!
//! The request's view waits for the answer's head; a task of its own runs the handlers, one at a time, until the
//! answer has ended or the client has left.

mod answer;
mod context;
mod driver;
mod follow;
mod service;

use std::future::Future;

use bytes::Bytes;
use serde::de::DeserializeOwned;

pub use context::HttpContext;
pub use service::{HttpConsumerService, ToHttpConsumer, http_consumer, http_consumer_with_state};

use crate::layers::{Event, LayerGap};
use crate::{Error, Result};

/// One HTTP request with a channel: [`handle`](Self::handle) gets the body, [`event`](Self::event) what the channel
/// layer brings while the answer is open.
///
/// Channels' name: `AsyncHttpConsumer`. An answer stays open after `handle` until
/// [`finish`](HttpContext::finish) or [`send_response`](HttpContext::send_response) ends it, the client leaves, or
/// the server drains.
///
/// # Examples
/// ```
/// use bytes::Bytes;
/// use solent::Result;
/// use solent::consumer::{HttpConsumer, HttpContext, http_consumer};
/// use solent::layers::{Event, GroupName, Value};
/// use solent::routing::{ViewRouter, path};
///
/// struct News;
///
/// impl HttpConsumer for News {
///     type Event = Value;
///
///     async fn handle(ctx: &mut HttpContext, _: Bytes) -> Result<Self> {
///         ctx.group_add(&GroupName::new("news")?).await?;
///         ctx.start_event_stream()?;
///         Ok(Self)
///     }
///
///     async fn event(&mut self, ctx: &mut HttpContext, event: Event<Value>) -> Result<()> {
///         ctx.send_event(&event).await
///     }
/// }
///
/// let views = ViewRouter::new([path("news/", http_consumer::<News>())])?;
/// # Ok::<_, solent::routing::RouteError>(())
/// ```
///
/// # Errors
/// Before the head was sent an error or a panic is a view's: 500, or the status that it carries. After it, the
/// stream is cut off in a way that the client can tell from an end, and the log has route and chain.
///
/// # Cancel safety
/// `handle` is dropped when the client leaves; the other handlers run to their end, and their sends fail.
pub trait HttpConsumer<S = ()>: Sized + Send + 'static {
    /// The events that this consumer understands.
    type Event: DeserializeOwned + Send + Sync + 'static;

    /// Groups that every request joins before `handle` and leaves before `disconnect`.
    const GROUPS: &'static [&'static str] = &[];

    /// The request, with its whole body: answer at once, or begin an answer, or leave it to an event.
    /// Channels: `handle`.
    fn handle(ctx: &mut HttpContext<S>, body: Bytes) -> impl Future<Output = Result<Self>> + Send;

    /// An event from the channel layer. By default an error.
    fn event(
        &mut self,
        ctx: &mut HttpContext<S>,
        event: Event<Self::Event>,
    ) -> impl Future<Output = Result<()>> + Send {
        let _ = (ctx, event);
        async { Err(Error::msg("an event came for a consumer without an event handler")) }
    }

    /// The channel layer was away. By default nothing.
    fn layer_gap(
        &mut self,
        ctx: &mut HttpContext<S>,
        gap: LayerGap,
    ) -> impl Future<Output = Result<()>> + Send {
        let _ = (ctx, gap);
        async { Ok(()) }
    }

    /// The end, whatever it was: runs exactly once for every consumer that `handle` has made. Groups are left
    /// already.
    fn disconnect(&mut self, ctx: &mut HttpContext<S>) -> impl Future<Output = ()> + Send {
        let _ = ctx;
        async {}
    }
}
