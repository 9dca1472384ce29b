//! [`Event`]: one message, shared by all who get it, decoded once per type and encoded once per form.

mod caches;
mod decode;
mod error;
mod rewritten;

pub use caches::EncodingKey;
pub use error::EventError;

use std::any::{Any, TypeId};
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Value;
use caches::Caches;

/// One message on its way to many. A clone shares everything, whatever the group's size.
///
/// An `Event` (of [`Value`]) is what layers carry; [`decode`](Self::decode) gives an `Event<T>` that still shares the
/// original, so that it can be sent on as it came.
///
/// ```
/// use serde::Deserialize;
/// use solent::layers::{Event, Map, Value};
///
/// #[derive(Deserialize)]
/// #[serde(tag = "type")]
/// enum Chat {
///     #[serde(rename = "chat.message")]
///     Message { text: String },
/// }
///
/// let mut message = Map::new();
/// message.insert("type", "chat_message");
/// message.insert("text", "hello");
/// let event = Event::from_value(Value::Map(message))?;
/// let decoded: Event<Chat> = event.decode()?;
/// let Chat::Message { text } = decoded.get();
/// assert_eq!(text, "hello");
/// assert_eq!(decoded.message_type(), Some("chat_message"), "as it came");
/// assert!(Event::from_value(Value::from("no map")).is_err());
/// # Ok::<(), solent::layers::EventError>(())
/// ```
pub struct Event<T: 'static = Value> {
    shared: Arc<Shared>,
    // None exactly when `T` is `Value`: the value then is the shared one.
    decoded: Option<Arc<T>>,
}

struct Shared {
    value: Value,
    weight: usize,
    caches: Caches,
}

impl Event {
    /// An event of anything that serialises to a map.
    ///
    /// # Errors
    /// [`EventError::NotAMap`] for anything else, [`EventError::Encode`] when it has no form as a [`Value`].
    pub fn new<M: Serialize + ?Sized>(message: &M) -> Result<Self, EventError> {
        let value = Value::from_serialize(message).map_err(|error| EventError::Encode(error.to_string()))?;
        Self::from_value(value)
    }

    /// An event of a value, which must be a map.
    ///
    /// # Errors
    /// [`EventError::NotAMap`] otherwise.
    pub fn from_value(value: Value) -> Result<Self, EventError> {
        let weight = value.weight();
        match value {
            Value::Map(_) => {
                let shared = Shared { value, weight, caches: Caches::default() };
                Ok(Self { shared: Arc::new(shared), decoded: None })
            }
            other => Err(EventError::NotAMap { found: other.kind() }),
        }
    }
}

impl<T: 'static> Event<T> {
    /// The message.
    pub fn get(&self) -> &T {
        match &self.decoded {
            Some(decoded) => decoded,
            None => match (&self.shared.value as &dyn Any).downcast_ref() {
                Some(value) => value,
                None => unreachable!("an event without a decoded value is an event of Value"),
            },
        }
    }

    /// The message as it travels, whatever it was decoded to.
    pub fn value(&self) -> &Value {
        &self.shared.value
    }

    /// The same event as layers carry it, to be sent on.
    pub fn untyped(&self) -> Event {
        Event { shared: self.shared.clone(), decoded: None }
    }

    /// The message's `type`, as its sender wrote it.
    pub fn message_type(&self) -> Option<&str> {
        self.value().get("type").and_then(Value::as_str)
    }

    /// About how many bytes the message takes: what mailboxes count.
    pub fn weight(&self) -> usize {
        self.shared.weight
    }

    /// The event as an event of `U`s, decoded at most once per process, event and `U`.
    ///
    /// In the message's type, `.` and `_` are the same: a variant named `chat.message` takes `chat_message` as well.
    ///
    /// # Errors
    /// [`EventError::UnknownType`] when `U` has no such variant, [`EventError::BadField`] when it has and something
    /// else does not fit, [`EventError::MissingType`] when `U` needs a type and there is none.
    pub fn decode<U: DeserializeOwned + Send + Sync + 'static>(&self) -> Result<Event<U>, EventError> {
        if TypeId::of::<U>() == TypeId::of::<Value>() {
            return Ok(Event { shared: self.shared.clone(), decoded: None });
        }
        let decoded = self.shared.caches.decoded(|| decode::message(&self.shared.value))?;
        Ok(Event { shared: self.shared.clone(), decoded: Some(decoded) })
    }

    /// The event in an encoded form, such as a whole frame; `encode` runs once per key, process and event.
    ///
    /// # Errors
    /// What `encode` failed with, the first time as every time.
    pub fn encoded(
        &self,
        key: EncodingKey,
        encode: impl FnOnce() -> Result<Bytes, EventError>,
    ) -> Result<Bytes, EventError> {
        self.shared.caches.encoded(key, encode)
    }

    /// The message's JSON text, made once. It is always UTF-8.
    ///
    /// # Errors
    /// [`EventError::Json`]: the message holds something that JSON cannot, such as bytes.
    pub fn json(&self) -> Result<Bytes, EventError> {
        self.shared.caches.json(|| Ok(Bytes::from(self.shared.value.to_json()?)))
    }
}

impl<T: 'static> std::ops::Deref for Event<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.get()
    }
}

impl<T: 'static> Clone for Event<T> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone(), decoded: self.decoded.clone() }
    }
}

impl<T: fmt::Debug + 'static> fmt::Debug for Event<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Event").field(self.get()).finish()
    }
}

impl<T: PartialEq + 'static> PartialEq for Event<T> {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}
