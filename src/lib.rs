//! Django Channels' model in Rust: one hyper server, HTTP views on one side, WebSocket consumers on the
//! other, and channel layers through which consumers in any process talk to each other.
//!
//! Data flows one way; each room hands the connection to the next:
//!
//! ```text
//! TCP/TLS/unix ─► server ─► routing::ProtocolTypeRouter ─┬─► http     : middleware ─► ViewRouter ─► view
//!                                                        └─► websocket: middleware ─► UrlRouter ─► consumer ⇄ layers
//! ```
//!
//! | room | what it holds |
//! |---|---|
//! | [`server`] | listeners, hyper connections, the upgrade, limits, drain, access log |
//! | [`routing`] | [`ProtocolTypeRouter`](routing::ProtocolTypeRouter), URL and view routers, patterns, reversing |
//! | [`http`] | requests, responses, views, forms, static files, templates |
//! | [`websocket`] | handshake, refusals, frames, the outbox, the connection's driver, close codes |
//! | [`consumer`] | the consumer traits, [`Context`](consumer::Context), dispatch of events |
//! | [`middleware`] | cookies, sessions, users, allowed hosts, origin check: tower layers for both protocols |
//! | [`auth`] | users, passwords, signing, session stores, in Django's formats |
//! | [`gateway`] | from a config file to a running application: schema, checks, built-in views and consumers |
//! | [`cli`] | the command line, one file per command |
//! | [`metrics`] | figures of a running server |
//! | [`layers`] | the [`ChannelLayer`](layers::ChannelLayer) trait, names, values, events; memory and Redis |

pub mod auth;
mod blocking;
#[cfg(feature = "gateway")]
pub mod cli;
pub mod consumer;
mod environment;
mod error;
#[cfg(feature = "gateway")]
pub mod gateway;
pub mod http;
pub mod layers;
mod limits;
pub mod metrics;
pub mod middleware;
mod request_id;
pub mod routing;
mod scope;
pub mod server;
#[cfg(feature = "testing")]
pub mod testing;
mod trace_context;
pub mod websocket;

pub use blocking::{BlockingPool, PoolError};
pub use environment::Environment;
pub use error::{ClientError, Error, Result};
pub use limits::Limits;
pub use request_id::RequestId;
pub use scope::{KwargError, Kwargs, Protocol, Scope, Scoped, UrlRoute};

/// The README's program compiles, and its test passes.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
