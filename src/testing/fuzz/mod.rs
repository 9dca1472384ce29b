//! What fuzzers run: functions over any bytes that must neither panic nor break the promise they check.
//!
//! `fuzz/` gives them to cargo-fuzz, `tests/fuzz` to proptest with the corpora of `fuzz/corpus`. They are public for
//! these two alone and no part of what is kept stable.

#[cfg(feature = "redis")]
mod redis;
mod routes;
mod sockets;
mod visitors;

#[cfg(feature = "redis")]
pub use redis::{redis_core, redis_pubsub};
#[cfg(feature = "gateway")]
pub use routes::config;
pub use routes::patterns;
#[cfg(feature = "deflate")]
pub use sockets::deflate;
pub use sockets::{Heard, frames, handshake, hear};
pub use visitors::cookies;
#[cfg(feature = "auth")]
pub use visitors::sessions;

/// The first byte of an input chooses among a function's variants.
fn choice(data: &[u8]) -> (u8, &[u8]) {
    data.split_first().map_or((0, data), |(first, rest)| (*first, rest))
}
