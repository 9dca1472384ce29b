//! [`Codec`]: a message's whole way to the wire and back: serializer, encryption, random prefix.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;

use super::{Fernet, FormatError, MessageSerializer};
use crate::layers::{Map, Value};

/// How one layer frames its messages.
///
/// For programs that read or write the wire themselves:
///
/// ```
/// use std::time::Duration;
/// use bytes::Bytes;
/// use solent::layers::Map;
/// use solent::layers::redis::format::{Codec, Fernet, Serializers};
///
/// let keys = Fernet::new(["as Python's side has it"])?;
/// let codec = Codec::new(Serializers::default().get("msgpack")?)
///     .encrypted(Some(keys), Some(Duration::from_secs(60)))
///     .random_prefix(12)
///     .max_bytes(1024 * 1024);
/// let mut message = Map::new();
/// message.insert("type", "news");
/// let wire = codec.encode(&message)?;
/// assert_eq!(codec.decode(&Bytes::from(wire))?, message);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Codec {
    serializer: Arc<dyn MessageSerializer>,
    fernet: Option<Fernet>,
    max_age: Option<Duration>,
    prefix: usize,
    max_bytes: usize,
}

impl Codec {
    /// Messages in plain bytes of `serializer`, up to 16 MiB.
    pub fn new(serializer: Arc<dyn MessageSerializer>) -> Self {
        Self { serializer, fernet: None, max_age: None, prefix: 0, max_bytes: 16 << 20 }
    }

    /// Encrypts. With `max_age`, messages that were encrypted longer ago are refused.
    #[must_use]
    pub fn encrypted(mut self, fernet: Option<Fernet>, max_age: Option<Duration>) -> Self {
        (self.fernet, self.max_age) = (fernet, max_age);
        self
    }

    /// Puts that many random bytes in front, which makes equal messages distinct members of a set.
    #[must_use]
    pub fn random_prefix(mut self, bytes: usize) -> Self {
        self.prefix = bytes;
        self
    }

    /// Refuses what is larger, both ways.
    #[must_use]
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// The bytes of a message on the wire.
    ///
    /// # Errors
    /// When it has no form in the serializer's format, or is too large.
    pub fn encode(&self, message: &Map) -> Result<Vec<u8>, FormatError> {
        let mut body = self.serializer.serialize(message)?;
        self.check_size(body.len())?;
        if let Some(fernet) = &self.fernet {
            body = fernet.encrypt(&body, unix_seconds());
        }
        if self.prefix == 0 {
            return Ok(body);
        }
        let mut framed = Vec::with_capacity(self.prefix + body.len());
        framed.resize(self.prefix, 0);
        rand::fill(&mut framed[..]);
        framed.extend_from_slice(&body);
        Ok(framed)
    }

    /// The message of some bytes from the wire.
    ///
    /// # Errors
    /// When they are no message: damaged, encrypted otherwise, too large, too deep, not a map.
    pub fn decode(&self, framed: &Bytes) -> Result<Map, FormatError> {
        self.check_size(framed.len())?;
        if framed.len() < self.prefix {
            return Err(FormatError::NoPrefix { found: framed.len(), expected: self.prefix });
        }
        let mut body = framed.slice(self.prefix..);
        if let Some(fernet) = &self.fernet {
            body = fernet.decrypt(&body, unix_seconds(), self.max_age)?;
        }
        match self.serializer.deserialize(&body)? {
            Value::Map(message) => Ok(message),
            other => Err(FormatError::NotAMap { found: other.kind() }),
        }
    }

    fn check_size(&self, found: usize) -> Result<(), FormatError> {
        match found <= self.max_bytes {
            true => Ok(()),
            false => Err(FormatError::TooLarge { found, limit: self.max_bytes }),
        }
    }
}

fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_secs())
}

impl fmt::Debug for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Codec")
            .field("encrypted", &self.fernet.is_some())
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}
