//! Every close code that Solent sends, in one place.

use std::borrow::Cow;
use std::fmt;

/// A close code of RFC 6455 section 7.4 or of the range 4000–4999.
///
/// Clients should stop reconnecting on [`POLICY`](Self::POLICY), [`SESSION_ENDED`](Self::SESSION_ENDED) and
/// [`FORBIDDEN`](Self::FORBIDDEN), and back off with jitter on all others.
///
/// ```
/// use solent::websocket::CloseCode;
///
/// assert_eq!(CloseCode::from(1012), CloseCode::RESTART);
/// assert!(CloseCode::from(4000).is_sendable() && !CloseCode::LOST.is_sendable());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CloseCode(pub u16);

impl CloseCode {
    /// The conversation is over.
    pub const NORMAL: Self = Self(1000);
    /// The server goes away (by option in place of 1012).
    pub const AWAY: Self = Self(1001);
    /// The peer broke the protocol.
    pub const PROTOCOL: Self = Self(1002);
    /// A kind of message that this endpoint does not take.
    pub const UNSUPPORTED: Self = Self(1003);
    /// Never sent: the peer's close frame had no code.
    pub const NO_STATUS: Self = Self(1005);
    /// Never sent: the connection was lost without a close frame.
    pub const LOST: Self = Self(1006);
    /// Text that is not UTF-8.
    pub const INVALID_TEXT: Self = Self(1007);
    /// A client's error on a route that closes on errors.
    pub const POLICY: Self = Self(1008);
    /// A message or frame over the limit.
    pub const TOO_BIG: Self = Self(1009);
    /// An error or panic in the consumer.
    pub const INTERNAL: Self = Self(1011);
    /// The server is draining: reconnect, with jitter.
    pub const RESTART: Self = Self(1012);
    /// The client did not keep up with what was sent to it.
    pub const OVERFLOW: Self = Self(1013);
    /// The session was logged out or has expired, or its user was deactivated or changed password.
    pub const SESSION_ENDED: Self = Self(4401);
    /// The permission for this route was withdrawn.
    pub const FORBIDDEN: Self = Self(4403);
    /// A server behind this one has ended or broken the socket.
    pub const BAD_GATEWAY: Self = Self(1014);
    /// No byte came after a ping.
    pub const NO_PONG: Self = Self(4408);
    /// Too many messages.
    pub const RATE: Self = Self(4429);

    /// Whether the code may stand in a close frame: RFC 6455 section 7.4 reserves 1004–1006 and 1015, and what is
    /// below 1000 or unassigned below 3000.
    pub fn is_sendable(self) -> bool {
        matches!(self.0, 1000..=1003 | 1007..=1014 | 3000..=4999)
    }
}

impl From<u16> for CloseCode {
    fn from(code: u16) -> Self {
        Self(code)
    }
}

impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A close code with its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloseFrame {
    /// The code.
    pub code: CloseCode,
    /// The reason, for people; at most 123 bytes travel.
    pub reason: Cow<'static, str>,
}

impl CloseFrame {
    /// A close frame. A reason over 123 bytes is cut at a character boundary, since control frames hold 125 bytes.
    pub fn new(code: impl Into<CloseCode>, reason: impl Into<Cow<'static, str>>) -> Self {
        let mut reason = reason.into();
        if reason.len() > 123 {
            let end = reason.floor_char_boundary(123);
            reason.to_mut().truncate(end);
        }
        Self { code: code.into(), reason }
    }
}

impl fmt::Display for CloseFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.reason.is_empty() { self.code.fmt(f) } else { write!(f, "{} {}", self.code, self.reason) }
    }
}
