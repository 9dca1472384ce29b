//! Serializers by name: `msgpack`, `json`, and those that an application registers.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use super::{FormatError, json, json_reader, msgpack, msgpack_reader};
use crate::layers::{Map, Value};

/// Turns messages into bytes and back: channels_redis' `BaseMessageSerializer`.
///
/// Encryption and the random prefix are put around it; it sees neither.
///
/// One of one's own, which both sides must have:
///
/// ```
/// use bytes::Bytes;
/// use solent::layers::redis::RedisSettings;
/// use solent::layers::redis::format::{FormatError, MessageSerializer, Serializers};
/// use solent::layers::{Map, Value};
///
/// /// JSON behind a version byte.
/// struct Versioned;
///
/// impl MessageSerializer for Versioned {
///     fn serialize(&self, message: &Map) -> Result<Vec<u8>, FormatError> {
///         let json = Serializers::default().get("json")?.serialize(message)?;
///         Ok([&[1][..], &json].concat())
///     }
///
///     fn deserialize(&self, bytes: &Bytes) -> Result<Value, FormatError> {
///         Serializers::default().get("json")?.deserialize(&bytes.slice(1.min(bytes.len())..))
///     }
/// }
///
/// let mut settings = RedisSettings::default();
/// settings.serializers = Serializers::default().with("versioned", Versioned);
/// settings.serializer_format = "versioned".to_owned();
/// ```
pub trait MessageSerializer: Send + Sync + 'static {
    /// The bytes of a message.
    ///
    /// # Errors
    /// When the message has no form in this format.
    fn serialize(&self, message: &Map) -> Result<Vec<u8>, FormatError>;

    /// The message of some bytes.
    ///
    /// # Errors
    /// When they are not this format.
    fn deserialize(&self, bytes: &Bytes) -> Result<Value, FormatError>;
}

struct MsgPack;

impl MessageSerializer for MsgPack {
    fn serialize(&self, message: &Map) -> Result<Vec<u8>, FormatError> {
        msgpack::write(message)
    }

    fn deserialize(&self, bytes: &Bytes) -> Result<Value, FormatError> {
        msgpack_reader::read(bytes)
    }
}

struct Json;

impl MessageSerializer for Json {
    fn serialize(&self, message: &Map) -> Result<Vec<u8>, FormatError> {
        json::write(message)
    }

    fn deserialize(&self, bytes: &Bytes) -> Result<Value, FormatError> {
        json_reader::read(bytes)
    }
}

/// Serializers by name.
#[derive(Clone)]
pub struct Serializers(BTreeMap<String, Arc<dyn MessageSerializer>>);

impl Default for Serializers {
    /// `msgpack` and `json`.
    fn default() -> Self {
        Self(BTreeMap::new()).with("msgpack", MsgPack).with("json", Json)
    }
}

impl Serializers {
    /// Registers a serializer; one of the same name is replaced. Channels: `register_serializer`.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, serializer: impl MessageSerializer) -> Self {
        self.0.insert(name.into(), Arc::new(serializer));
        self
    }

    /// The serializer of that name.
    ///
    /// # Errors
    /// [`FormatError::UnknownFormat`], which lists the names that there are.
    pub fn get(&self, name: &str) -> Result<Arc<dyn MessageSerializer>, FormatError> {
        self.0.get(name).cloned().ok_or_else(|| FormatError::UnknownFormat {
            name: name.to_owned(),
            known: self.0.keys().cloned().collect(),
        })
    }
}

impl fmt::Debug for Serializers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
