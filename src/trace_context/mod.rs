//! Traces across servers: a request goes on with the trace that a trusted proxy names, and servers behind go on with it.
//!
//! Without the feature `otel` there is nothing to go on with, and the fields of others travel as they are.

#[cfg(not(feature = "otel"))]
mod off;
#[cfg(feature = "otel")]
mod otel;
#[cfg(not(feature = "otel"))]
mod socket_name;

#[cfg(not(feature = "otel"))]
pub(crate) use off::{answered, keep, pass_on, request_span, routed};
#[cfg(feature = "otel")]
pub(crate) use otel::{SocketName, answered, keep, pass_on, request_span, routed};
#[cfg(not(feature = "otel"))]
pub(crate) use socket_name::SocketName;
