//! What a program adds to what files can name.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::consumers::Limited;
use crate::consumer::{Policy, WebsocketConsumer, consumer_with_state};
use crate::routing::{Application, BoxedApplication, ChannelNameRouter};

type Make = Arc<dyn Fn(Policy) -> BoxedApplication + Send + Sync>;

/// What a program adds to what its config file can name: consumers of its own, and what handles named channels.
///
/// ```
/// use solent::Result;
/// use solent::consumer::{Context, WebsocketConsumer};
/// use solent::gateway::Parts;
/// use solent::layers::Value;
///
/// struct Clock;
///
/// impl WebsocketConsumer for Clock {
///     type Event = Value;
///
///     async fn connect(ctx: &mut Context) -> Result<Self> {
///         ctx.accept().await?;
///         ctx.send("tick").await?;
///         Ok(Self)
///     }
/// }
///
/// // In the file: [[websocket]] with consumer = "clock".
/// let parts = Parts::new().consumer::<Clock, _>("clock", ());
/// ```
#[derive(Clone, Default)]
#[must_use]
pub struct Parts {
    consumers: BTreeMap<String, Make>,
    channels: ChannelNameRouter,
}

impl Parts {
    /// Nothing beside what is built in.
    pub fn new() -> Self {
        Self::default()
    }

    /// A consumer that routes may name, with the application's state. Sizes, rates, guards and policies come from the
    /// route. One of a built-in consumer's name is never asked.
    pub fn consumer<C, S>(mut self, name: impl Into<String>, state: S) -> Self
    where
        C: WebsocketConsumer<S>,
        S: Clone + Send + Sync + 'static,
    {
        let make: Make = Arc::new(move |policy| {
            let service = consumer_with_state::<Limited<C>, S>(state.clone()).with_policy(policy);
            BoxedApplication::new(service)
        });
        self.consumers.insert(name.into(), make);
        self
    }

    /// An application, usually a [background consumer](crate::consumer::background_consumer), for the messages of a named
    /// channel: the command `worker` runs it.
    pub fn channel(mut self, name: impl Into<String>, application: impl Application) -> Self {
        self.channels = self.channels.channel(name, application);
        self
    }

    pub(in crate::gateway) fn channels(&self) -> &ChannelNameRouter {
        &self.channels
    }

    /// The names that were given.
    pub fn consumers(&self) -> impl Iterator<Item = &str> {
        self.consumers.keys().map(String::as_str)
    }

    pub(super) fn make(&self, name: &str, policy: Policy) -> Option<BoxedApplication> {
        self.consumers.get(name).map(|make| make(policy))
    }
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parts")
            .field("consumers", &self.consumers.keys())
            .field("channels", &self.channels.channels().collect::<Vec<_>>())
            .finish()
    }
}
