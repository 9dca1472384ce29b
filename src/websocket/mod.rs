//! WebSockets: the handshake, refusals, messages and close codes, the outbox and the driver of one connection.
//!
//! Stands between [`server`](crate::server), which hands over upgraded bytes, and
//! [`consumer`](crate::consumer), which never meets them.

mod assembly;
pub(crate) mod client;
mod clock;
mod close;
mod connection;
pub(crate) mod decoder;
pub(crate) mod deflate;
mod driver;
pub(crate) mod drops;
mod ending;
mod ends_at;
pub(crate) mod frame;
mod handler;
pub(crate) mod handshake;
mod message;
pub(crate) mod opening;
pub(crate) mod outbox;
mod refusal;
mod sockets;
mod traffic;
mod verdict;
mod wire;
#[cfg(feature = "testing")]
mod witness;

pub use close::{CloseCode, CloseFrame};
pub use connection::{Acceptance, Accepted, Connection, Socket, Stream, Transport};
pub(crate) use decoder::Incoming;
pub use deflate::Compression;
pub use ends_at::EndsAt;
pub use message::Message;
pub(crate) use message::decode_json;
pub use outbox::Finished;
pub use refusal::{Denial, Refusal, Rule};
pub use sockets::{SocketHandle, SocketInfo, Sockets};
pub use traffic::{RouteTraffic, Traffic};
pub(crate) use wire::Ended;
#[cfg(feature = "testing")]
pub(crate) use witness::Witness;
