//! The task of one request: `handle`, then events until the answer ends, then `disconnect`.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use ::http::StatusCode;
use bytes::Bytes;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, warn};

use super::answer::Ended;
use super::{HttpConsumer, HttpContext};
use crate::consumer::caught::caught;
use crate::http::Watch;
use crate::layers::{Delivery, GroupName};
use crate::{Error, Result};

/// What tells that the client has left.
pub(super) struct Left {
    /// Cancelled when nobody waits for the answer any more.
    pub(super) given_up: CancellationToken,
    /// What the connection itself tells.
    pub(super) presence: Option<Arc<Watch>>,
    /// How long an answer is worth making for a client that has closed its direction.
    pub(super) patience: Duration,
}

impl Left {
    /// Waits until the client has left.
    async fn left(&self) {
        let presence = async {
            match &self.presence {
                Some(presence) => presence.left(self.patience).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! { () = self.given_up.cancelled() => {}, () = presence => {} }
    }
}

/// Runs one request's consumer to its end.
pub(super) async fn run<C, S>(mut ctx: HttpContext<S>, body: Bytes, left: Left)
where
    C: HttpConsumer<S>,
    S: Send + Sync + 'static,
{
    let handled = tokio::select! {
        biased;
        () = left.left() => return ctx.departed(),
        handled = caught(handle::<C, S>(&mut ctx, body)) => handled,
    };
    let mut consumer = match handled {
        Ok(consumer) => consumer,
        Err(failed) => return ctx.failed(failed),
    };
    if let Err(failed) = converse(&mut consumer, &mut ctx, &left).await {
        ctx.failed(failed);
    }
    ctx.channel.mailbox = None;
    let time = ctx.env().limits.disconnect_time;
    let ended = caught(async {
        consumer.disconnect(&mut ctx).await;
        Ok(())
    });
    match timeout(time, ended).await {
        Ok(Ok(())) => {}
        Ok(Err(failed)) => ctx.failed(failed),
        Err(_) => warn!(route = %ctx.url_route().pattern, "disconnect took longer than disconnect_time"),
    }
}

async fn handle<C: HttpConsumer<S>, S>(ctx: &mut HttpContext<S>, body: Bytes) -> Result<C> {
    for name in C::GROUPS {
        ctx.group_add(&GroupName::new(*name)?).await?;
    }
    C::handle(ctx, body).await
}

/// Hands events to the consumer while the answer is open.
async fn converse<C, S>(consumer: &mut C, ctx: &mut HttpContext<S>, left: &Left) -> Result<()>
where
    C: HttpConsumer<S>,
    S: Send + Sync + 'static,
{
    let closing = ctx.env().closing.clone();
    let mut leaving = pin!(left.left());
    while !ctx.answer.is_ended() {
        let delivery = tokio::select! {
            biased;
            () = leaving.as_mut() => {
                ctx.departed();
                return Ok(());
            }
            // A client of an event stream comes back by itself, to a server that is there.
            () = closing.cancelled() => return ctx.end(),
            delivery = ctx.channel.recv() => delivery,
        };
        match delivery {
            Delivery::Event(event) => match event.decode::<C::Event>() {
                Ok(event) => caught(consumer.event(ctx, event)).await?,
                Err(error) => {
                    warn!(route = %ctx.url_route().pattern, %error, "an event was not understood and is left out");
                }
            },
            Delivery::Gap(gap) => caught(consumer.layer_gap(ctx, gap)).await?,
            Delivery::Overflow => return Err(Error::msg("the client is too far behind")),
        }
    }
    Ok(())
}

impl<S> HttpContext<S> {
    /// Ends the answer early but in good order.
    fn end(&mut self) -> Result<()> {
        if self.answer.is_open() {
            return self.send_response(StatusCode::NO_CONTENT);
        }
        self.finish();
        Ok(())
    }

    /// Ends the answer to a client that is gone.
    fn departed(&mut self) {
        debug!(route = %self.url_route().pattern, "the client has left");
        if self.answer.is_open() {
            // Fails when the view was given up, which is how most departures are noticed.
            let _ = self.send_response(StatusCode::NO_CONTENT);
        }
        self.answer.abort();
    }

    /// What a handler's error means: a page while the head is still to be sent, a cut-off stream after it.
    fn failed(&mut self, error: Error) {
        if error.downcast_ref::<Ended>().is_some() {
            debug!(route = %self.url_route().pattern, "a handler sent to a client that is gone");
        } else if self.answer.is_open() {
            // The view logs it and makes its page.
            let _ = self.answer.send_head(Err(error));
        } else {
            error!(
                route = %self.url_route().pattern, path = %self.scope.path, error = %error.chain(),
                "a handler failed"
            );
        }
        self.answer.abort();
    }
}
