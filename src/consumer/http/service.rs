//! An HTTP consumer type as a view.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use ::http::StatusCode;
use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::answer::{Answer, Head, is_event_stream};
use super::driver::Left;
use super::{HttpConsumer, HttpContext, driver};
use crate::consumer::OwnChannel;
use crate::http::{BoxedView, IntoResponse, IntoView, Request, Response};
use crate::layers::Overflow;
use crate::{Error, Result, Scope, Scoped};

/// An HTTP consumer type as a view.
pub fn http_consumer<C: HttpConsumer>() -> HttpConsumerService<C> {
    http_consumer_with_state(())
}

/// An HTTP consumer type with the application's state, a copy of which every request gets.
///
/// ```
/// use std::time::Duration;
/// use bytes::Bytes;
/// use solent::Result;
/// use solent::consumer::{HttpConsumer, HttpContext, http_consumer_with_state};
/// use solent::layers::Value;
/// use solent::layers::hub::Overflow;
///
/// struct Report;
///
/// impl HttpConsumer<Vec<String>> for Report {
///     type Event = Value;
///
///     async fn handle(ctx: &mut HttpContext<Vec<String>>, _: Bytes) -> Result<Self> {
///         ctx.send_response(ctx.state().join("\n"))?;
///         Ok(Self)
///     }
/// }
///
/// let view = http_consumer_with_state::<Report, _>(vec!["one".to_owned(), "two".to_owned()])
///     .answer_time(Duration::from_secs(25)) // for a proxy that waits for 30 s
///     .keep_alive(Duration::from_secs(10))
///     .overflow(Overflow::DropOldest);
/// ```
pub fn http_consumer_with_state<C, S>(state: S) -> HttpConsumerService<C, S>
where
    C: HttpConsumer<S>,
    S: Clone + Send + Sync + 'static,
{
    HttpConsumerService { options: Options::default(), state, consumer: PhantomData }
}

/// A view that makes one consumer per request. Stands in a [`ViewRouter`](crate::routing::ViewRouter), or behind
/// [`get`](crate::http::get) and its siblings.
#[must_use]
pub struct HttpConsumerService<C, S = ()> {
    options: Options,
    state: S,
    consumer: PhantomData<fn() -> C>,
}

#[derive(Debug, Clone)]
struct Options {
    keep_alive: Duration,
    answer_time: Duration,
    overflow: Overflow,
    layer: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            keep_alive: Duration::from_secs(15),
            answer_time: Duration::from_secs(30),
            overflow: Overflow::default(),
            layer: None,
        }
    }
}

impl<C, S> HttpConsumerService<C, S> {
    /// How long an event stream says nothing before a comment goes out, which also finds out that the client has
    /// left. Default: 15 s. Too short costs bytes; too long keeps what clients leave behind, and proxies cut off.
    ///
    /// Any other answer, a long poll that waits among them, is given up this long after the client has closed its
    /// direction of an HTTP/1.1 connection: it may still read, but most that close have left.
    pub fn keep_alive(mut self, time: Duration) -> Self {
        self.options.keep_alive = time;
        self
    }

    /// How long the head of the answer may take, long polling included; then the client gets 204, "nothing yet".
    /// Default: 30 s. Too long, and proxies answer 504 first.
    pub fn answer_time(mut self, time: Duration) -> Self {
        self.options.answer_time = time;
        self
    }

    /// What happens to events for a slow client. Default: the newest is dropped and counted.
    pub fn overflow(mut self, overflow: Overflow) -> Self {
        self.options.overflow = overflow;
        self
    }

    /// The alias of the channel layer. Default: `default`.
    pub fn layer(mut self, alias: impl Into<String>) -> Self {
        self.options.layer = Some(alias.into());
        self
    }
}

/// Marks [`IntoView`] for HTTP consumers.
#[derive(Debug)]
pub struct ToHttpConsumer;

impl<C, S> IntoView<ToHttpConsumer> for HttpConsumerService<C, S>
where
    C: HttpConsumer<S>,
    S: Clone + Send + Sync + 'static,
{
    fn into_view(self) -> BoxedView {
        let Self { options, state, .. } = self;
        BoxedView::new(move |request| Box::pin(answer::<C, S>(request, options.clone(), state.clone())))
    }
}

/// Starts a request's consumer and waits for the head of its answer.
async fn answer<C, S>(mut request: Request, options: Options, state: S) -> Result<Response, Error>
where
    C: HttpConsumer<S>,
    S: Clone + Send + Sync + 'static,
{
    // Made when no router has made one yet.
    request.scope_mut();
    let (mut request, body) = request.into_parts();
    let scope = request.extensions.remove::<Box<Scope>>().ok_or_else(|| Error::msg("no scope"))?;
    let body = body.bytes().await?;
    let channel = OwnChannel::new(&scope.env, options.layer.as_deref(), options.overflow, None)?;
    let (sender, head) = oneshot::channel();
    let presence = scope.departure.as_ref().map(|departure| Arc::new(departure.watch()));
    let answer = Answer::new(sender, scope.env.limits.outbox_stall, presence.clone());
    let given_up = CancellationToken::new();
    let tasks = scope.env.tasks.clone();
    let ctx = HttpContext { request, scope, channel, answer, state };
    // Whoever drops it, the view that is given up or the body, the client is gone.
    let guard = given_up.clone().drop_guard();
    let left = Left { given_up, presence, patience: options.keep_alive };
    tasks.spawn(driver::run::<C, S>(ctx, body, left));
    match timeout(options.answer_time, head).await {
        Ok(Ok(head)) => match head? {
            Head::Whole(response) => {
                // The answer is in hand; `handle` may go on to its own end.
                guard.disarm();
                Ok(response)
            }
            Head::Stream(parts, pieces) => {
                let quiet = is_event_stream(&parts.headers).then_some(options.keep_alive);
                Ok(Response::from_parts(parts, pieces.into_body(quiet, guard)))
            }
        },
        Ok(Err(_)) => Err(Error::msg("the consumer ended without an answer")),
        Err(_) => StatusCode::NO_CONTENT.into_response(),
    }
}

impl<C, S: Clone> Clone for HttpConsumerService<C, S> {
    fn clone(&self) -> Self {
        Self { options: self.options.clone(), state: self.state.clone(), consumer: PhantomData }
    }
}

impl<C, S> fmt::Debug for HttpConsumerService<C, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpConsumerService")
            .field("consumer", &std::any::type_name::<C>())
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
