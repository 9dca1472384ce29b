//! Channel layers over Redis, on the wires of Python's channels_redis.

pub mod format;
mod ring;

pub use ring::Ring;
