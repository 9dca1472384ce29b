//! What all connections of one server share: limits, channel layers, route names, the debug switch.

use std::sync::Arc;

use crate::Limits;
use crate::layers::ChannelLayers;
use crate::routing::Names;

/// What all connections of one server share. Built by the server, read by everything downstream of it.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Environment {
    /// Detailed error pages and live templates; never in production.
    pub debug: bool,
    /// The server's bounds.
    pub limits: Limits,
    /// The channel layers, by alias.
    pub layers: ChannelLayers,
    /// The names of all routes, views and sockets alike, for reversing.
    pub names: Arc<Names>,
}
