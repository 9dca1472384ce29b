//! The synchronous twin: consumers whose handlers block, run on the server's bounded pool.
//!
//! Every handler gets a thread for its own duration, never longer: sending only appends to the outbox, so a client
//! that reads slowly holds no thread. Channels' `SyncConsumer` shares one thread among all consumers of a process;
//! here only the pool's size and queue (`blocking_threads`, `blocking_queue`) bound them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::runtime::Handle;

use super::{ConsumerService, Context as AsyncContext, consumer_with_state as async_consumer};
use crate::auth::User;
use crate::blocking::panic_text;
use crate::layers::{ChannelName, Delivered, Event, GroupName, LayerError, LayerGap};
use crate::websocket::{Acceptance, CloseCode, CloseFrame, Denial, Message};
use crate::{ClientError, Error, PoolError, Result, Scope, UrlRoute};

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
pub fn consumer_with_state<C, S>(state: S) -> ConsumerService<Blocking<C>, S>
where
    C: WebsocketConsumer<S>,
    S: Clone + Send + Sync + 'static,
{
    async_consumer::<Blocking<C>, S>(state)
}

/// A consumer's hands in a blocking handler. Every method means what its async twin of
/// [`Context`](super::Context) means.
#[derive(Debug)]
pub struct Context<S = ()> {
    inner: AsyncContext<S>,
    runtime: Handle,
}

impl<S> Context<S> {
    /// What is known of the connection.
    pub fn scope(&self) -> &Scope {
        self.inner.scope()
    }

    /// The connection's user.
    pub fn user(&self) -> &User {
        self.inner.user()
    }

    /// The route that matched.
    pub fn url_route(&self) -> &UrlRoute {
        self.inner.url_route()
    }

    /// The application's state.
    pub fn state(&self) -> &S {
        self.inner.state()
    }

    /// Accepts the connection.
    ///
    /// # Errors
    /// See [`Context::accept`](super::Context::accept).
    pub fn accept(&mut self) -> Result<()> {
        self.runtime.block_on(self.inner.accept())
    }

    /// Accepts the connection with a subprotocol and further headers.
    ///
    /// # Errors
    /// See [`Context::accept_with`](super::Context::accept_with).
    pub fn accept_with(&mut self, acceptance: Acceptance) -> Result<()> {
        self.runtime.block_on(self.inner.accept_with(acceptance))
    }

    /// Refuses the connection.
    ///
    /// # Errors
    /// Always, with the refusal.
    pub fn deny<T>(&mut self, denial: Denial) -> Result<T> {
        self.inner.deny(denial)
    }

    /// Closes the connection once this handler returns.
    pub fn close(&mut self, frame: CloseFrame) {
        self.inner.close(frame);
    }

    /// Appends a message to the outbox; never waits.
    ///
    /// # Errors
    /// Before accept, once the socket is closed, and when the outbox is full.
    pub fn send(&mut self, message: impl Into<Message>) -> Result<()> {
        self.inner.append_message(&message.into())
    }

    /// Appends a value as JSON text; never waits.
    ///
    /// # Errors
    /// As [`send`](Self::send), and when the value has no JSON form.
    pub fn send_json<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.send(Message::from_json(value)?)
    }

    /// Appends an event as JSON text; never waits.
    ///
    /// # Errors
    /// As [`send`](Self::send), and when the event holds bytes.
    pub fn send_event<T>(&mut self, event: &Event<T>) -> Result<()> {
        self.inner.append_event(event)
    }

    /// This consumer's own channel.
    ///
    /// # Errors
    /// See [`Context::channel_name`](super::Context::channel_name).
    pub fn channel_name(&mut self) -> Result<ChannelName, LayerError> {
        self.runtime.block_on(self.inner.channel_name())
    }

    /// Joins a group, handled.
    ///
    /// # Errors
    /// See [`Context::group_add`](super::Context::group_add).
    pub fn group_add(&mut self, group: &GroupName) -> Result<(), LayerError> {
        self.runtime.block_on(self.inner.group_add(group))
    }

    /// Joins a group, forwarded.
    ///
    /// # Errors
    /// See [`Context::group_forward`](super::Context::group_forward).
    pub fn group_forward(&mut self, group: &GroupName) -> Result<(), LayerError> {
        self.runtime.block_on(self.inner.group_forward(group))
    }

    /// Leaves a group.
    ///
    /// # Errors
    /// See [`Context::group_discard`](super::Context::group_discard).
    pub fn group_discard(&mut self, group: &GroupName) -> Result<(), LayerError> {
        self.runtime.block_on(self.inner.group_discard(group))
    }

    /// Sends an event to a group.
    ///
    /// # Errors
    /// See [`Context::group_send`](super::Context::group_send).
    pub fn group_send<T: Serialize + ?Sized>(&self, group: &GroupName, message: &T) -> Result<Delivered> {
        self.runtime.block_on(self.inner.group_send(group, message))
    }

    /// Sends a message to one channel.
    ///
    /// # Errors
    /// See [`Context::send_to`](super::Context::send_to).
    pub fn send_to<T: Serialize + ?Sized>(&self, channel: &ChannelName, message: &T) -> Result<()> {
        self.runtime.block_on(self.inner.send_to(channel, message))
    }
}

