//! Who may open a socket on a route, and how many at once.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use tower::{Layer, Service};

use super::consumers::{RouteLimits, lock};
use crate::Scoped;
use crate::gateway::settings::SocketRoute;
use crate::middleware::{Checked, passed, refused};
use crate::routing::BoxedApplication;
use crate::websocket::{Connection, Denial, Refusal};

/// Counts sockets by user and by address, and hands the route's rates on.
#[derive(Debug, Clone)]
pub(super) struct BoundsLayer(Arc<Bounds>);

#[derive(Debug)]
struct Bounds {
    limits: Option<RouteLimits>,
    per_user: Option<(usize, Arc<Counts<String>>)>,
    per_address: Option<(usize, Arc<Counts<IpAddr>>)>,
}

impl BoundsLayer {
    /// The bounds of a route; `None` without any.
    pub(super) fn of(route: &SocketRoute) -> Option<Self> {
        let count = |most: u32| usize::try_from(most).unwrap_or(usize::MAX);
        let bounds = Bounds {
            limits: RouteLimits::of(route.rate.as_ref()),
            per_user: route.connections_per_user.as_ref().map(|most| (count(most.value), Arc::default())),
            per_address: route.connections_per_address.map(|most| (count(most), Arc::default())),
        };
        let any = bounds.limits.is_some() || bounds.per_user.is_some() || bounds.per_address.is_some();
        any.then(|| Self(Arc::new(bounds)))
    }
}

impl Bounds {
    /// Takes the places that the socket keeps while it is open. The rule that refuses it, otherwise.
    fn admit(&self, connection: &mut Connection) -> Result<(), &'static str> {
        let scope = connection.scope();
        let user = scope.user.account().map(|account| account.id.clone());
        let address = scope.client.map(|client| client.ip());
        let by_user = match (&self.per_user, user) {
            (Some((most, counts)), Some(user)) => {
                Some(Place::take(counts, user, *most).ok_or("connections_per_user")?)
            }
            _ => None,
        };
        let by_address = match (&self.per_address, address) {
            (Some((most, counts)), Some(address)) => {
                Some(Place::take(counts, address, *most).ok_or("connections_per_address")?)
            }
            _ => None,
        };
        let extensions = &mut connection.scope_mut().extensions;
        if by_user.is_some() || by_address.is_some() {
            extensions.insert(Arc::new((by_user, by_address)));
        }
        if let Some(limits) = &self.limits {
            extensions.insert(limits.clone());
        }
        Ok(())
    }
}

/// How many places are taken, by whom.
#[derive(Debug)]
struct Counts<K>(Mutex<HashMap<K, usize>>);

impl<K> Default for Counts<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

/// A place, given back when dropped.
#[derive(Debug)]
struct Place<K: Hash + Eq> {
    counts: Arc<Counts<K>>,
    key: K,
}

impl<K: Hash + Eq + Clone> Place<K> {
    fn take(counts: &Arc<Counts<K>>, key: K, most: usize) -> Option<Self> {
        let mut taken = lock(&counts.0);
        if taken.get(&key).copied().unwrap_or_default() >= most {
            return None;
        }
        *taken.entry(key.clone()).or_default() += 1;
        drop(taken);
        Some(Self { counts: Arc::clone(counts), key })
    }
}

impl<K: Hash + Eq> Drop for Place<K> {
    fn drop(&mut self) {
        let mut taken = lock(&self.counts.0);
        if let Some(count) = taken.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.key);
            }
        }
    }
}

impl<S> Layer<S> for BoundsLayer {
    type Service = Bounded<S>;

    fn layer(&self, inner: S) -> Bounded<S> {
        Bounded { inner, bounds: Arc::clone(&self.0) }
    }
}

/// The service of [`BoundsLayer`].
#[derive(Debug, Clone)]
pub(super) struct Bounded<S> {
    inner: S,
    bounds: Arc<Bounds>,
}

impl<S> Service<Connection> for Bounded<S>
where
    S: Service<Connection, Response = (), Error = Refusal>,
{
    type Response = ();
    type Error = Refusal;
    type Future = Checked<S::Future, (), Refusal>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Refusal>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut connection: Connection) -> Self::Future {
        match self.bounds.admit(&mut connection) {
            Ok(()) => passed(self.inner.call(connection)),
            Err(rule) => {
                refused(Denial::new(::http::StatusCode::TOO_MANY_REQUESTS, rule, "Too many connections."))
            }
        }
    }
}

impl<S> crate::routing::Routes for Bounded<S> {}

/// A route's consumer behind its bounds.
pub(super) fn bounded(route: &SocketRoute, consumer: BoxedApplication) -> BoxedApplication {
    match BoundsLayer::of(route) {
        Some(bounds) => BoxedApplication::new(bounds.layer(consumer)),
        None => consumer,
    }
}
