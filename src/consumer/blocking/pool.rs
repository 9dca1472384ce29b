//! A blocking consumer as an async one: each handler is a job for the server's bounded pool.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tokio::runtime::Handle;

use super::{Context, WebsocketConsumer};
use crate::blocking::{Place, panic_text};
use crate::consumer::Context as AsyncContext;
use crate::layers::{Event, LayerGap};
use crate::websocket::{CloseCode, CloseFrame, Message};
use crate::{Error, PoolError, Result};

/// A blocking consumer as an async one: each handler is a job for the pool.
#[derive(Debug)]
pub struct Blocking<C> {
    // Out while a handler has it on another thread.
    consumer: Option<C>,
}

impl<S, C> crate::consumer::WebsocketConsumer<S> for Blocking<C>
where
    C: WebsocketConsumer<S>,
    S: Clone + Send + Sync + 'static,
{
    type Event = C::Event;

    const GROUPS: &'static [&'static str] = C::GROUPS;

    async fn connect(ctx: &mut AsyncContext<S>) -> Result<Self> {
        let place = ctx.env().blocking().place().await?;
        let consumer = on_pool(ctx, place, |ctx| caught(|| C::connect(ctx))).await???;
        Ok(Self { consumer: Some(consumer) })
    }

    async fn receive(&mut self, ctx: &mut AsyncContext<S>, message: Message) -> Result<()> {
        ctx.room().await;
        // Refused when the queue is full: the client is told, and no message waits unseen.
        let place = ctx.env().blocking().place().await?;
        self.call(ctx, place, |consumer, ctx| consumer.receive(ctx, message)).await?
    }

    async fn event(&mut self, ctx: &mut AsyncContext<S>, event: Event<C::Event>) -> Result<()> {
        let place = turn(ctx).await?;
        self.call(ctx, place, |consumer, ctx| consumer.event(ctx, event)).await?
    }

    async fn layer_gap(&mut self, ctx: &mut AsyncContext<S>, gap: LayerGap) -> Result<()> {
        let place = turn(ctx).await?;
        self.call(ctx, place, |consumer, ctx| consumer.layer_gap(ctx, gap)).await?
    }

    async fn disconnect(&mut self, ctx: &mut AsyncContext<S>, close: CloseFrame) {
        let called = async {
            let place = turn(ctx).await?;
            self.call(ctx, place, |consumer, ctx| consumer.disconnect(ctx, close)).await
        };
        if let Err(error) = called.await {
            tracing::error!(error = %error.chain(), "a blocking disconnect failed");
        }
    }
}

impl<C: Send + 'static> Blocking<C> {
    /// Lends the consumer and its context to a thread of the pool and takes both back.
    async fn call<S, T>(
        &mut self,
        ctx: &mut AsyncContext<S>,
        place: Place,
        handler: impl FnOnce(&mut C, &mut Context<S>) -> T + Send + 'static,
    ) -> Result<T>
    where
        C: WebsocketConsumer<S>,
        S: Clone + Send + Sync + 'static,
        T: Send + 'static,
    {
        let mut consumer = self.consumer.take().ok_or_else(|| Error::msg("the consumer is lost"))?;
        let waiting = Arc::new(Waiting::default());
        let abandon = Abandon(Arc::clone(&waiting));
        let job = move |ctx: &mut Context<S>| {
            let outcome = caught(|| handler(&mut consumer, ctx));
            if waiting.is_abandoned() {
                let _ = caught(|| consumer.disconnect(ctx, CloseFrame::new(CloseCode::LOST, "stopped")));
            }
            (consumer, outcome)
        };
        let returned = on_pool(ctx, place, job).await;
        abandon.0.done();
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
pub(super) fn caught<T>(call: impl FnOnce() -> T) -> Result<T> {
    // The consumer comes back from a panic, since its `disconnect` is still owed.
    catch_unwind(AssertUnwindSafe(call)).map_err(|panic| PoolError::Panicked(panic_text(&*panic)).into())
}

/// Waits for a thread however many wait already, and for room to send: an event is owed to its consumer, and
/// `disconnect` even more so. Nothing is lent while it waits, so the hard stop finds the connection whole.
async fn turn<S>(ctx: &mut AsyncContext<S>) -> Result<Place, PoolError> {
    ctx.room().await;
    ctx.env().blocking().turn().await
}

/// Runs a job with the connection's context on a thread of the pool.
async fn on_pool<S, T>(
    ctx: &mut AsyncContext<S>,
    place: Place,
    job: impl FnOnce(&mut Context<S>) -> T + Send + 'static,
) -> Result<T>
where
    S: Clone + Send + Sync + 'static,
    T: Send + 'static,
{
    let runtime = Handle::current();
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
