//! Channel layers: how consumers in any process talk to each other.

/// The channel layers of a server, by alias.
#[derive(Debug, Clone, Default)]
pub struct ChannelLayers {}
