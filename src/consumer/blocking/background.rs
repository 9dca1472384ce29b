//! The blocking twin of the background consumer, and its hands.

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::runtime::Handle;

use super::pool::caught;
use crate::consumer::{
    BackgroundConsumer as AsyncConsumer, BackgroundConsumerService, BackgroundContext as AsyncContext,
    background_consumer_with_state as async_consumer,
};
use crate::layers::{ChannelName, Delivered, Event, GroupName, LayerError, LayerGap};
use crate::{Environment, Error, Result, Scope};

/// Handles the messages of one named channel, one at a time, with blocking handlers. Channels: `SyncConsumer`.
///
/// Handlers mean the same as in [`BackgroundConsumer`](crate::consumer::BackgroundConsumer), errors and panics
/// included. Each gets a thread of the server's bounded pool for its own duration, and waits for one when all are
/// taken.
///
/// ```
/// use solent::Result;
/// use solent::consumer::blocking::{BackgroundConsumer, BackgroundContext, background_consumer};
/// use solent::layers::{Event, GroupName, Value};
///
/// /// Passes on to a room what jobs have printed.
/// struct Printer;
///
/// impl BackgroundConsumer for Printer {
///     type Event = Value;
///
///     fn start(_: &mut BackgroundContext) -> Result<Self> {
///         Ok(Self)
///     }
///
///     fn event(&mut self, ctx: &mut BackgroundContext, event: Event<Value>) -> Result<()> {
///         ctx.group_send(&GroupName::new("prints")?, event.value())?;
///         Ok(())
///     }
/// }
///
/// let application = background_consumer::<Printer>();
/// ```
pub trait BackgroundConsumer<S = ()>: Sized + Send + 'static {
    /// See [`BackgroundConsumer::Event`](crate::consumer::BackgroundConsumer::Event).
    type Event: DeserializeOwned + Send + Sync + 'static;

    /// Makes the value, when the first message is there and again after a failure.
    ///
    /// # Errors
    /// The message is counted as failed, and the next one tries again.
    fn start(ctx: &mut BackgroundContext<S>) -> Result<Self>;

    /// A message of the channel, or an event of a group that this value has joined.
    ///
    /// # Errors
    /// See [`BackgroundConsumer`](crate::consumer::BackgroundConsumer).
    fn event(&mut self, ctx: &mut BackgroundContext<S>, event: Event<Self::Event>) -> Result<()>;

    /// The channel layer was away. By default nothing.
    ///
    /// # Errors
    /// See [`event`](Self::event).
    fn layer_gap(&mut self, ctx: &mut BackgroundContext<S>, gap: LayerGap) -> Result<()> {
        let _ = (ctx, gap);
        Ok(())
    }

    /// The worker stops.
    fn stop(&mut self, ctx: &mut BackgroundContext<S>) {
        let _ = ctx;
    }
}

/// A blocking background consumer type, ready to be named in a
/// [`ChannelNameRouter`](crate::routing::ChannelNameRouter).
pub fn background_consumer<C: BackgroundConsumer>() -> BackgroundConsumerService<BlockingBackground<C>> {
    background_consumer_with_state(())
}

/// A blocking background consumer type with the application's state.
///
/// ```
/// # use std::path::PathBuf;
/// use solent::Result;
/// use solent::consumer::blocking::{BackgroundConsumer, BackgroundContext, background_consumer_with_state};
/// use solent::layers::{Event, Value};
///
/// /// Keeps what happens in a folder.
/// struct Archive;
///
/// impl BackgroundConsumer<PathBuf> for Archive {
///     type Event = Value;
///
///     fn start(_: &mut BackgroundContext<PathBuf>) -> Result<Self> {
///         Ok(Self)
///     }
///
///     fn event(&mut self, ctx: &mut BackgroundContext<PathBuf>, event: Event<Value>) -> Result<()> {
///         Ok(std::fs::write(ctx.state().join("last.json"), event.json()?)?)
///     }
/// }
///
/// let application = background_consumer_with_state::<Archive, _>(PathBuf::from("archive"));
/// ```
pub fn background_consumer_with_state<C, S>(state: S) -> BackgroundConsumerService<BlockingBackground<C>, S>
where
    C: BackgroundConsumer<S>,
    S: Clone + Send + Sync + 'static,
{
    async_consumer::<BlockingBackground<C>, S>(state)
}

/// A background consumer's hands in a blocking handler. Every method means what its async twin of
/// [`BackgroundContext`](crate::consumer::BackgroundContext) means.
#[derive(Debug)]
pub struct BackgroundContext<S = ()> {
    inner: AsyncContext<S>,
    runtime: Handle,
}

impl<S> BackgroundContext<S> {
    /// What is known: the type is `channel`.
    pub fn scope(&self) -> &Scope {
        self.inner.scope()
    }

