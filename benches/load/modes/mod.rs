//! What is measured.

mod churn;
mod connect;
mod echo;
mod fairness;
mod fan_out;
mod http;
mod idle;
pub mod instructions;
#[cfg(feature = "redis")]
mod layers;

/// Every mode by its name.
pub const ALL: &[(&str, fn())] = &[
    ("fan-out", fan_out::run),
    ("echo", echo::run),
    ("connect", connect::run),
    ("idle", idle::run),
    ("http", http::run),
    ("fairness", fairness::run),
    ("churn", churn::run),
    #[cfg(feature = "redis")]
    ("layers", layers::run),
];

/// Rounds of a measurement; the median is kept.
const ROUNDS: usize = 7;
