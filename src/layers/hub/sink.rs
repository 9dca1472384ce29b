//! [`EventSink`]: where forwarded events go, past the consumer.

use crate::layers::Event;

/// What a sink did with an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Pushed {
    /// It stands in the sink's outbox.
    Queued {
        /// The outbox was clean before and needs a flush now.
        flush: bool,
    },
    /// The outbox had no room.
    Dropped,
    /// The event has no form that this sink's client understands, such as bytes for a JSON client.
    Refused,
}

/// Where forwarded events go: in practice, a connection's outbox.
///
/// After an outage they wait in the mailbox, within its bounds, until its owner has taken the
/// [`Gap`](super::Delivery::Gap) and asks for the next delivery: who forwards has to go on receiving.
pub trait EventSink: Send + Sync {
    /// Appends an event to the sink's bounded outbox. Called under a group's lock: it must neither block nor call
    /// back into the layer.
    fn push(&self, event: &Event) -> Pushed;
    /// Writes what was appended, as far as it goes without waiting. Called once after `push` asked for it.
    fn flush(&self);
}
