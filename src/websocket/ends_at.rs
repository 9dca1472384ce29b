//! When a socket ends whatever happens, as middleware knows it at the handshake.

use tokio::time::Instant;

use super::CloseFrame;

/// When a socket ends, and what it is closed with: put into a scope's extensions by middleware that lets a connection
/// in for a time, such as [`BearerLayer`](crate::middleware::BearerLayer) for as long as its token is valid.
///
/// It is read once, when the handshake is accepted. A handler that runs at that moment ends first.
///
/// ```
/// use std::time::Duration;
/// use solent::websocket::{CloseCode, CloseFrame, EndsAt};
/// use solent::{Protocol, Scope};
/// use tokio::time::Instant;
///
/// let mut scope = Scope::new(Protocol::WEBSOCKET, "/ws/trial/");
/// let frame = CloseFrame::new(CloseCode::FORBIDDEN, "the trial is over");
/// scope.extensions.insert(EndsAt::new(Instant::now() + Duration::from_secs(600), frame));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndsAt {
    when: Instant,
    frame: CloseFrame,
}

impl EndsAt {
    /// Ends at `when`, closed with `frame`.
    pub fn new(when: Instant, frame: CloseFrame) -> Self {
        Self { when, frame }
    }

    /// When.
    pub fn when(&self) -> Instant {
        self.when
    }

    /// What the socket is closed with.
    pub fn frame(&self) -> &CloseFrame {
        &self.frame
    }
}
