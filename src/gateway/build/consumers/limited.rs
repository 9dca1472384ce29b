//! Rates around any consumer: too many messages close the socket with 4429.

use std::sync::{Arc, Mutex};

use super::rate::{Bucket, Buckets, lock};
use crate::Result;
use crate::consumer::{Context, WebsocketConsumer};
use crate::gateway::settings::Rates;
use crate::gateway::units::Rate;
use crate::layers::{Event, LayerGap};
use crate::websocket::{CloseCode, CloseFrame, Message};

/// How many messages a route's clients may send; put into the scope by the route's guard.
#[derive(Debug, Clone)]
pub(crate) struct RouteLimits(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    connection: Option<Rate>,
    user: Option<Rate>,
    burst: u32,
    users: Buckets,
}

impl RouteLimits {
    /// The limits of a route; `None` without any.
    pub(crate) fn of(rates: Option<&Rates>) -> Option<Self> {
        let rates = rates?;
        let inner = Inner {
            connection: rates.connection,
            user: rates.user.as_ref().map(|rate| rate.value),
            burst: rates.burst,
            users: Buckets::default(),
        };
        Some(Self(Arc::new(inner)))
    }
}

/// A consumer whose clients may send so many messages.
pub(crate) struct Limited<C> {
    consumer: C,
    connection: Option<Bucket>,
    user: Option<Arc<Mutex<Bucket>>>,
}

impl<C> Limited<C> {
    fn takes_one_more(&mut self) -> bool {
        self.connection.as_mut().is_none_or(Bucket::take)
            && self.user.as_ref().is_none_or(|bucket| lock(bucket).take())
    }
}

impl<S, C> WebsocketConsumer<S> for Limited<C>
where
    S: Clone + Send + Sync + 'static,
    C: WebsocketConsumer<S>,
{
    type Event = C::Event;

    const GROUPS: &'static [&'static str] = C::GROUPS;

    async fn connect(ctx: &mut Context<S>) -> Result<Self> {
        let limits = ctx.scope().extensions.get::<RouteLimits>().map(|limits| Arc::clone(&limits.0));
        let consumer = C::connect(ctx).await?;
        let Some(limits) = limits else { return Ok(Self { consumer, connection: None, user: None }) };
        let connection = limits.connection.map(|rate| Bucket::new(rate, limits.burst));
        let user = limits
            .user
            .zip(ctx.user().account())
            .map(|(rate, account)| limits.users.of(&account.id, rate, limits.burst));
        Ok(Self { consumer, connection, user })
    }

    async fn receive(&mut self, ctx: &mut Context<S>, message: Message) -> Result<()> {
        if !self.takes_one_more() {
            ctx.close(CloseFrame::new(CloseCode::RATE, "too many messages"));
            return Ok(());
        }
        self.consumer.receive(ctx, message).await
    }

    async fn event(&mut self, ctx: &mut Context<S>, event: Event<C::Event>) -> Result<()> {
        self.consumer.event(ctx, event).await
    }

    async fn layer_gap(&mut self, ctx: &mut Context<S>, gap: LayerGap) -> Result<()> {
        self.consumer.layer_gap(ctx, gap).await
    }

    async fn disconnect(&mut self, ctx: &mut Context<S>, close: CloseFrame) {
        self.consumer.disconnect(ctx, close).await;
    }
}
