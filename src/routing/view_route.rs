//! A route of a `ViewRouter` as it is tried: its own pattern behind those of the routers that include it.

use std::sync::Arc;

use super::RouteInfo;
use super::coverage::Coverage;
use super::entry::Entry;
use super::pattern::Pattern;
use super::target::ViewTarget;
use crate::UrlRoute;
use crate::http::BoxedView;

/// A view behind one or more patterns, outermost first.
#[derive(Debug, Clone)]
pub(super) struct ViewRoute {
    entries: Vec<Entry>,
    pub(super) view: BoxedView,
    /// Whether the view is a service that sees the rest as its whole path.
    pub(super) rewrites: bool,
    infos: Vec<RouteInfo>,
}

impl ViewRoute {
    pub(super) fn new(entry: Entry, target: ViewTarget) -> Self {
        let view = match target.methods {
            Some(methods) => target.view.with_methods(methods),
            None => target.view,
        };
        let rewrites = entry.prefix && !target.is_router;
        Self { entries: vec![entry], view, rewrites, infos: target.infos }
    }

    /// The same route, seen from the router that includes it by `outer`.
    pub(super) fn below(&self, outer: &Entry) -> Self {
        let mut route = self.clone();
        route.entries.insert(0, outer.clone());
        route
    }

    pub(super) fn patterns(&self) -> impl Iterator<Item = &Pattern> {
        self.entries.iter().map(|entry| &*entry.pattern)
    }

    /// What was captured, and what is left of the path.
    pub(super) fn matches(&self, path: &str, outer: &UrlRoute) -> Option<(UrlRoute, String)> {
        let mut taken = Vec::with_capacity(self.entries.len());
        let mut rest = path;
        for entry in &self.entries {
            let captured = entry.pattern.matches(rest)?;
            rest = captured.rest;
            taken.push(captured);
        }
        let mut route = outer.clone();
        for (entry, captured) in self.entries.iter().zip(taken) {
            entry.apply(&mut route, captured);
        }
        Some((route, rest.to_owned()))
    }

    pub(super) fn coverage(&self) -> Coverage {
        let open = self.entries.last().is_some_and(|last| last.prefix);
        Coverage::new(self.entries.iter().map(|entry| Arc::clone(&entry.pattern)).collect(), open, false)
    }

    pub(super) fn infos(&self) -> Vec<RouteInfo> {
        let Some((last, outer)) = self.entries.split_last() else { return Vec::new() };
        let mut infos = last.infos(self.infos.clone());
        if self.infos.is_empty() {
            infos.iter_mut().for_each(|info| info.methods = self.view.methods().to_vec());
        }
        outer.iter().rev().fold(infos, |infos, entry| entry.infos(infos))
    }
}
