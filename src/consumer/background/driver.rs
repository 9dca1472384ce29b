//! The loop of one background consumer: message after message, until the worker stops.

use std::sync::Arc;

use tracing::{error, warn};

use super::{BackgroundConsumer, BackgroundContext, Deliveries};
use crate::Result;
use crate::consumer::caught::caught;
use crate::layers::{Delivery, Event};

/// Handles everything that comes, one thing at a time.
pub(super) async fn run<C, S>(mut ctx: BackgroundContext<S>, deliveries: Deliveries)
where
    C: BackgroundConsumer<S>,
    S: Send + Sync + 'static,
{
    let mut consumer: Option<C> = None;
    loop {
        let delivery = tokio::select! {
            next = deliveries.next() => match next {
                Some(event) => Delivery::Event(event),
                None => break,
            },
            delivery = ctx.own_channel().recv() => delivery,
        };
        match delivery {
            Delivery::Event(event) => on_event(&mut consumer, &mut ctx, &event).await,
            Delivery::Gap(gap) => {
                if let Some(value) = &mut consumer {
                    let outcome = caught(value.layer_gap(&mut ctx, gap)).await;
                    ended(&mut consumer, &mut ctx, outcome);
                }
            }
            Delivery::Overflow => {}
        }
    }
    if let Some(mut value) = consumer {
        let stopping = async {
            value.stop(&mut ctx).await;
            Ok(())
        };
        if let Err(error) = caught(stopping).await {
            error!(channel = ctx.channel(), error = %error.chain(), "a background consumer did not stop well");
        }
    }
}

async fn on_event<C, S>(consumer: &mut Option<C>, ctx: &mut BackgroundContext<S>, event: &Event)
where
    C: BackgroundConsumer<S>,
    S: Send + Sync + 'static,
{
    let event = match event.decode::<C::Event>() {
        Ok(event) => event,
        Err(error) => {
            warn!(channel = ctx.channel(), %error, "a message was not understood and is left out");
            return ctx.env().workers.count_undecodable();
        }
    };
    let stats = Arc::clone(&ctx.env().workers);
    let outcome = handle(consumer, ctx, event).await;
    match outcome.is_ok() {
        true => stats.count_handled(),
        false => stats.count_failed(),
    }
    ended(consumer, ctx, outcome);
}

async fn handle<C, S>(
    consumer: &mut Option<C>,
    ctx: &mut BackgroundContext<S>,
    event: Event<C::Event>,
) -> Result<()>
where
    C: BackgroundConsumer<S>,
    S: Send + Sync + 'static,
{
    let value = match consumer {
        Some(value) => value,
        none => none.insert(caught(C::start(ctx)).await?),
    };
    caught(value.event(ctx, event)).await
}

/// What follows a handler: a failure ends the value, its memberships included, and nothing else.
fn ended<C, S>(consumer: &mut Option<C>, ctx: &mut BackgroundContext<S>, outcome: Result<()>) {
    if let Err(error) = outcome {
        error!(channel = ctx.channel(), error = %error.chain(), "a background consumer failed");
        *consumer = None;
        ctx.own_channel().leave();
    }
}
