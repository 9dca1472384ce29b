//! The server over raw sockets: every promise that crosses the wire, in bytes written by hand.
#![allow(missing_docs, unreachable_pub)]

#[path = "../support/raw.rs"]
mod raw;
mod site;

mod access_log;
mod admin;
mod bodies;
mod daphne_rows;
mod drain;
mod echoes;
mod forwarded;
mod heads;
mod http2;
mod keep_alive;
mod lifespan;
mod listeners;
mod places;
mod signals;
#[path = "../support/waiting.rs"]
mod waiting;
