//! The servers behind: one pool of connections for all routes to the same one.

use std::collections::BTreeMap;

use crate::gateway::settings::Settings;
use crate::gateway::upstream::Upstream;
use crate::http::proxy::Proxy;

/// The proxies of a deployment, by address.
#[derive(Debug, Default)]
pub(crate) struct Proxies(BTreeMap<String, Proxy>);

impl Proxies {
    /// A proxy for each server that a route of pages or sockets names.
    pub(crate) fn of(settings: &Settings) -> Self {
        let pages = settings.http.iter().filter_map(|route| route.proxy.as_ref());
        let sockets = settings.websocket.iter().filter_map(|route| route.upstream.as_ref());
        let upstreams = pages.chain(sockets).map(|upstream| &upstream.value);
        Self(upstreams.map(|upstream| (upstream.to_string(), Proxy::new(upstream.address()))).collect())
    }

    /// The proxy to a server.
    pub(crate) fn get(&self, upstream: &Upstream) -> Option<&Proxy> {
        self.0.get(&upstream.to_string())
    }

    /// All of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Proxy> {
        self.0.values()
    }
}
