//! A background consumer type as an application for named channels.

use std::fmt;
use std::marker::PhantomData;
use std::task::{Context, Poll};

use ::http::StatusCode;
use futures_util::future::BoxFuture;
use tower::Service;

use super::{BackgroundConsumer, BackgroundContext, Deliveries, driver};
use crate::routing::Routes;
use crate::websocket::{Connection, Refusal};

/// A background consumer type, ready to be named in a [`ChannelNameRouter`](crate::routing::ChannelNameRouter).
pub fn background_consumer<C: BackgroundConsumer>() -> BackgroundConsumerService<C> {
    background_consumer_with_state(())
}

/// A background consumer type with the application's state, a copy of which every value gets.
///
/// ```
/// use std::sync::{Arc, Mutex};
/// use serde_json::json;
/// use solent::Result;
/// use solent::consumer::{BackgroundConsumer, BackgroundContext, background_consumer_with_state};
/// use solent::layers::{Event, GroupName, Value};
/// use solent::routing::{ChannelNameRouter, ProtocolTypeRouter};
/// use solent::testing::ApplicationCommunicator;
///
/// type Seen = Arc<Mutex<Vec<String>>>;
///
/// struct Log;
///
/// impl BackgroundConsumer<Seen> for Log {
///     type Event = Value;
///
///     async fn start(_: &mut BackgroundContext<Seen>) -> Result<Self> {
///         Ok(Self)
///     }
///
///     async fn event(&mut self, ctx: &mut BackgroundContext<Seen>, event: Event<Value>) -> Result<()> {
///         let kind = event.message_type().unwrap_or_default().to_owned();
///         ctx.state().lock().unwrap().push(kind);
///         Ok(())
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// let seen = Seen::default();
/// let log = background_consumer_with_state::<Log, _>(seen.clone());
/// let app = ProtocolTypeRouter::new().channel(ChannelNameRouter::new().channel("log", log));
/// let mut worker = ApplicationCommunicator::start(app, "log").await;
/// worker.send(&json!({ "type": "login" })).await;
/// assert_eq!(worker.handled().await.handled, 1);
/// assert_eq!(*seen.lock().unwrap(), ["login"]);
/// # Ok(())
/// # }
/// ```
pub fn background_consumer_with_state<C, S>(state: S) -> BackgroundConsumerService<C, S>
where
    C: BackgroundConsumer<S>,
    S: Clone + Send + Sync + 'static,
{
    BackgroundConsumerService { layer: None, state, consumer: PhantomData }
}

/// An application that handles the messages of a channel.
#[must_use]
pub struct BackgroundConsumerService<C, S = ()> {
    layer: Option<String>,
    state: S,
    consumer: PhantomData<fn() -> C>,
}

impl<C, S> BackgroundConsumerService<C, S> {
    /// The alias of the channel layer that the consumer answers through. Default: `default`.
    pub fn layer(mut self, alias: impl Into<String>) -> Self {
        self.layer = Some(alias.into());
        self
    }
}

impl<C, S> Service<Connection> for BackgroundConsumerService<C, S>
where
    C: BackgroundConsumer<S>,
    S: Clone + Send + Sync + 'static,
{
    type Response = ();
    type Error = Refusal;
    type Future = BoxFuture<'static, Result<(), Refusal>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Refusal>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, connection: Connection) -> Self::Future {
        let Self { layer, state, .. } = self.clone();
        Box::pin(async move {
            let (mut scope, _) = connection.into_parts();
            let found = scope.protocol.as_str().to_owned();
            let deliveries = Deliveries::of(&mut scope).ok_or_else(|| {
                refusal(format!("a background consumer serves scopes of type 'channel', found '{found}'"))
            })?;
            let ctx = BackgroundContext::new(scope, layer.as_deref(), state)
                .map_err(|error| refusal(error.to_string()))?;
            driver::run::<C, S>(ctx, deliveries).await;
            Ok(())
        })
    }
}

/// The program's fault, not a client's.
fn refusal(detail: String) -> Refusal {
    Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "configuration", "Something went wrong here.")
        .with_detail(detail)
}

impl<C, S> Routes for BackgroundConsumerService<C, S> {}

// Derives would ask the same of `C`, of which there is no value here.
impl<C, S: Clone> Clone for BackgroundConsumerService<C, S> {
    fn clone(&self) -> Self {
        Self { layer: self.layer.clone(), state: self.state.clone(), consumer: PhantomData }
    }
}

impl<C, S> fmt::Debug for BackgroundConsumerService<C, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BackgroundConsumerService")
            .field("consumer", &std::any::type_name::<C>())
            .finish_non_exhaustive()
    }
}
