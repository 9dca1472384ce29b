//! What is measured.

mod churn;
mod connect;
mod echo;
mod fairness;
mod fan_out;
mod http;
mod idle;
pub mod instructions;

/// Every mode by its name.
pub const ALL: [(&str, fn()); 7] = [
    ("fan-out", fan_out::run),
    ("echo", echo::run),
    ("connect", connect::run),
    ("idle", idle::run),
    ("http", http::run),
    ("fairness", fairness::run),
    ("churn", churn::run),
];

/// Rounds of a measurement; the median is kept.
const ROUNDS: usize = 7;
