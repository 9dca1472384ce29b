//! The driver: one task per connection that calls the consumer's handlers, one at a time.
//!
//! [`opening`](super::opening) runs the handshake. Once it is accepted the connection moves into a task of its own,
//! which selects over the socket, the mailbox, the outbox, the clock and what others ask of it, until one of them
//! ends it; [`ending`](super::ending) says good-bye.

use std::any::Any;
use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use tokio::task::coop;

use super::clock::{Clock, Due};
use super::decoder::{Decoder, Incoming};
use super::ends_at::EndsAt;
use super::handler::Outcome;
use super::outbox::{Outbox, Request};
use super::sockets::Registration;
use super::wire::{Ended, Wire};
use super::{Accepted, CloseCode, CloseFrame, Message, frame};
use crate::consumer::{Context, OwnChannel, WebsocketConsumer};
use crate::layers::{Delivery, Event, LayerGap};
use crate::{Environment, Scope};

/// An accepted connection with its consumer.
pub(super) struct Driver<C, S> {
    /// `None` when `connect` failed after it had accepted.
    pub(super) consumer: Option<C>,
    // Dropped before the line is, whose place among the open sockets is given up last: a drain waits for all of it.
    pub(super) ctx: Context<S>,
    pub(super) line: Line,
}

/// The socket's side of a connection: everything that a handler does not touch while it runs.
pub(super) struct Line {
    pub(super) wire: Wire,
    pub(super) outbox: Arc<Outbox>,
    pub(super) clock: Clock,
    pub(super) env: Arc<Environment>,
    /// A request that came while a handler ran.
    pub(super) request: Option<Request>,
    // Whose turn it is, so that neither the client nor the layer can starve the other.
    mailbox_first: bool,
    // Held, never read; dropped in this order.
    _guard: Option<Box<dyn Any + Send>>,
    _registration: Registration,
}

/// What happened next on a connection.
enum Step {
    Incoming(Incoming),
    Delivery(Delivery),
    Due(Due),
    Request(Request),
    Broken(CloseFrame),
    Lost(io::Error),
}

/// What a step means for the consumer.
enum Reaction<E: 'static> {
    Nothing,
    Receive(Message),
    Event(Event<E>),
    Gap(LayerGap),
    End(End),
}

/// How a conversation ends.
#[derive(Debug)]
pub(super) enum End {
    /// The peer sent a close frame.
    Peer(Option<CloseFrame>),
    /// This side closes.
    Close(CloseFrame),
    /// The connection is gone.
    Lost(io::Error),
    /// The drain's time is over.
    Stop,
}

impl Line {
    pub(super) fn new(
        accepted: Accepted,
        decoder: Decoder,
        outbox: Arc<Outbox>,
        env: Arc<Environment>,
        scope: &Scope,
    ) -> Self {
        let registration = env.sockets.enter(&outbox, scope);
        Self {
            wire: Wire::new(accepted.socket, decoder, &outbox),
            outbox,
            clock: Clock::new(scope.extensions.get::<EndsAt>().map(EndsAt::when)),
            env,
            request: None,
            mailbox_first: false,
            _guard: accepted.guard,
            _registration: registration,
        }
    }

    /// The next thing that happens. Cancel safe: nothing is taken before it is given.
    async fn step(&mut self, channel: &mut OwnChannel) -> Step {
        // Counts every step, so that a client with a full buffer yields to the others now and then.
        coop::consume_budget().await;
        poll_fn(|cx| self.poll_step(cx, channel)).await
    }

    fn poll_step(&mut self, cx: &mut std::task::Context<'_>, channel: &mut OwnChannel) -> Poll<Step> {
        if let Some(request) = self.request.take().or_else(|| self.outbox.take_request()) {
            return Poll::Ready(Step::Request(request));
        }
        // First, so that a socket that has just opened is read from, and its reads wake this task.
        if self.wire.is_opening()
            && let Poll::Ready(Err(error)) = self.wire.poll_open(cx, &self.outbox)
        {
            return Poll::Ready(Step::Lost(error));
        }
        if let Poll::Ready(step) = self.poll_sources(cx, channel) {
            return Poll::Ready(step);
        }
        // Nothing is to be done for now: from here on others wake this task.
        if let Some(request) = self.outbox.poll_driver(cx) {
            return Poll::Ready(Step::Request(request));
        }
        // Written last: while there is more to handle, its frames can leave together.
        let written = self.wire.poll_write(cx, &self.outbox);
        if let Poll::Ready(Err(error)) = written {
            return Poll::Ready(Step::Lost(error));
        }
        let waiting_since = if written.is_pending() { self.outbox.waiting_since() } else { None };
        self.clock.poll_due(cx, &self.env.limits, waiting_since).map(Step::Due)
    }

    fn poll_sources(&mut self, cx: &mut std::task::Context<'_>, channel: &mut OwnChannel) -> Poll<Step> {
        self.mailbox_first = !self.mailbox_first;
        for from_mailbox in [self.mailbox_first, !self.mailbox_first] {
            let step =
                if from_mailbox { channel.poll_recv(cx).map(Step::Delivery) } else { self.poll_client(cx) };
            if step.is_ready() {
                return step;
            }
        }
        Poll::Pending
    }

