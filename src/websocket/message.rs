//! A whole message, as consumers receive and send it.

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tungstenite::Utf8Bytes;

use crate::ClientError;

/// A whole data message: text or binary. Cheap to clone.
///
/// ```
/// use solent::websocket::Message;
///
/// let message = Message::from_json(&["one", "two"])?;
/// assert_eq!(message.as_text()?, r#"["one","two"]"#);
/// assert_eq!(message.json::<Vec<String>>()?, ["one", "two"]);
/// assert!(Message::binary(vec![0, 159]).as_text().is_err());
/// # Ok::<(), solent::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// Text, known to be UTF-8.
    Text(Utf8Bytes),
    /// Bytes.
    Binary(Bytes),
}

impl Message {
    /// A text message.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(Utf8Bytes::from(text.into()))
    }

    /// A binary message.
    pub fn binary(bytes: impl Into<Bytes>) -> Self {
        Self::Binary(bytes.into())
    }

    /// `value` as JSON text.
    ///
    /// # Errors
    /// When the value has no JSON form, such as a map with keys that are not text.
    pub fn from_json<T: Serialize + ?Sized>(value: &T) -> serde_json::Result<Self> {
        serde_json::to_string(value).map(Self::text)
    }

    /// Whether this is a text message.
    pub fn is_text(&self) -> bool {
        matches!(self, Self::Text(_))
    }

    /// The payload, of either kind.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Binary(bytes) => bytes,
        }
    }

    /// The text.
    ///
    /// # Errors
    /// A [`ClientError`] `wrong_kind` for a binary message.
    pub fn as_text(&self) -> Result<&str, ClientError> {
        match self {
            Self::Text(text) => Ok(text.as_str()),
            Self::Binary(_) => {
                Err(ClientError::new("wrong_kind", "expected a text message, found a binary one"))
            }
        }
    }

    /// The text, decoded as JSON.
    ///
    /// # Errors
    /// A [`ClientError`]: `wrong_kind` for a binary message, `malformed` for what is not JSON or does not fit `T`.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, ClientError> {
        decode_json(self.as_text()?)
    }
}

/// A client's text as a `T`; what is not JSON or does not fit is the client's mistake.
pub(crate) fn decode_json<T: DeserializeOwned>(text: &str) -> Result<T, ClientError> {
    serde_json::from_str(text).map_err(|error| ClientError::new("malformed", error.to_string()))
}

impl From<&str> for Message {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<String> for Message {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

impl From<Vec<u8>> for Message {
    fn from(bytes: Vec<u8>) -> Self {
        Self::binary(bytes)
    }
}
