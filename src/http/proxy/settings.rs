//! The times and bounds of a proxy, with their defaults.

use std::time::Duration;

use ::http::HeaderValue;

#[cfg(feature = "tls")]
use super::trust::Trust;

/// Which `Host` a server behind gets.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum HostPolicy {
    /// The client's own; a request without one gets the server's.
    #[default]
    Client,
    /// The server's, as its address names it. `X-Forwarded-Host` has the client's.
    Upstream,
    /// A fixed one.
    Named(HeaderValue),
}

/// What [`Proxy`](super::Proxy)'s methods set.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) connect_time: Duration,
    pub(super) response_time: Duration,
    pub(super) idle_time: Duration,
    pub(super) half_closed_time: Duration,
    pub(super) connections: usize,
    pub(super) idle_connections: usize,
    pub(super) keep_alive: Duration,
    pub(super) header_bytes: usize,
    pub(super) header_fields: usize,
    pub(super) host: HostPolicy,
    /// For how long a server that cannot be reached is left out, where there are others.
    pub(super) out_time: Duration,
    pub(super) health_check: Option<(String, Duration)>,
    /// Whose certificates servers may show; none: those that the public trusts.
    #[cfg(feature = "tls")]
    pub(super) trust: std::sync::OnceLock<Trust>,
}

#[cfg(feature = "tls")]
impl Settings {
    /// Whose certificates servers may show.
    pub(super) fn trust(&self) -> std::io::Result<&Trust> {
        if let Some(trust) = self.trust.get() {
            return Ok(trust);
        }
        let public = Trust::public().map_err(std::io::Error::other)?;
        Ok(self.trust.get_or_init(|| public))
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            connect_time: Duration::from_secs(5),
            response_time: Duration::from_secs(60),
            idle_time: Duration::from_secs(60),
            half_closed_time: Duration::from_secs(5),
            connections: 256,
            idle_connections: 32,
            keep_alive: Duration::from_secs(30),
            header_bytes: 64 << 10,
            header_fields: 200,
            host: HostPolicy::default(),
            out_time: Duration::from_secs(5),
            health_check: None,
            #[cfg(feature = "tls")]
            trust: std::sync::OnceLock::new(),
        }
    }
}