    fn poll_client(&mut self, cx: &mut std::task::Context<'_>) -> Poll<Step> {
        self.wire.poll_incoming(cx).map(|incoming| match incoming {
            Ok(incoming) => Step::Incoming(incoming),
            Err(Ended::Broken(frame)) => Step::Broken(frame),
            Err(Ended::Lost(error)) => Step::Lost(error),
        })
    }
}

impl<C, S> Driver<C, S>
where
    C: WebsocketConsumer<S>,
    S: Send + Sync + 'static,
{
    /// Drives the connection to its end.
    ///
    /// What is awaited here is what every idle socket keeps room for, whether it happens or not: the large and rare is
    /// boxed.
    pub(super) async fn run(&mut self) {
        let end = self.converse().await;
        Box::pin(self.finish(end)).await;
    }

    async fn converse(&mut self) -> End {
        // `connect` has failed after it had accepted, or it has asked for the end itself.
        if let Some(frame) = self.ctx.core_mut().close.take() {
            return End::Close(*frame);
        }
        loop {
            let step = self.line.step(&mut self.ctx.core_mut().channel).await;
            let reaction = self.react(step);
            // There is one: a failed `connect` has no conversation.
            let Some(consumer) = self.consumer.as_mut() else { return End::Stop };
            let outcome = match reaction {
                Reaction::Nothing => continue,
                Reaction::End(end) => return end,
                Reaction::Receive(message) => {
                    let mut handler = Box::pin(consumer.receive(&mut self.ctx, message));
                    self.line.handle(handler.as_mut()).await
                }
                // Events come once per member of a group: they alone are worth the room.
                Reaction::Event(event) => {
                    let mut handler = pin!(consumer.event(&mut self.ctx, event));
                    self.line.handle(handler.as_mut()).await
                }
                Reaction::Gap(gap) => {
                    let mut handler = Box::pin(consumer.layer_gap(&mut self.ctx, gap));
                    self.line.handle(handler.as_mut()).await
                }
            };
            if let Some(end) = self.after(outcome) {
                return end;
            }
        }
    }

    /// Does what needs no handler, and says which one has work now.
    fn react(&mut self, step: Step) -> Reaction<C::Event> {
        match step {
            Step::Incoming(incoming) => self.incoming(incoming),
            Step::Delivery(delivery) => self.delivery(delivery),
            Step::Due(due) => self.due(due).map_or(Reaction::Nothing, Reaction::End),
            Step::Request(Request::Close(frame)) => Reaction::End(End::Close(*frame)),
            Step::Request(Request::Stop) => Reaction::End(End::Stop),
            Step::Broken(frame) => Reaction::End(End::Close(frame)),
            Step::Lost(error) => Reaction::End(End::Lost(error)),
        }
    }

    fn incoming(&mut self, incoming: Incoming) -> Reaction<C::Event> {
        self.line.clock.heard(matches!(incoming, Incoming::Message(_)));
        match incoming {
            Incoming::Message(message) => {
                self.line.outbox.count_received(message.as_bytes().len());
                Reaction::Receive(message)
            }
            Incoming::Ping(payload) => {
                self.line.outbox.push_pong(frame::pong(&payload));
                Reaction::Nothing
            }
            Incoming::Pong => Reaction::Nothing,
            Incoming::Close(frame) => Reaction::End(End::Peer(frame)),
        }
    }

    fn delivery(&mut self, delivery: Delivery) -> Reaction<C::Event> {
        match delivery {
            Delivery::Event(event) => match event.decode::<C::Event>() {
                Ok(event) => Reaction::Event(event),
                Err(error) => {
                    self.ctx.core().undecodable(&error);
                    Reaction::Nothing
                }
            },
            Delivery::Gap(gap) => Reaction::Gap(gap),
            Delivery::Overflow => {
                Reaction::End(End::Close(CloseFrame::new(CloseCode::OVERFLOW, "too far behind")))
            }
        }
    }

    /// What a handler's outcome means for the connection.
    fn after(&mut self, outcome: Outcome<()>) -> Option<End> {
        let core = self.ctx.core_mut();
        let close = match outcome {
            Outcome::Done(Ok(())) => None,
            Outcome::Done(Err(error)) => core.judge(error),
            Outcome::Panicked(text) => Some(core.panicked(&text)),
            Outcome::Stopped => return Some(End::Stop),
        };
        close.or_else(|| core.close.take().map(|frame| *frame)).map(End::Close)
    }

    fn due(&mut self, due: Due) -> Option<End> {
        let frame = match due {
            Due::Ping => {
                self.line.outbox.push_control(frame::ping());
                return None;
            }
            Due::NoPong => CloseFrame::new(CloseCode::NO_PONG, self.line.no_pong()),
            Due::Stall => no_progress(),
            Due::Idle => CloseFrame::new(CloseCode::NORMAL, "idle"),
            Due::Age => CloseFrame::new(CloseCode::RESTART, "the connection is too old: reconnect"),
            Due::Over => self
                .ctx
                .scope()
                .extensions
                .get::<EndsAt>()
                .map_or_else(|| CloseFrame::new(CloseCode::NORMAL, "over"), |ends| ends.frame().clone()),
        };
        Some(End::Close(frame))
    }
}

impl Line {
    fn no_pong(&self) -> String {
        let time = self.env.limits.ping_timeout.unwrap_or_default();
        format!("no pong within {}s", time.as_secs_f64())
    }
}

/// What a client is told that takes nothing any more.
pub(super) fn no_progress() -> CloseFrame {
    CloseFrame::new(CloseCode::OVERFLOW, "no progress in sending")
}
