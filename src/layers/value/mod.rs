//! [`Value`]: what travels through a channel layer.

mod de;
mod error;
mod impls;
mod json;
mod map;
mod ser;

pub use error::ValueError;
pub use json::JsonError;
pub use map::{Key, Map};

pub(crate) use de::{Tag, ValueDeserializer, dotted, same_type};
pub(crate) use error::Reason;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// What travels through a channel layer: JSON's kinds, plus bytes and whole 64-bit integers.
///
/// An integer that fits an `i64` is always [`I64`](Self::I64), so that equal numbers are equal values; build integers
/// by `From`. Maps keep the order of insertion.
///
/// ```
/// use solent::layers::Value;
///
/// let value: Value = serde_json::from_str(r#"{"type": "chat.message", "n": 3}"#)?;
/// assert_eq!(value.get("n"), Some(&Value::I64(3)));
/// assert_eq!(value.to_json()?, r#"{"type":"chat.message","n":3}"#);
/// assert_eq!(Value::from_serialize(&("a", 1))?, Value::Array(vec!["a".into(), 1_i64.into()]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Value {
    /// Nothing.
    #[default]
    Null,
    /// True or false.
    Bool(bool),
    /// An integer that fits an `i64`.
    I64(i64),
    /// An integer above `i64::MAX`.
    U64(u64),
    /// A floating-point number, NaN and the infinities included.
    F64(f64),
    /// Text.
    Text(String),
    /// Bytes. They have no JSON form.
    Bytes(Bytes),
    /// A sequence.
    Array(Vec<Self>),
    /// A map with text or bytes keys.
    Map(Map),
}

impl Value {
    /// Any serialisable thing as a value; bytes stay bytes, enums and structs become what they are in JSON.
    ///
    /// # Errors
    /// When an integer needs more than 64 bits, or a map key is neither text, bytes nor a plain scalar.
    pub fn from_serialize<T: Serialize + ?Sized>(from: &T) -> Result<Self, ValueError> {
        from.serialize(ser::ValueSerializer)
    }

    /// Decodes the value as a `T`.
    ///
    /// # Errors
    /// When it does not fit.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, ValueError> {
        T::deserialize(ValueDeserializer::new(self))
    }

    /// The value as JSON text.
    ///
    /// # Errors
    /// [`JsonError`] with the place of the first bytes, NaN or infinity, none of which JSON can hold.
    pub fn to_json(&self) -> Result<String, JsonError> {
        json::text(self)
    }

    /// The value at a text key, when this is a map that has it.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.as_map().and_then(|map| map.get(key))
    }

    /// The map, when this is one.
    pub fn as_map(&self) -> Option<&Map> {
        match self {
            Self::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The text, when this is text.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// About how many bytes the value takes in memory: what a mailbox's bound counts.
    pub fn weight(&self) -> usize {
        const NODE: usize = 16;
        NODE + match self {
            Self::Null | Self::Bool(_) | Self::I64(_) | Self::U64(_) | Self::F64(_) => 0,
            Self::Text(text) => text.len(),
            Self::Bytes(bytes) => bytes.len(),
            Self::Array(items) => items.iter().map(Self::weight).sum(),
            Self::Map(map) => map.iter().map(|(key, value)| key.as_bytes().len() + value.weight()).sum(),
        }
    }

    /// What kind of value this is, for error messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::I64(_) | Self::U64(_) => "an integer",
            Self::F64(_) => "a float",
            Self::Text(_) => "text",
            Self::Bytes(_) => "bytes",
            Self::Array(_) => "an array",
            Self::Map(_) => "a map",
        }
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Bool(flag)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::I64(number)
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        i64::try_from(number).map_or(Self::U64(number), Self::I64)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::F64(number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Bytes> for Value {
    fn from(bytes: Bytes) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<Vec<Self>> for Value {
    fn from(items: Vec<Self>) -> Self {
        Self::Array(items)
    }
}

impl From<Map> for Value {
    fn from(map: Map) -> Self {
        Self::Map(map)
    }
}
