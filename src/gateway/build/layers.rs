//! `[channel_layers.ALIAS]`: the layers that it asks for.

use std::sync::Arc;

use super::BuildError;
use crate::gateway::settings::{Backend, LayerSettings, SentinelSettings, Settings, changed};
use crate::layers::redis::{Host, HostError, RedisChannelLayer, RedisPubSubChannelLayer, RedisSettings};
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
    let hosts = hosts(settings).map_err(|(setting, reason)| BuildError::Layer {
        alias: alias.to_owned(),
        source: LayerError::Setting { setting: setting.to_owned(), reason },
    })?;
    let keys = settings.symmetric_encryption_keys.iter().map(|key| key.expose().to_owned());
    let capacity = capacities(alias, settings)?;
    Ok(changed(|redis: &mut RedisSettings| {
        redis.hosts = hosts;
        redis.prefix = settings.prefix.clone();
        redis.serializer_format = settings.serializer_format.clone();
        redis.symmetric_encryption_keys = keys.collect();
        redis.message_bytes = settings.message_size.0;
        redis.expiry = settings.expiry;
        redis.group_expiry = settings.group_expiry;
        redis.capacity = capacity;
        redis.random_prefix_length = settings.random_prefix_length;
        redis.connect_time = settings.connect_time;
        redis.response_time = settings.response_time;
        redis.start_without_layer = settings.start_without_layer;
        redis.local_fallback = settings.local_fallback;
    }))
}

/// The hosts of a layer, or the key that does not fit and why.
fn hosts(settings: &LayerSettings) -> Result<Vec<Host>, (&'static str, String)> {
    let urls: Vec<&str> = settings.hosts.iter().map(|host| host.0.expose()).collect();
    let wrong = |error: HostError| ("hosts", error.to_string());
    match (&settings.sentinel, settings.cluster) {
        (Some(_), true) => Err(("sentinel", "a cluster has no Sentinels".to_owned())),
        (Some(sentinel), false) => behind_sentinels(sentinel, &urls).map(|host| vec![host]),
        (None, true) => Host::cluster(urls).map(|cluster| vec![cluster]).map_err(wrong),
        (None, false) => urls.into_iter().map(Host::parse).collect::<Result<_, _>>().map_err(wrong),
    }
}

fn behind_sentinels(sentinel: &SentinelSettings, urls: &[&str]) -> Result<Host, (&'static str, String)> {
    let [url] = urls else {
        let found = urls.len();
        return Err((
            "hosts",
            format!("one host was expected beside sentinel, which names the master; found {found}"),
        ));
    };
    if sentinel.master.is_empty() || sentinel.hosts.is_empty() {
        return Err(("sentinel", "the name of a master and one Sentinel at least were expected".to_owned()));
    }
    let sentinels = sentinel.hosts.iter().map(|host| host.0.expose());
    let host = Host::parse(url).and_then(|host| host.sentinel(sentinel.master.as_str(), sentinels));
    host.map_err(|error| ("sentinel", error.to_string()))
}
