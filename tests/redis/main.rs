//! The Redis channel layers: their bytes against the vectors, their promises against a real Redis, and Python's
//! channels_redis on the other side.
#![cfg(feature = "redis")]

mod formats;
mod vectors;
