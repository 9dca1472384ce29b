//! How forwarded events read when they reach a route's clients.

use std::any::TypeId;
use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::layers::{Event, EventSink, Pushed};

type Rewrite = fn(&Event) -> Option<Event>;

/// How forwarded events are written for a route's clients. By default they go out as they came.
#[derive(Clone, Copy, Default)]
pub struct Forwarded(Option<(TypeId, Rewrite)>);

impl Forwarded {
    /// Events that `T` understands go out as `T` writes them: in the spelling of its types, and under the names of its
    /// fields, whatever aliases the sender used. Those that read so already go out as they came, with all they hold,
    /// and so do those that are none of `T`'s. The work is done once per process and event, however many members there
    /// are.
    ///
    /// ```
    /// use serde::{Deserialize, Serialize};
    /// use solent::consumer::Forwarded;
    ///
    /// #[derive(Serialize, Deserialize)]
    /// #[serde(tag = "type")]
    /// enum Chat {
    ///     // A Python member's `{"type": "chat_message", "username": …}` reaches clients as `chat.message` with `user`.
    ///     #[serde(rename = "chat.message")]
    ///     Message {
    ///         #[serde(alias = "username")]
    ///         user: String,
    ///     },
    /// }
    ///
    /// let forwarded = Forwarded::written_by::<Chat>();
    /// ```
    pub fn written_by<T>() -> Self
    where
        T: Serialize + DeserializeOwned + Send + Sync + 'static,
    {
        Self(Some((TypeId::of::<T>(), Event::rewritten::<T>)))
    }

    /// A sink whose events are written so.
    pub(super) fn into(self, sink: Arc<dyn EventSink>) -> Arc<dyn EventSink> {
        match self.0 {
            Some((_, rewrite)) => Arc::new(Writer { sink, rewrite }),
            None => sink,
        }
    }
}

impl PartialEq for Forwarded {
    fn eq(&self, other: &Self) -> bool {
        self.0.map(|(of, _)| of) == other.0.map(|(of, _)| of)
    }
}

impl Eq for Forwarded {}

impl fmt::Debug for Forwarded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Forwarded(rewritten)" } else { "Forwarded(as it came)" })
    }
}

/// Writes events anew on their way to a sink.
struct Writer {
    sink: Arc<dyn EventSink>,
    rewrite: Rewrite,
}

impl EventSink for Writer {
    fn push(&self, event: &Event) -> Pushed {
        match (self.rewrite)(event) {
            Some(rewritten) => self.sink.push(&rewritten),
            None => self.sink.push(event),
        }
    }

    fn flush(&self) {
        self.sink.flush();
    }
}
