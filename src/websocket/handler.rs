//! Running one handler: panics are caught, frames that it sent leave while it waits, silence is not counted.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::time::Instant;

use super::driver::{Line, no_progress};
use super::outbox::Request;
use crate::Result;
use crate::blocking::panic_text;

/// The outcome of a handler's future.
pub(super) enum Outcome<T> {
    Done(Result<T>),
    Panicked(String),
    /// The drain's time is over; the future was dropped.
    Stopped,
}

/// Polls a handler; a panic ends it.
pub(super) fn poll_caught<T>(
    handler: Pin<&mut impl Future<Output = Result<T>>>,
    cx: &mut Context<'_>,
) -> Poll<Outcome<T>> {
    // What the panic left half-changed is the consumer's own; it gets `disconnect` and is dropped.
    match catch_unwind(AssertUnwindSafe(|| handler.poll(cx))) {
        Ok(poll) => poll.map(Outcome::Done),
        Err(panic) => Poll::Ready(Outcome::Panicked(panic_text(&*panic))),
    }
}

impl Line {
    /// Runs a handler to its end. While it waits, what it has sent is written, and nothing is read.
    pub(super) async fn handle(
        &mut self,
        mut handler: Pin<&mut impl Future<Output = Result<()>>>,
    ) -> Outcome<()> {
        let mut waits_since = None;
        let outcome = poll_fn(|cx| {
            let polled = poll_caught(handler.as_mut(), cx);
            if polled.is_ready() {
                return polled;
            }
            waits_since.get_or_insert_with(Instant::now);
            self.poll_beside(cx)
        })
        .await;
        if let Some(start) = waits_since {
            self.clock.stood_still(start);
        }
        outcome
    }

    /// What goes on beside a waiting handler: writing, and the hard stop.
    fn poll_beside<T>(&mut self, cx: &mut Context<'_>) -> Poll<Outcome<T>> {
        match self.outbox.poll_driver(cx) {
            Some(Request::Stop) => return Poll::Ready(Outcome::Stopped),
            Some(request) => {
                self.request.get_or_insert(request);
            }
            None => {}
        }
        match self.wire.poll_write(cx, &self.outbox) {
            // The handler hears of it with its next send; the driver once it is done.
            Poll::Ready(Err(_)) => self.outbox.shut(),
            Poll::Ready(Ok(())) => {}
            Poll::Pending => {
                let waiting_since = self.outbox.waiting_since();
                if self.clock.poll_stall(cx, &self.env.limits, waiting_since).is_ready() {
                    self.outbox.shut();
                    self.request.get_or_insert_with(|| Request::Close(Box::new(no_progress())));
                }
            }
        }
        Poll::Pending
    }
}
