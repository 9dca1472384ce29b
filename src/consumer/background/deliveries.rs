//! [`Deliveries`]: the messages of one channel, as a worker hands them to its application.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use tokio::sync::{Mutex, Notify};
use tokio_util::sync::CancellationToken;

use crate::Scope;
use crate::layers::{Delivery, Event, Mailbox};

/// The messages of one plain channel, for an application mounted in a
/// [`ChannelNameRouter`](crate::routing::ChannelNameRouter).
///
/// [`BackgroundConsumer`](super::BackgroundConsumer)s are served from it; an application of one's own takes it out of
/// the connection's scope. Clones share the messages: each goes to one of them.
///
/// ```
/// use solent::Scoped;
/// use solent::consumer::Deliveries;
/// use solent::routing::{ChannelNameRouter, ProtocolTypeRouter, mount};
/// use solent::websocket::{Connection, Refusal};
///
/// /// An application of one's own.
/// async fn print(mut connection: Connection) -> Result<(), Refusal> {
///     let messages = Deliveries::of(connection.scope_mut()).ok_or_else(|| Refusal::not_found("no channel"))?;
///     while let Some(event) = messages.next().await {
///         println!("{:?}", event.message_type());
///     }
///     Ok(())
/// }
///
/// let printer = mount(tower::service_fn(print));
/// let app = ProtocolTypeRouter::new().channel(ChannelNameRouter::new().channel("print", printer));
/// ```
#[derive(Clone)]
pub struct Deliveries(Arc<Shared>);

struct Shared {
    source: Mutex<Source>,
    stop: CancellationToken,
    taken: Notify,
}

enum Source {
    Open(Mailbox),
    /// What was taken from the channel before the stop, and is still to be handled.
    Rest(VecDeque<Event>),
}

impl Deliveries {
    /// The messages of `mailbox`, until `stop`.
    pub(crate) fn new(mailbox: Mailbox, stop: CancellationToken) -> Self {
        let source = Mutex::new(Source::Open(mailbox));
        Self(Arc::new(Shared { source, stop, taken: Notify::new() }))
    }

    /// Takes the messages out of a scope of type `channel`; `None` for any other, and when they were taken already.
    pub fn of(scope: &mut Scope) -> Option<Self> {
        let found: Self = scope.extensions.remove()?;
        found.0.taken.notify_one();
        Some(found)
    }

    /// Waits until an application has taken the messages.
    pub(crate) async fn taken(&self) {
        self.0.taken.notified().await;
    }

    /// Waits for the stop, and then stops listening although all handlers may be at work.
    pub(crate) async fn close_in_time(&self) {
        self.0.stop.cancelled().await;
        self.0.source.lock().await.close();
    }

    /// The next message; `None` when the worker stops and everything that it took has been given out.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn next(&self) -> Option<Event> {
        let mut source = self.0.source.lock().await;
        loop {
            let delivery = match &mut *source {
                Source::Rest(rest) => return rest.pop_front(),
                Source::Open(mailbox) => tokio::select! {
                    biased;
                    () = self.0.stop.cancelled() => None,
                    delivery = mailbox.recv() => Some(delivery),
                },
            };
            match delivery {
                Some(Delivery::Event(event)) => return Some(event),
                Some(_) => {}
                None => source.close(),
            }
        }
    }
}

impl Source {
    /// Stops listening; what was taken stays.
    fn close(&mut self) {
        if let Self::Open(mailbox) = std::mem::replace(self, Self::Rest(VecDeque::new())) {
            *self = Self::Rest(mailbox.close().into());
        }
    }
}

impl fmt::Debug for Deliveries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deliveries").field("stopping", &self.0.stop.is_cancelled()).finish_non_exhaustive()
    }
}
