//! Route names, and the way back from a name to a path.

/// The names of all routes of a server.
#[derive(Debug, Clone, Default)]
pub struct Names {}
