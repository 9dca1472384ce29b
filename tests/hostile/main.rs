//! A hostile day: every attack ends in a bounded time with bounded memory, and other clients notice nothing.
#![allow(missing_docs, unreachable_pub)]

#[path = "../support/raw.rs"]
mod raw;

mod http2;
mod site;
mod slow;
mod sockets;
