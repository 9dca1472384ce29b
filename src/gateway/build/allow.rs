//! `allow`: further conditions of a route, around its view or consumer.

use std::time::Duration;

use tower::Layer;

use super::proxies::Proxies;
use super::users::Users;
use crate::auth::QueryPermission;
use crate::gateway::path_template::PathTemplate;
use crate::gateway::settings::{Allow, AllowHttp};
use crate::http::{BackendPermissionLayer, BoxedHttp};
use crate::middleware::PermissionLayer;
use crate::routing::BoxedApplication;

/// What a route asks for. The database is asked first, which is nearer than a server behind.
#[derive(Debug, Clone)]
pub(crate) struct Conditions {
    query: Option<PermissionLayer>,
    backend: Option<BackendPermissionLayer>,
}

impl Conditions {
    /// The conditions of a route, which open sockets are asked about again every `recheck`.
    pub(crate) fn of(allow: &Allow, users: &Users, proxies: &Proxies, recheck: Duration) -> Self {
        let query = allow.sql.as_ref().zip(users.database.as_ref()).map(|(sql, database)| {
            PermissionLayer::new(QueryPermission::new("allow", database.clone(), sql.value.as_str()))
        });
        let backend = allow.http.as_ref().and_then(|http| backend_of(http, proxies));
        Self { query, backend: backend.map(|backend| backend.recheck_interval(recheck)) }
    }

    pub(crate) fn around_view(&self, mut view: BoxedHttp) -> BoxedHttp {
        if let Some(backend) = &self.backend {
            view = BoxedHttp::new(backend.layer(view));
        }
        match &self.query {
            Some(query) => BoxedHttp::new(query.layer(view)),
            None => view,
        }
    }

    pub(crate) fn around_consumer(&self, mut consumer: BoxedApplication) -> BoxedApplication {
        if let Some(backend) = &self.backend {
            consumer = BoxedApplication::new(backend.layer(consumer));
        }
        match &self.query {
            Some(query) => BoxedApplication::new(query.layer(consumer)),
            None => consumer,
        }
    }
}

/// Asks a server behind; the path has been found right by a check.
fn backend_of(http: &AllowHttp, proxies: &Proxies) -> Option<BackendPermissionLayer> {
    let proxy = proxies.get(&http.upstream.value)?.clone();
    let path = PathTemplate::parse(&http.path).ok()?;
    let layer = BackendPermissionLayer::new(proxy, move |scope| path.fill(scope));
    Some(layer.cache_time(http.cache).cache_entries(http.cached).time(http.time))
}
