//! The servers behind: one pool of connections for all routes to the same ones.

use std::collections::BTreeMap;

use crate::gateway::settings::{ProxySettings, Settings};
use crate::gateway::upstream::Upstreams;
use crate::http::proxy::{Proxy, Trust};

/// The proxies of a deployment, by their addresses.
#[derive(Debug, Default)]
pub(crate) struct Proxies(BTreeMap<String, Proxy>);

impl Proxies {
    /// A proxy for what each route of pages or sockets names, as its target or in `allow`.
    pub(crate) fn of(settings: &Settings) -> Self {
        let pages = settings.http.iter().filter_map(|route| route.proxy.as_ref());
        let sockets = settings.websocket.iter().filter_map(|route| route.upstream.as_ref());
        let conditions = (settings.http.iter().map(|route| route.allow.as_ref()))
            .chain(settings.websocket.iter().map(|route| route.allow.as_ref()));
        let asked = conditions.flatten().filter_map(|allow| Some(&allow.http.as_ref()?.upstream));
        let upstreams = pages.chain(sockets).chain(asked).map(|upstreams| &upstreams.value);
        let proxies = upstreams.filter_map(|it| Some((it.to_string(), proxy_of(it, &settings.proxy)?)));
        Self(proxies.collect())
    }

    /// The proxy to these servers.
    pub(crate) fn get(&self, upstreams: &Upstreams) -> Option<&Proxy> {
        self.0.get(&upstreams.to_string())
    }

    /// All of them, with their addresses.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Proxy)> {
        self.0.iter().map(|(name, proxy)| (name.as_str(), proxy))
    }
}

fn proxy_of(upstreams: &Upstreams, settings: &ProxySettings) -> Option<Proxy> {
    let (first, others) = upstreams.addresses()?;
    let proxy = others.fold(Proxy::new(first), Proxy::and);
    let proxy = match &settings.ca {
        // One that cannot be read any more, against what a check has found, trusts nobody.
        Some(ca) => proxy.trust(Trust::from_pem_file(&ca.value).ok()?),
        None => proxy,
    };
    let proxy = match &settings.health_path {
        Some(path) => proxy.health_check(path.value.clone(), settings.health_interval),
        None => proxy,
    };
    let proxy = proxy.connect_time(settings.connect_time).response_time(settings.response_time);
    let proxy = proxy.idle_time(settings.idle_time).half_closed_time(settings.half_closed_time);
    Some(proxy.connections(settings.connections))
}
