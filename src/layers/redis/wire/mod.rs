//! Connections to Redis: hosts, their health, and one pipelined publisher for each.

mod backoff;
mod batch;
mod connection;
mod health;
mod host;
mod pipe;
mod trips;

pub(super) use backoff::Backoff;
pub(super) use connection::Connection;
pub(super) use health::{Health, Part};
pub use host::{Host, HostError};
pub(super) use pipe::{Answer, Pipe, PipeSettings, Restore};
