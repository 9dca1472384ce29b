//! Why a message is not the event that someone expected.

use crate::layers::value::JsonError;

/// Why a message could not be made, decoded or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EventError {
    /// The message's type is none that the consumer knows.
    #[error("unknown event type {type:?}", type = .r#type)]
    UnknownType {
        /// The type, as its sender wrote it.
        r#type: String,
    },
    /// The type is known and something else does not fit.
    #[error("event {type:?}: {error}", type = .r#type)]
    BadField {
        /// The type, as its sender wrote it; empty when the message has none and needs none.
        r#type: String,
        /// What was expected and found.
        error: String,
    },
    /// The message has no `type`, and the consumer's events have.
    #[error("the message has no \"type\"")]
    MissingType,
    /// A message that is not a map.
    #[error("a message must be a map: found {found}")]
    NotAMap {
        /// What it is.
        found: &'static str,
    },
    /// The Rust type has no form as a message.
    #[error("cannot make a message: {0}")]
    Encode(String),
    /// The message has no JSON form.
    #[error(transparent)]
    Json(#[from] JsonError),
}
