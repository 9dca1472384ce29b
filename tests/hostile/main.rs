//! A hostile day: every attack ends in a bounded time with bounded memory, and other clients notice nothing.
//!
//! The server runs in this process, where its memory is measured; hostile clients run in processes of their own.
#![allow(missing_docs, unreachable_pub)]

#[path = "../support/raw.rs"]
mod raw;

mod attacks;
mod clients;
mod compression;
mod descriptors;
mod http;
mod http2;
mod site;
mod slow;
mod sockets;
#[path = "../support/waiting.rs"]
mod waiting;
