//! `[channel_layers.ALIAS]`: the layers that it asks for.

use std::sync::Arc;

use super::BuildError;
use crate::gateway::settings::{Backend, LayerSettings, Settings};
use crate::layers::redis::{Host, RedisChannelLayer, RedisPubSubChannelLayer, RedisSettings};
use crate::layers::{Capacities, ChannelLayer, ChannelLayers, LayerError, MemoryChannelLayer};

/// The channel layers of a deployment; not yet started.
pub(crate) fn layers_of(settings: &Settings) -> Result<ChannelLayers, BuildError> {
    let mut layers = ChannelLayers::new();
    for (alias, settings) in &settings.channel_layers {
        layers.insert(alias.clone(), layer_of(alias, settings)?);
    }
    Ok(layers)
}

/// The layer of one alias; not yet started.
pub(crate) fn layer_of(alias: &str, settings: &LayerSettings) -> Result<Arc<dyn ChannelLayer>, BuildError> {
    let failed = |source: LayerError| BuildError::Layer { alias: alias.to_owned(), source };
    Ok(match settings.backend.value {
        Backend::Memory => Arc::new(
            MemoryChannelLayer::builder()
                .capacities(capacities(alias, settings)?)
                .expiry(settings.expiry)
                .group_expiry(settings.group_expiry)
                .build(),
        ),
        Backend::RedisPubSub => {
            Arc::new(RedisPubSubChannelLayer::new(redis(alias, settings)?).map_err(failed)?)
        }
        Backend::Redis => Arc::new(RedisChannelLayer::new(redis(alias, settings)?).map_err(failed)?),
    })
}

fn capacities(alias: &str, settings: &LayerSettings) -> Result<Capacities, BuildError> {
    let mut patterns = settings.channel_capacity.iter();
    patterns
        .try_fold(Capacities::new(settings.capacity), |capacities, (pattern, most)| {
            capacities.glob(pattern, *most)
        })
        .map_err(|source| BuildError::Capacity { alias: alias.to_owned(), source })
}

fn redis(alias: &str, settings: &LayerSettings) -> Result<RedisSettings, BuildError> {
    let urls = settings.hosts.iter().map(|host| host.0.expose());
    let hosts = match settings.cluster {
        true => Host::cluster(urls).map(|cluster| vec![cluster]),
        false => urls.map(Host::parse).collect(),
    };
    let hosts = hosts.map_err(|error| BuildError::Layer {
        alias: alias.to_owned(),
        source: LayerError::Setting { setting: "hosts".to_owned(), reason: error.to_string() },
    })?;
    let keys = settings.symmetric_encryption_keys.iter().map(|key| key.expose().to_owned());
    Ok(RedisSettings {
        hosts,
        prefix: settings.prefix.clone(),
        serializer_format: settings.serializer_format.clone(),
        symmetric_encryption_keys: keys.collect(),
        message_bytes: settings.message_size.0,
        expiry: settings.expiry,
        group_expiry: settings.group_expiry,
        capacity: capacities(alias, settings)?,
        random_prefix_length: settings.random_prefix_length,
        connect_time: settings.connect_time,
        response_time: settings.response_time,
        start_without_layer: settings.start_without_layer,
        local_fallback: settings.local_fallback,
        ..RedisSettings::default()
    })
}
