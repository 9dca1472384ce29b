//! A route as a router holds it: compiled, checked, and able to write itself into a scope.

use std::sync::Arc;

use super::converter::Converters;
use super::error::RouteError;
use super::pattern::{Captured, Pattern};
use super::route::Route;
use super::routes::RouteInfo;
use crate::{Kwargs, UrlRoute};

/// A compiled route without its target.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) pattern: Arc<Pattern>,
    pub(super) prefix: bool,
    pub(super) name: Option<Arc<str>>,
    pub(super) namespace: Option<Arc<str>>,
    pub(super) kwargs: Kwargs,
    pub(super) csrf_exempt: bool,
}

impl Entry {
    pub(super) fn new<T>(route: Route<T>, converters: &Converters) -> Result<(Self, T), RouteError> {
        let misplaced = |problem| RouteError::Misplaced { pattern: route.pattern.clone(), problem };
        if route.prefix && route.name.is_some() {
            return Err(misplaced(
                "a name belongs on a route inside the router; this route takes a namespace",
            ));
        }
        if !route.prefix && route.namespace.is_some() {
            return Err(misplaced(
                "a namespace belongs on a route that leads to a router; this one takes a name",
            ));
        }
        let pattern = Pattern::new(&route.pattern, route.syntax, !route.prefix, converters)?;
        let entry = Self {
            pattern: Arc::new(pattern),
            prefix: route.prefix,
            name: route.name.map(Arc::from),
            namespace: route.namespace.map(Arc::from),
            kwargs: route.kwargs,
            csrf_exempt: route.csrf_exempt,
        };
        Ok((entry, route.target))
    }

    /// Writes a match into what the outer routes have captured: their captures stay, own ones win, fixed values win
    /// over both.
    pub(super) fn apply(&self, route: &mut UrlRoute, captured: Captured<'_>) {
        route.args.extend(captured.args);
        for (name, value) in captured.kwargs {
            route.kwargs.insert(name, value);
        }
        for (name, value) in self.kwargs.iter_shared() {
            route.kwargs.insert(Arc::clone(name), value);
        }
        let qualify = |name: &Arc<str>| join_names(route.namespace.as_ref(), name);
        route.name = self.name.as_ref().map(qualify);
        route.namespace = self.namespace.as_ref().map(qualify).or_else(|| route.namespace.take());
        route.pattern = match &*route.pattern {
            "" => Arc::clone(&self.pattern.text),
            outer => format!("{outer}{}", self.pattern.text).into(),
        };
    }

    /// What this route tells of itself and of `inner`, the routes below it.
    pub(super) fn infos(&self, inner: Vec<RouteInfo>) -> Vec<RouteInfo> {
        if inner.is_empty() {
            return vec![RouteInfo::new(self)];
        }
        inner.into_iter().map(|info| info.below(self)).collect()
    }
}

pub(super) fn join_names(namespace: Option<&Arc<str>>, name: &Arc<str>) -> Arc<str> {
    namespace.map_or_else(|| Arc::clone(name), |outer| format!("{outer}:{name}").into())
}
