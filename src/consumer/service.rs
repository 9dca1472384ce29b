//! A consumer type as a WebSocket application.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use tower::Service;

use super::{Forwarded, OnError, Policy, WebsocketConsumer};
use crate::layers::Overflow;
use crate::routing::Routes;
use crate::websocket::{Connection, Refusal, opening};

/// A consumer type, ready to be routed to. Channels: `Consumer.as_asgi()`.
///
/// One that wants the application's state cannot be mounted without it: that is
/// [`consumer_with_state`]'s, and forgetting it does not compile.
///
/// ```compile_fail,E0277
/// # use solent::Result;
/// use solent::consumer::{Context, WebsocketConsumer, consumer};
/// use solent::layers::Value;
///
/// struct Pool;
/// struct Courses;
///
/// impl WebsocketConsumer<Pool> for Courses {
///     type Event = Value;
///
///     async fn connect(ctx: &mut Context<Pool>) -> Result<Self> {
///         ctx.accept().await?;
///         Ok(Self)
///     }
/// }
///
/// let application = consumer::<Courses>(); // and where is the pool?
/// ```
pub fn consumer<C: WebsocketConsumer>() -> ConsumerService<C> {
    consumer_with_state(())
}

/// A consumer type with the application's state, a copy of which every connection gets.
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU64, Ordering};
/// use solent::Result;
/// use solent::consumer::{Context, WebsocketConsumer, consumer_with_state};
/// use solent::layers::Value;
/// use solent::testing::WebsocketCommunicator;
///
/// type Visits = Arc<AtomicU64>;
///
/// struct Counter;
///
/// impl WebsocketConsumer<Visits> for Counter {
///     type Event = Value;
///
///     async fn connect(ctx: &mut Context<Visits>) -> Result<Self> {
///         ctx.accept().await?;
///         let before = ctx.state().fetch_add(1, Ordering::Relaxed);
///         ctx.send(format!("visit {}", before + 1)).await?;
///         Ok(Self)
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// let app = consumer_with_state::<Counter, _>(Visits::default());
/// let mut client = WebsocketCommunicator::new(app, "/");
/// client.connect().await?;
/// assert_eq!(client.receive_text().await, "visit 1");
/// # Ok(())
/// # }
/// ```
pub fn consumer_with_state<C, S>(state: S) -> ConsumerService<C, S>
where
    C: WebsocketConsumer<S>,
    S: Clone + Send + Sync + 'static,
{
    ConsumerService { policy: Arc::default(), state, consumer: PhantomData }
}

/// A WebSocket application that makes one consumer per connection.
///
/// ```
/// use solent::consumer::{Forwarded, OnError, Policy, consumer};
/// use solent::layers::hub::Overflow;
/// # use solent::consumer::{Context, WebsocketConsumer};
/// # struct Chat;
/// # impl WebsocketConsumer for Chat {
/// #     type Event = solent::layers::Value;
/// #     async fn connect(ctx: &mut Context) -> solent::Result<Self> {
/// #         ctx.accept().await?;
/// #         Ok(Self)
/// #     }
/// # }
///
/// let socket = consumer::<Chat>()
///     .subprotocols(["chat.v2", "chat"])
///     .max_message_size(4 * 1024)
///     .on_error(OnError::Close)
///     .overflow(Overflow::DropOldest)
///     .forwarded(Forwarded::default())
///     .keep_headers();
///
/// // The same for many routes:
/// let mut policy = Policy::default();
/// policy.on_error = OnError::Close;
/// let socket = consumer::<Chat>().with_policy(policy);
/// ```
#[must_use]
pub struct ConsumerService<C, S = ()> {
    policy: Arc<Policy>,
    state: S,
    consumer: PhantomData<fn() -> C>,
}

impl<C, S> ConsumerService<C, S> {
    /// What happens after a client's error. Default: [`OnError::Report`].
    pub fn on_error(self, on_error: OnError) -> Self {
        self.with(|policy| policy.on_error = on_error)
    }

    /// What happens when a client is too slow. Default: the newest is dropped and counted.
    pub fn overflow(self, overflow: Overflow) -> Self {
        self.with(|policy| policy.overflow = overflow)
    }

    /// The largest message, in bytes. Default: the server's limit, 1 MiB.
    pub fn max_message_size(self, bytes: usize) -> Self {
        self.with(|policy| policy.max_message_size = Some(bytes))
    }

    /// The subprotocols that are spoken here, in order of preference. Default: none, the consumer chooses.
    pub fn subprotocols<T: Into<String>>(self, names: impl IntoIterator<Item = T>) -> Self {
        let names = names.into_iter().map(Into::into).collect();
        self.with(|policy| policy.subprotocols = names)
    }

    /// Keeps the handshake's headers and cookies in the scope after accept. Default: they are dropped; the session
    /// stays.
    pub fn keep_headers(self) -> Self {
        self.with(|policy| policy.keep_headers = true)
    }

    /// The alias of the channel layer. Default: `default`. Channels: `channel_layer_alias`.
    pub fn layer(self, alias: impl Into<String>) -> Self {
        let alias = alias.into();
        self.with(|policy| policy.layer = Some(alias))
    }

    /// How events of [forwarded memberships](super::Context::group_forward) are written for clients. Default: as they
    /// came.
    pub fn forwarded(self, forwarded: Forwarded) -> Self {
        self.with(|policy| policy.forwarded = forwarded)
    }

    /// All of this at once, for programs that keep it in settings of their own.
    pub fn with_policy(self, policy: Policy) -> Self {
        self.with(|own| *own = policy)
    }

    fn with(mut self, change: impl FnOnce(&mut Policy)) -> Self {
        change(Arc::make_mut(&mut self.policy));
        self
    }
}

impl<C, S> Service<Connection> for ConsumerService<C, S>
where
    C: WebsocketConsumer<S>,
    S: Clone + Send + Sync + 'static,
{
    type Response = ();
    type Error = Refusal;
    type Future = BoxFuture<'static, Result<(), Refusal>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Refusal>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, connection: Connection) -> Self::Future {
        Box::pin(opening::open::<C, S>(connection, Arc::clone(&self.policy), self.state.clone()))
    }
}

impl<C, S> Routes for ConsumerService<C, S> {}

// Derives would ask the same of `C`, of which there is no value here.
impl<C, S: Clone> Clone for ConsumerService<C, S> {
    fn clone(&self) -> Self {
        Self { policy: Arc::clone(&self.policy), state: self.state.clone(), consumer: PhantomData }
    }
}

impl<C, S> fmt::Debug for ConsumerService<C, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConsumerService")
            .field("consumer", &std::any::type_name::<C>())
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}
