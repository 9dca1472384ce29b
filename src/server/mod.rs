//! The server: listeners, hyper connections, the upgrade, limits, drain, access log.
//!
//! The first room of the house: bytes enter here and are handed to
//! [`ProtocolTypeRouter`](crate::routing::ProtocolTypeRouter). [`Server`] is built, then [`serve`](Server::serve)d.

mod access_log;
mod activity;
mod admin;
mod body;
mod builder;
mod connection;
mod crew;
mod current;
mod drain;
mod embedded;
mod listener;
mod network;
mod origin;
mod permits;
mod request;
mod running;
#[cfg(feature = "systemd")]
mod systemd;
mod target;
#[cfg(feature = "tls")]
mod tls;
mod upgrade;
mod worker;

pub use access_log::AccessLog;
pub use builder::{ServeError, Server};
pub use embedded::{ClientAddress, Embedded};
pub use network::{Network, NetworkError};
pub use running::Running;
#[cfg(feature = "systemd")]
pub use systemd::{Notifier, Watchdog};
#[cfg(feature = "tls")]
pub use tls::{Tls, TlsError};
pub use worker::{RunningWorker, Worker, WorkerError};
