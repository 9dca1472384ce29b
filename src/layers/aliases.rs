//! [`ChannelLayers`]: several layers, by alias.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{ChannelLayer, LayerError, LayerHandle};

/// The alias of the layer that is meant when none is named.
pub const DEFAULT_ALIAS: &str = "default";

/// The channel layers of a server, by alias. Cheap to clone; none are configured at first. Channels: `CHANNEL_LAYERS`.
///
/// ```
/// use solent::layers::{ChannelLayers, MemoryChannelLayer};
///
/// let layers = ChannelLayers::of(MemoryChannelLayer::new());
/// assert!(layers.get("default").is_some());
/// assert!(layers.handle("chat").is_err());
/// ```
#[derive(Debug, Clone, Default)]
pub struct ChannelLayers {
    by_alias: Arc<BTreeMap<String, Arc<dyn ChannelLayer>>>,
}

impl ChannelLayers {
    /// No layers.
    pub fn new() -> Self {
        Self::default()
    }

    /// `layer` as the default one.
    pub fn of(layer: impl ChannelLayer) -> Self {
        Self::new().with(DEFAULT_ALIAS, layer)
    }

    /// Adds a layer; one of the same alias is replaced.
    #[must_use]
    pub fn with(mut self, alias: impl Into<String>, layer: impl ChannelLayer) -> Self {
        self.insert(alias, Arc::new(layer));
        self
    }

    /// Adds a layer; one of the same alias is replaced and returned. Clones made before do not change.
    pub fn insert(
        &mut self,
        alias: impl Into<String>,
        layer: Arc<dyn ChannelLayer>,
    ) -> Option<Arc<dyn ChannelLayer>> {
        Arc::make_mut(&mut self.by_alias).insert(alias.into(), layer)
    }

    /// The layer of that alias.
    pub fn get(&self, alias: &str) -> Option<&Arc<dyn ChannelLayer>> {
        self.by_alias.get(alias)
    }

    /// A typed handle on the layer of that alias. Channels: `get_channel_layer`.
    ///
    /// # Errors
    /// [`LayerError::NotConfigured`], which lists the aliases that there are.
    pub fn handle(&self, alias: &str) -> Result<LayerHandle, LayerError> {
        match self.get(alias) {
            Some(layer) => Ok(LayerHandle::new(layer.clone())),
            None => Err(LayerError::NotConfigured {
                alias: alias.to_owned(),
                configured: self.by_alias.keys().cloned().collect(),
            }),
        }
    }

    /// A typed handle on the default layer.
    ///
    /// # Errors
    /// [`LayerError::NotConfigured`] when there is none.
    pub fn default_handle(&self) -> Result<LayerHandle, LayerError> {
        self.handle(DEFAULT_ALIAS)
    }

    /// All layers with their aliases, in order of the aliases.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Arc<dyn ChannelLayer>)> {
        self.by_alias.iter().map(|(alias, layer)| (alias.as_str(), layer))
    }

    /// Whether no layer is configured.
    pub fn is_empty(&self) -> bool {
        self.by_alias.is_empty()
    }
}
