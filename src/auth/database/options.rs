//! The bounds of a pool of connections.

use std::time::Duration;

/// The bounds of a pool of connections.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DatabaseOptions {
    /// Connections at once. 10; fewer make queries wait for each other, more than the server allows make them fail.
    pub connections: u32,
    /// How long a query waits for a connection. 3 s; then the database counts as away.
    pub acquire_time: Duration,
    /// How long a query may take, the wait for a connection included. 5 s; then the database counts as away.
    pub query_time: Duration,
    /// An idle connection is closed after this, or a quarter later. 10 min.
    pub idle_time: Duration,
}

impl Default for DatabaseOptions {
    fn default() -> Self {
        Self {
            connections: 10,
            acquire_time: Duration::from_secs(3),
            query_time: Duration::from_secs(5),
            idle_time: Duration::from_secs(600),
        }
    }
}