/// A blocking consumer as an async one: each handler is a job for the pool.
#[derive(Debug)]
pub struct Blocking<C> {
    // Out while a handler has it on another thread.
    consumer: Option<C>,
}

impl<S, C> super::WebsocketConsumer<S> for Blocking<C>
where
    C: WebsocketConsumer<S>,
    S: Clone + Send + Sync + 'static,
{
    type Event = C::Event;

    const GROUPS: &'static [&'static str] = C::GROUPS;

    async fn connect(ctx: &mut AsyncContext<S>) -> Result<Self> {
        let consumer = on_pool(ctx, |ctx| caught(|| C::connect(ctx))).await???;
        Ok(Self { consumer: Some(consumer) })
    }

    async fn receive(&mut self, ctx: &mut AsyncContext<S>, message: Message) -> Result<()> {
        self.call(ctx, |consumer, ctx| consumer.receive(ctx, message)).await?
    }

    async fn event(&mut self, ctx: &mut AsyncContext<S>, event: Event<C::Event>) -> Result<()> {
        self.call(ctx, |consumer, ctx| consumer.event(ctx, event)).await?
    }

    async fn layer_gap(&mut self, ctx: &mut AsyncContext<S>, gap: LayerGap) -> Result<()> {
        self.call(ctx, |consumer, ctx| consumer.layer_gap(ctx, gap)).await?
    }

    async fn disconnect(&mut self, ctx: &mut AsyncContext<S>, close: CloseFrame) {
        if let Err(error) = self.call(ctx, |consumer, ctx| consumer.disconnect(ctx, close)).await {
            tracing::error!(error = %error.chain(), "a blocking disconnect failed");
        }
    }
}

impl<C: Send + 'static> Blocking<C> {
    /// Lends the consumer and its context to a thread of the pool and takes both back.
    async fn call<S, T>(
        &mut self,
        ctx: &mut AsyncContext<S>,
        handler: impl FnOnce(&mut C, &mut Context<S>) -> T + Send + 'static,
    ) -> Result<T>
    where
        C: WebsocketConsumer<S>,
        S: Clone + Send + Sync + 'static,
        T: Send + 'static,
    {
        let mut consumer = self.consumer.take().ok_or_else(|| Error::msg("the consumer is lost"))?;
        let waiting = Arc::new(Waiting::default());
        let place = Abandon(Arc::clone(&waiting));
        let job = move |ctx: &mut Context<S>| {
            let outcome = caught(|| handler(&mut consumer, ctx));
            if waiting.is_abandoned() {
                let _ = caught(|| consumer.disconnect(ctx, CloseFrame::new(CloseCode::LOST, "stopped")));
            }
            (consumer, outcome)
        };
        let returned = on_pool(ctx, job).await;
        place.0.done();
        let (consumer, outcome) = returned?;
        self.consumer = Some(consumer);
        outcome
    }
}

/// Whether anybody still waits for a handler on the pool: the hard stop does not, and then the handler's own thread
/// has to call `disconnect`.
#[derive(Debug, Default)]
struct Waiting(AtomicU8);

const RUNNING: u8 = 0;
const DONE: u8 = 1;
const ABANDONED: u8 = 2;

impl Waiting {
    fn done(&self) {
        self.0.store(DONE, Ordering::Release);
    }

    fn is_abandoned(&self) -> bool {
        self.0.load(Ordering::Acquire) == ABANDONED
    }
}

/// Tells the handler's thread when its caller is dropped.
struct Abandon(Arc<Waiting>);

impl Drop for Abandon {
    fn drop(&mut self) {
        // Only a call that is still running can be abandoned; one that is done has its answer.
        let _ = self.0.0.compare_exchange(RUNNING, ABANDONED, Ordering::AcqRel, Ordering::Acquire);
    }
}

/// Calls user code; a panic becomes an error that carries its text.
fn caught<T>(call: impl FnOnce() -> T) -> Result<T> {
    // The consumer comes back from a panic, since its `disconnect` is still owed.
    catch_unwind(AssertUnwindSafe(call)).map_err(|panic| PoolError::Panicked(panic_text(&*panic)).into())
}

/// Runs a job with the connection's context on the pool.
async fn on_pool<S, T>(
    ctx: &mut AsyncContext<S>,
    job: impl FnOnce(&mut Context<S>) -> T + Send + 'static,
) -> Result<T>
where
    S: Clone + Send + Sync + 'static,
    T: Send + 'static,
{
    let env = Arc::clone(&ctx.scope().env);
    let runtime = Handle::current();
    // The permit first: a context that waits in the queue can still be taken by the hard stop.
    let place = env.blocking().place().await?;
    let inner = ctx.lend();
    let (returned, outcome) = place
        .run(move || {
            let mut ctx = Context { inner, runtime };
            let outcome = job(&mut ctx);
            (ctx.inner, outcome)
        })
        .await?;
    ctx.give_back(returned);
    Ok(outcome)
}
