//! What a router tells of the routes below it, through any middleware in between.

use std::sync::Arc;

use ::http::Method;

use super::entry::{Entry, join_names};
#[cfg(feature = "auth")]
use super::level::own_path;
use super::pattern::Pattern;
use crate::Kwargs;
#[cfg(feature = "auth")]
use crate::Scope;

/// What an application tells of the routes below it.
///
/// Routers list their routes, middleware passes on what it wraps, everything else has none. Names for reversing,
/// the `routes` command, and the 426 hint for a plain GET on a socket's path are made from it.
#[diagnostic::on_unimplemented(
    note = "wrap a service that is not Solent's own in `solent::routing::mount(service)`"
)]
pub trait Routes {
    /// All routes below, in order.
    fn routes(&self) -> Vec<RouteInfo> {
        Vec::new()
    }

    /// Whether this matches a prefix of the path and leaves the rest to inner routes.
    fn is_router(&self) -> bool {
        false
    }
}

/// One route, as the `routes` command lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RouteInfo {
    /// The full name with its namespaces (`chat:room`), when it has one.
    pub name: Option<String>,
    /// The pattern as written, outer patterns included.
    pub pattern: String,
    /// The HTTP methods it takes; empty for all, and for sockets.
    pub methods: Vec<Method>,
    /// Whether anybody may post to it: it, or a route above it, is exempt from CSRF protection.
    pub csrf_exempt: bool,
    /// The patterns it is made of, outermost first.
    pub(super) parts: Vec<Arc<Pattern>>,
    /// The fixed values of all parts.
    pub(super) kwargs: Kwargs,
}

impl RouteInfo {
    pub(super) fn new(entry: &Entry) -> Self {
        Self {
            name: entry.name.as_deref().map(str::to_owned),
            pattern: entry.pattern.text.to_string(),
            methods: Vec::new(),
            csrf_exempt: entry.csrf_exempt,
            parts: vec![Arc::clone(&entry.pattern)],
            kwargs: entry.kwargs.clone(),
        }
    }

    /// The same route, seen from the router that holds `outer`.
    pub(super) fn below(mut self, outer: &Entry) -> Self {
        self.name = self.name.map(|name| join_names(outer.namespace.as_ref(), &name.into()).to_string());
        self.pattern.insert_str(0, &outer.pattern.text);
        self.parts.insert(0, Arc::clone(&outer.pattern));
        let mut kwargs = outer.kwargs.clone();
        kwargs.extend(&self.kwargs);
        self.kwargs = kwargs;
        self.csrf_exempt |= outer.csrf_exempt;
        self
    }

    /// Whether a socket's path leads here; leading slashes are stripped at each level.
    pub(super) fn matches_socket(&self, path: &str) -> bool {
        self.matches(path, |rest| rest.trim_start_matches('/'))
    }

    /// Whether a path without its first slash leads here. Nothing is stripped: a path that has to be stripped to
    /// lead here is not one to be made.
    pub(super) fn leads_to(&self, path: &str) -> bool {
        self.matches(path, |rest| rest)
    }

    fn matches(&self, path: &str, strip: fn(&str) -> &str) -> bool {
        let mut rest = path;
        self.parts.iter().all(|part| part.matches(strip(rest)).map(|captured| rest = captured.rest).is_some())
    }
}

/// Whether the view that a request leads to is exempt from CSRF protection: the first of the routes that matches.
#[cfg(feature = "auth")]
pub(crate) fn is_csrf_exempt(routes: &[RouteInfo], scope: &Scope) -> bool {
    let Some(path) = own_path(scope).filter(|_| !routes.is_empty()) else { return false };
    let path = path.strip_prefix('/').unwrap_or(path);
    routes.iter().find(|route| route.leads_to(path)).is_some_and(|route| route.csrf_exempt)
}
