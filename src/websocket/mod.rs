//! WebSockets: the handshake, refusals, messages and close codes, the outbox and the driver of one connection.
//!
//! Stands between [`server`](crate::server), which hands over upgraded bytes, and
//! [`consumer`](crate::consumer), which never meets them.

mod close;
mod connection;
mod message;
mod refusal;

pub use close::{CloseCode, CloseFrame};
pub use connection::{Acceptance, Connection, MessageStream, Socket, Stream, Transport};
pub use message::Message;
pub use refusal::{Denial, Refusal, Rule};
