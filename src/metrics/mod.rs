//! Figures of a running server, for programs and for Prometheus.
//!
//! Each server has its own [`Metrics`] in its [`Environment`](crate::Environment); [`Figures::of`] reads everything at
//! once. Nothing is counted per member of a broadcast: sockets count under locks that they hold anyway, and are summed
//! up when somebody reads. The `metrics` crate's recorder is global and would mix the servers of one process; the text
//! format is a page of code.

mod figures;
mod histogram;
mod prometheus;
mod recorder;

pub use figures::{Figures, UpstreamFigures};
pub use histogram::{Distribution, Histogram};
pub use recorder::Metrics;
pub(crate) use recorder::class;
