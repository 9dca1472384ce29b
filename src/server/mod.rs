//! The server: listeners, hyper connections, the upgrade, limits, drain, access log.
