//! What is measured.

mod churn;
mod connect;
mod deflate;
mod echo;
mod fairness;
mod fan_out;
mod http;
mod idle;
pub mod instructions;
#[cfg(feature = "redis")]
mod layers;
mod nginx;
#[cfg(feature = "redis")]
mod publish;
#[cfg(feature = "redis")]
mod redis;
mod scale;

/// Every mode by its name.
pub const ALL: &[(&str, fn())] = &[
    ("fan-out", fan_out::run),
    ("echo", echo::run),
    ("connect", connect::run),
    ("deflate", deflate::run),
    ("idle", idle::run),
    ("scale", scale::run),
    ("http", http::run),
    ("nginx", nginx::run),
    ("fairness", fairness::run),
    ("churn", churn::run),
    #[cfg(feature = "redis")]
    ("layers", layers::run),
    #[cfg(feature = "redis")]
    ("publish", publish::run),
    #[cfg(feature = "redis")]
    ("redis", redis::run),
];

/// Rounds of a measurement; the median is kept.
const ROUNDS: usize = 7;
