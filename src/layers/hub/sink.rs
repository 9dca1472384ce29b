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
    /// The sink takes nothing any more: its client is leaving or has left.
    Gone,
    /// The event has no form that this sink's client understands, such as bytes for a JSON client.
    Refused,
}

/// Where forwarded events go: in practice, a connection's outbox.
///
/// After an outage they wait in the mailbox, within its bounds, until its owner has taken the
/// [`Gap`](super::Delivery::Gap) and asks for the next delivery: who forwards has to go on receiving.
///
/// ```
/// use std::sync::{Arc, Mutex};
/// use serde_json::json;
/// use solent::layers::hub::{EventSink, Hub, MailboxOptions, Membership, Pushed};
/// use solent::layers::{ChannelName, Event, GroupName};
///
/// /// Keeps what it gets, and never needs a flush.
/// #[derive(Default)]
/// struct Kept(Mutex<Vec<Event>>);
///
/// impl EventSink for Kept {
///     fn push(&self, event: &Event) -> Pushed {
///         self.0.lock().unwrap().push(event.clone());
///         Pushed::Queued { flush: false }
///     }
///
///     fn flush(&self) {}
/// }
///
/// let (hub, room, kept) = (Hub::new(), GroupName::new("room")?, Arc::new(Kept::default()));
/// let member = hub.open(ChannelName::new("specific.process!one")?, MailboxOptions::default()).expect("free");
/// member.set_sink(kept.clone());
/// hub.join(&room, &member, Membership::Forwarded)?;
/// hub.deliver_group(&room, &Event::new(&json!({ "type": "news" }))?);
/// assert_eq!(kept.0.lock().unwrap().len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait EventSink: Send + Sync {
    /// Appends an event to the sink's bounded outbox. Called under a group's lock: it must neither block nor call
    /// back into the layer.
    fn push(&self, event: &Event) -> Pushed;
    /// Writes what was appended, as far as it goes without waiting. Called once after `push` asked for it.
    fn flush(&self);
}
