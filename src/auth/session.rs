//! The session of a connection.

/// The session of a connection; empty until the session middleware has run.
#[derive(Debug, Clone, Default)]
pub struct Session {}
