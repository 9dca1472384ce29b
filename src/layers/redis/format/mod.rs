//! The bytes of messages on the wire, exactly as Python's channels_redis writes and reads them.

mod codec;
mod fernet;
mod json;
mod json_reader;
mod msgpack;
mod msgpack_reader;
mod serializer;

pub use codec::Codec;
pub use fernet::{Fernet, FernetError};
pub use serializer::{MessageSerializer, Serializers};

/// How deep arrays and maps may nest, both ways. Python itself gives up somewhat later.
const MAX_DEPTH: usize = 128;

/// Why a message could not be written, or what came over the wire is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {
    /// No serializer of that name is registered.
    #[error("unknown serializer format {name:?}; registered: {}", known.join(", "))]
    UnknownFormat {
        /// The name asked for.
        name: String,
        /// The names that there are.
        known: Vec<String>,
    },
    /// The value has no form in this format.
    #[error("cannot write {format}: {reason}")]
    Write {
        /// The format's name.
        format: &'static str,
        /// What stood in the way.
        reason: String,
    },
    /// What came is not this format.
    #[error("not {format}: {reason}, at byte {at}")]
    Read {
        /// The format's name.
        format: &'static str,
        /// What was expected and found.
        reason: String,
        /// Where.
        at: usize,
    },
    /// The message is no map.
    #[error("a message must be a map: found {found}")]
    NotAMap {
        /// What it is.
        found: &'static str,
    },
    /// The message is larger than the layer takes.
    #[error("a message of {found} bytes: expected at most {limit}")]
    TooLarge {
        /// Its size.
        found: usize,
        /// The limit.
        limit: usize,
    },
    /// The message is shorter than its random prefix.
    #[error("a message of {found} bytes: expected a random prefix of {expected}")]
    NoPrefix {
        /// Its size.
        found: usize,
        /// The prefix's length.
        expected: usize,
    },
    /// The encryption does not hold.
    #[error(transparent)]
    Fernet(#[from] FernetError),
}