    /// The name of the channel whose messages are handled.
    pub fn channel(&self) -> &str {
        self.inner.channel()
    }

    /// What everything in this process shares.
    pub fn env(&self) -> &Environment {
        self.inner.env()
    }

    /// The application's state.
    pub fn state(&self) -> &S {
        self.inner.state()
    }

    /// This value's own channel.
    ///
    /// # Errors
    /// As [`BackgroundContext::channel_name`](AsyncContext::channel_name).
    pub fn channel_name(&mut self) -> Result<ChannelName, LayerError> {
        self.runtime.block_on(self.inner.channel_name())
    }

    /// Joins a group.
    ///
    /// # Errors
    /// As [`BackgroundContext::group_add`](AsyncContext::group_add).
    pub fn group_add(&mut self, group: &GroupName) -> Result<(), LayerError> {
        self.runtime.block_on(self.inner.group_add(group))
    }

    /// Leaves a group.
    ///
    /// # Errors
    /// As [`BackgroundContext::group_discard`](AsyncContext::group_discard).
    pub fn group_discard(&mut self, group: &GroupName) -> Result<(), LayerError> {
        self.runtime.block_on(self.inner.group_discard(group))
    }

    /// Sends an event to every member of a group.
    ///
    /// # Errors
    /// As [`BackgroundContext::group_send`](AsyncContext::group_send).
    pub fn group_send<T: Serialize + ?Sized>(&self, group: &GroupName, message: &T) -> Result<Delivered> {
        self.runtime.block_on(self.inner.group_send(group, message))
    }

    /// Sends a message to one channel.
    ///
    /// # Errors
    /// As [`BackgroundContext::send_to`](AsyncContext::send_to).
    pub fn send_to<T: Serialize + ?Sized>(&self, channel: &ChannelName, message: &T) -> Result<()> {
        self.runtime.block_on(self.inner.send_to(channel, message))
    }
}

/// A blocking background consumer as an async one: each handler is a job for the pool.
#[derive(Debug)]
pub struct BlockingBackground<C> {
    // Out while a handler has it on another thread.
    consumer: Option<C>,
}

impl<C, S> AsyncConsumer<S> for BlockingBackground<C>
where
    C: BackgroundConsumer<S>,
    S: Clone + Send + Sync + 'static,
{
    type Event = C::Event;

    async fn start(ctx: &mut AsyncContext<S>) -> Result<Self> {
        let consumer = on_pool(ctx, |ctx| caught(|| C::start(ctx))).await???;
        Ok(Self { consumer: Some(consumer) })
    }

    async fn event(&mut self, ctx: &mut AsyncContext<S>, event: Event<C::Event>) -> Result<()> {
        self.call(ctx, |consumer, ctx| consumer.event(ctx, event)).await?
    }

    async fn layer_gap(&mut self, ctx: &mut AsyncContext<S>, gap: LayerGap) -> Result<()> {
        self.call(ctx, |consumer, ctx| consumer.layer_gap(ctx, gap)).await?
    }

    async fn stop(&mut self, ctx: &mut AsyncContext<S>) {
        if let Err(error) = self.call(ctx, |consumer, ctx| consumer.stop(ctx)).await {
            let channel = ctx.channel();
            tracing::error!(channel, error = %error.chain(), "a background consumer did not stop well");
        }
    }
}

impl<C: Send + 'static> BlockingBackground<C> {
    /// Lends the consumer and its context to a thread of the pool and takes both back.
    async fn call<S, T>(
        &mut self,
        ctx: &mut AsyncContext<S>,
        handler: impl FnOnce(&mut C, &mut BackgroundContext<S>) -> T + Send + 'static,
    ) -> Result<T>
    where
        S: Send + Sync + 'static,
        T: Send + 'static,
    {
        let mut consumer = self.consumer.take().ok_or_else(|| Error::msg("the consumer is lost"))?;
        let job = move |ctx: &mut BackgroundContext<S>| {
            let outcome = caught(|| handler(&mut consumer, ctx));
            (consumer, outcome)
        };
        let (consumer, outcome) = on_pool(ctx, job).await?;
        self.consumer = Some(consumer);
        outcome
    }
}

/// Runs a job with the context on a thread of the pool, for which it waits.
async fn on_pool<S, T>(
    ctx: &mut AsyncContext<S>,
    job: impl FnOnce(&mut BackgroundContext<S>) -> T + Send + 'static,
) -> Result<T>
where
    S: Send + Sync + 'static,
    T: Send + 'static,
{
    let place = ctx.env().blocking().turn().await?;
    let (inner, runtime) = (ctx.lend(), Handle::current());
    let running = place.run(move || {
        let mut ctx = BackgroundContext { inner, runtime };
        let outcome = job(&mut ctx);
        (ctx.inner, outcome)
    });
    let (returned, outcome) = running.await?;
    ctx.give_back(returned);
    Ok(outcome)
}
