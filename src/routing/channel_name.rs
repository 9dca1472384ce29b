//! `ChannelNameRouter`: channel names to worker applications.

use std::collections::BTreeMap;
use std::task::{Context, Poll};

use futures_util::future::{BoxFuture, ready};
use tower::Service;

use super::application::{Application, BoxedApplication};
use super::{RouteInfo, Routes};
use crate::Scoped;
use crate::websocket::{Connection, Refusal};

/// Channel names to the applications that handle their messages, for scopes of type `channel`.
/// Channels: `ChannelNameRouter`.
///
/// ```
/// use solent::routing::{BoxedApplication, ChannelNameRouter};
/// # fn run(thumbnails: BoxedApplication, mail: BoxedApplication) {
/// let workers = ChannelNameRouter::new().channel("thumbnails", thumbnails).channel("mail", mail);
/// # }
/// ```
#[derive(Debug, Clone, Default)]
pub struct ChannelNameRouter(BTreeMap<String, BoxedApplication>);

impl ChannelNameRouter {
    /// A router without channels.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives a channel's messages to `application`; one set before for this name is replaced.
    #[must_use]
    pub fn channel(mut self, name: impl Into<String>, application: impl Application) -> Self {
        self.0.insert(name.into(), BoxedApplication::new(application));
        self
    }

    /// The channels that have an application.
    pub fn channels(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    fn refuse(&self, channel: Option<&str>) -> Refusal {
        let known = match self.channels().collect::<Vec<_>>().join(", ") {
            none if none.is_empty() => "none".to_owned(),
            known => known,
        };
        super::protocol::not_configured(match channel {
            Some(name) => format!("No application configured for channel name {name:?}; configured: {known}"),
            None => "This scope has no channel name; a ChannelNameRouter takes scopes of type 'channel'"
                .to_owned(),
        })
    }
}

impl Service<Connection> for ChannelNameRouter {
    type Response = ();
    type Error = Refusal;
    type Future = BoxFuture<'static, Result<(), Refusal>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Refusal>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, connection: Connection) -> Self::Future {
        let channel = connection.scope().channel.as_deref();
        match channel.and_then(|name| self.0.get(name)) {
            Some(application) => application.call(connection),
            None => Box::pin(ready(Err(self.refuse(channel)))),
        }
    }
}

impl Routes for ChannelNameRouter {
    fn routes(&self) -> Vec<RouteInfo> {
        self.0.values().flat_map(Routes::routes).collect()
    }
}
