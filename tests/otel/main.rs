//! Spans at a collector: what the binary with the feature `otel` sends, and what it lets others go on with.
#![allow(missing_docs, unreachable_pub)]

#[allow(dead_code, reason = "other tests use more of it")]
#[path = "../gateway/binary.rs"]
mod binary;
mod collector;
#[allow(dead_code, reason = "other tests use more of it")]
#[path = "../support/raw.rs"]
mod raw;
mod spans;
#[allow(dead_code, reason = "other tests use more of it")]
#[path = "../support/waiting.rs"]
mod waiting;
