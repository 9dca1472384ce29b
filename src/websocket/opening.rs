//! The handshake: `connect` runs until it has accepted or refused, within the accept time.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;

use tokio::time::{Instant, timeout_at};

use super::decoder::Decoder;
use super::driver::{Driver, Line};
use super::handler::{Outcome, poll_caught};
use super::{CloseFrame, Connection, Refusal};
use crate::Result;
use crate::consumer::{Context, Policy, WebsocketConsumer};
use crate::layers::{Delivery, GroupName};
use crate::trace_context::SocketName;

/// Opens a connection with a new consumer: the outcome of its handshake. An accepted connection goes on in a task
/// of its own.
///
/// # Cancel safety
/// Dropping the future ends a connection that is not accepted yet; its consumer's clean-up is `Drop`.
pub(crate) async fn open<C, S>(connection: Connection, policy: Arc<Policy>, state: S) -> Result<(), Refusal>
where
    C: WebsocketConsumer<S>,
    S: Send + Sync + 'static,
{
    let mut ctx =
        Context::new(connection, policy, state).map_err(|error| super::verdict::refuse(error.into()))?;
    let deadline = Instant::now() + ctx.env().limits.accept_time;
    let connected = connect::<C, S>(&mut ctx, deadline).await;
    if !ctx.core().accepted {
        match connected {
            Outcome::Done(Ok(consumer)) if ctx.core().close.is_none() => {
                return await_decision(consumer, ctx, deadline).await;
            }
            Outcome::Done(Ok(_)) => return Err(Refusal::forbidden("closed")),
            Outcome::Done(Err(error)) => return Err(ctx.core().refuse(error)),
            Outcome::Panicked(text) => return Err(ctx.core().refuse_panic(&text)),
            Outcome::Stopped => return Err(Refusal::unavailable("accept_time")),
        }
    }
    let core = ctx.core_mut();
    let (consumer, failed) = match connected {
        Outcome::Done(Ok(consumer)) => (Some(consumer), None),
        Outcome::Done(Err(error)) => (None, Some(core.judge_final(error))),
        Outcome::Panicked(text) => (None, Some(core.panicked(&text))),
        Outcome::Stopped => (None, Some(CloseFrame::new(1011, "connect took too long"))),
    };
    start(consumer, ctx, failed);
    Ok(())
}

/// Runs `connect` within the time that a handshake has.
async fn connect<C, S>(ctx: &mut Context<S>, deadline: Instant) -> Outcome<C>
where
    C: WebsocketConsumer<S>,
    S: Send + Sync + 'static,
{
    let connecting = async {
        for name in C::GROUPS {
            ctx.group_add(&GroupName::new(*name)?).await?;
        }
        C::connect(ctx).await
    };
    let mut connecting = pin!(connecting);
    let caught = poll_fn(|cx| poll_caught(connecting.as_mut(), cx));
    timeout_at(deadline, caught).await.unwrap_or(Outcome::Stopped)
}

/// A consumer that has not decided in `connect` may decide in `event`, within the same time.
async fn await_decision<C, S>(mut consumer: C, mut ctx: Context<S>, deadline: Instant) -> Result<(), Refusal>
where
    C: WebsocketConsumer<S>,
    S: Send + Sync + 'static,
{
    while !ctx.core().accepted {
        let Ok(delivery) = timeout_at(deadline, ctx.core_mut().channel.recv()).await else {
            return Err(Refusal::unavailable("accept_time"));
        };
        let Delivery::Event(event) = delivery else { continue };
        let event = match event.decode::<C::Event>() {
            Ok(event) => event,
            Err(error) => {
                ctx.core().undecodable(&error);
                continue;
            }
        };
        let handled = {
            let mut handling = pin!(consumer.event(&mut ctx, event));
            timeout_at(deadline, poll_fn(|cx| poll_caught(handling.as_mut(), cx))).await
        };
        match handled {
            Ok(Outcome::Done(Ok(()))) if ctx.core().close.is_some() => {
                return Err(Refusal::forbidden("closed"));
            }
            Ok(Outcome::Done(Ok(()))) => {}
            Ok(Outcome::Done(Err(error))) => return Err(ctx.core().refuse(error)),
            Ok(Outcome::Panicked(text)) => return Err(ctx.core().refuse_panic(&text)),
            Ok(Outcome::Stopped) | Err(_) => return Err(Refusal::unavailable("accept_time")),
        }
    }
    start(Some(consumer), ctx, None);
    Ok(())
}

/// Moves an accepted connection into its own task.
fn start<C, S>(consumer: Option<C>, mut ctx: Context<S>, failed: Option<CloseFrame>)
where
    C: WebsocketConsumer<S>,
    S: Send + Sync + 'static,
{
    let core = ctx.core_mut();
    if let Some(frame) = failed {
        core.close = Some(Box::new(frame));
    }
    let Some(accepted) = core.take_accepted() else { return };
    let env = Arc::clone(&core.scope.env);
    // A route that says how large its messages may be says it of their frames as well.
    let (message, frame) = match core.policy.max_message_size {
        Some(bytes) => (bytes, None),
        None => (env.limits.message_bytes, env.limits.frame_bytes),
    };
    let decoder = Decoder::new(message, frame.unwrap_or(message), accepted.agreed.as_ref());
    let mut name = SocketName::current(&core.scope.request_id);
    let line = Line::new(*accepted, decoder, Arc::clone(&core.outbox), env, &core.scope);
    let mut driver = Driver { consumer, ctx, line };
    tokio::spawn(async move {
        {
            let mut running = pin!(driver.run());
            poll_fn(|cx| name.during(|| running.as_mut().poll(cx))).await;
        }
        name.during(|| drop(driver));
    });
}
