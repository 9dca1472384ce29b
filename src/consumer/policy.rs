//! What a route lays down for its connections: sizes, overflow, errors.

use super::Forwarded;
use crate::layers::Overflow;

/// What happens after a client's error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum OnError {
    /// `{"type": "error", "code": …, "message": …}` to that client; the socket lives on.
    #[default]
    Report,
    /// Close with 1008.
    Close,
}

/// What a route lays down for its connections.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Policy {
    /// What happens after a client's error. Default: report it.
    pub on_error: OnError,
    /// What happens to events and frames for a slow client. Default: the newest is dropped and counted.
    pub overflow: Overflow,
    /// The largest message, in bytes; `None`: the server's limit. Frames may be as large.
    pub max_message_size: Option<usize>,
    /// Subprotocols that the route speaks, in its order of preference. Empty: the consumer chooses.
    pub subprotocols: Vec<String>,
    /// Keep the handshake's headers in the scope after accept. Default: no, an idle connection holds none.
    pub keep_headers: bool,
    /// The alias of the channel layer. Default: `default`.
    pub layer: Option<String>,
    /// How events of forwarded memberships are written. Default: as they came.
    pub forwarded: Forwarded,
}
