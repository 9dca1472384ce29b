//! WebSockets over raw sockets: every byte that crosses the wire is written and read by hand.
#![allow(missing_docs, unreachable_pub)]

#[path = "../support/raw.rs"]
mod raw;
mod site;

mod deflate;
mod differential;
mod errors;
mod frames;
mod handshake;
mod http2;
mod keepalive;
mod lifecycle;
mod tls;
#[path = "../support/waiting.rs"]
mod waiting;
