//! All figures of a server at one moment.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use super::histogram::Distribution;
use crate::Environment;
use crate::layers::LayerStatsSnapshot;
use crate::websocket::RouteTraffic;

/// All figures of a server at one moment. Counters count from the start.
///
/// ```
/// use solent::Environment;
/// use solent::metrics::Figures;
///
/// let figures = Figures::of(&Environment::default());
/// assert_eq!(figures.handshakes_accepted, 0);
/// assert!(figures.to_prometheus().contains("solent_websocket_handshakes_total{result=\"accepted\"} 0\n"));
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Figures {
    /// HTTP requests by the status of their answer; handshakes are not among them.
    pub requests: BTreeMap<u16, u64>,
    /// From a request's head to its answer's.
    pub request_time: Distribution,
    /// WebSocket handshakes that were accepted.
    pub handshakes_accepted: u64,
    /// Those that were refused, by the rule that refused them.
    pub refusals: BTreeMap<String, u64>,
    /// From a handshake's head to its answer.
    pub handshake_time: Distribution,
    /// Sockets and their traffic by route, as the routes' patterns name them.
    pub routes: BTreeMap<Arc<str>, RouteTraffic>,
    /// Frames dropped for clients that read too slowly.
    pub frames_dropped: u64,
    /// The channel layers' counters, and whether each can deliver now, by alias.
    pub layers: BTreeMap<String, (LayerStatsSnapshot, bool)>,
    /// Servers behind, by address.
    pub upstreams: BTreeMap<String, UpstreamFigures>,
}

/// What a server behind has answered.
///
/// How often servers behind did not answer as they should:
///
/// ```
/// use solent::metrics::{Figures, UpstreamFigures};
///
/// fn failures(figures: &Figures) -> u64 {
///     let failed = |server: &UpstreamFigures| {
///         let results = server.results.iter();
///         results.filter(|(name, _)| !name.ends_with("xx")).map(|(_, count)| count).sum::<u64>()
///     };
///     figures.upstreams.values().map(failed).sum()
/// }
///
/// assert_eq!(failures(&Figures::of(&solent::Environment::default())), 0);
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct UpstreamFigures {
    /// Answers by the class of their status (`2xx`), failures by their kind: `connect`, `connect_time`, `full`,
    /// `response_time`, `broken`, `unlawful`, `client`; `socket` for accepted WebSockets.
    pub results: BTreeMap<String, u64>,
    /// From the request's head to the answer's.
    pub time: Distribution,
}

impl Figures {
    /// Reads all figures of a server.
    pub fn of(env: &Environment) -> Self {
        let metrics = &env.metrics;
        Self {
            requests: metrics.requests(),
            request_time: metrics.request_time.distribution(),
            handshakes_accepted: metrics.accepted.load(Relaxed),
            refusals: metrics.refusals(),
            handshake_time: metrics.handshake_time.distribution(),
            routes: env.sockets.traffic(),
            frames_dropped: env.sockets.dropped_frames(),
            layers: env
                .layers
                .iter()
                .map(|(alias, layer)| (alias.to_owned(), (layer.stats(), layer.is_ready())))
                .collect(),
            upstreams: metrics.upstreams(),
        }
    }
}
