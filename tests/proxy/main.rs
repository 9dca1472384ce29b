//! The proxy: what servers behind receive, byte for byte, and what clients get of hostile answers.
#![allow(missing_docs, unreachable_pub)]

#[path = "../support/http2.rs"]
mod http2;
#[path = "../support/raw.rs"]
mod raw;
mod site;

mod answers;
mod backends;
mod bodies;
mod connections;
mod departures;
mod fields;
mod smuggling;
mod sockets;
#[path = "../support/waiting.rs"]
mod waiting;
