//! Patterns: that they are well-formed, that each route can be reached, and what they capture.

use regex::Regex;

use super::Checked;
use crate::gateway::build::routes::{Endpoint, NoConsumer, Pattern, socket_routes_of, view_routes_of};
use crate::gateway::document::Span;
use crate::gateway::problem::Problem;
use crate::gateway::setting::Placed;
use crate::routing::{Names, RouteError, Routes, UrlRouter, ViewRouter};

/// The names of what a route's pattern captures.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Captures(Vec<String>);

impl Captures {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    pub(crate) fn contains(&self, name: &str) -> bool {
        self.iter().any(|known| known == name)
    }
}

/// What a route's pattern captures, by name.
pub(super) fn captures_of(path: Option<&Placed<String>>, re_path: Option<&Placed<String>>) -> Captures {
    if let Some(path) = path {
        let parameters = path.split('<').skip(1).filter_map(|rest| rest.split_once('>'));
        let name = |inside: &str| inside.rsplit(':').next().unwrap_or(inside).to_owned();
        return Captures(parameters.map(|(inside, _)| name(inside)).collect());
    }
    let regex = re_path.and_then(|pattern| Regex::new(pattern).ok());
    Captures(regex.iter().flat_map(Regex::capture_names).flatten().map(str::to_owned).collect())
}

/// A route as far as its pattern goes.
struct Candidate<'s> {
    pattern: Pattern<'s>,
    span: Span,
    name: Option<&'s str>,
    /// Whether everything under its path leads to it.
    below: bool,
}

impl Checked<'_> {
    /// Finds patterns that are wrong and routes that are never reached. Gives the names of those that are right.
    pub(super) fn routes(&mut self) -> Names {
        let settings = self.settings;
        let pages = settings.http.iter().filter_map(|route| {
            let below = route.target().is_some_and(super::super::settings::Target::serves_below);
            candidate(route.path.as_ref(), route.re_path.as_ref(), route.name.as_ref(), below)
        });
        let mut pages: Vec<Candidate<'_>> = pages.collect();
        let mut sockets: Vec<Candidate<'_>> = (settings.websocket.iter())
            .filter_map(|route| {
                candidate(route.path.as_ref(), route.re_path.as_ref(), route.name.as_ref(), false)
            })
            .collect();
        let views = self.until_right(&mut pages, |candidates| {
            let routes = candidates.iter().map(|it| (it.pattern, it.name, Endpoint::nothing(it.below)));
            ViewRouter::new(view_routes_of(settings, routes, Endpoint::nothing(true)))
                .map(|router| router.routes())
        });
        let connections = self.until_right(&mut sockets, |candidates| {
            let routes = candidates.iter().map(|it| (it.pattern, it.name, NoConsumer));
            UrlRouter::new(socket_routes_of(routes)).map(|router| router.routes())
        });
        Names::new(views.into_iter().chain(connections)).unwrap_or_default()
    }

    /// Builds a router, reports what stands in the way, and builds again without it.
    fn until_right<'s, T: Default>(
        &mut self,
        candidates: &mut Vec<Candidate<'s>>,
        build: impl Fn(&[Candidate<'s>]) -> Result<T, RouteError>,
    ) -> T {
        // A name that is given twice has been reported.
        for at in (1..candidates.len()).rev() {
            if candidates[..at].iter().any(|earlier| earlier.name == candidates[at].name) {
                candidates[at].name = None;
            }
        }
        loop {
            let error = match build(candidates) {
                Ok(router) => return router,
                Err(error) => error,
            };
            let text = error.pattern();
            // Of equal patterns the last is the one that is in the way of nobody.
            let Some(at) = candidates.iter().rposition(|it| it.pattern.text() == text) else {
                self.report(Problem::new(0..0, error.to_string()));
                return T::default();
            };
            let candidate = candidates.remove(at);
            let problem = self.problem_of(&candidate, &error);
            self.report(problem);
        }
    }
}

fn candidate<'s>(
    path: Option<&'s Placed<String>>,
    re_path: Option<&'s Placed<String>>,
    name: Option<&'s Placed<String>>,
    below: bool,
) -> Option<Candidate<'s>> {
    let (pattern, span) = match (path, re_path) {
        (Some(path), _) => (Pattern::Path(path), &path.span),
        (None, Some(regex)) => (Pattern::Regex(regex), &regex.span),
        (None, None) => return None,
    };
    let name = name.filter(|_| !below).map(|name| name.as_str());
    Some(Candidate { pattern, span: span.clone(), name, below })
}

impl Checked<'_> {
    fn problem_of(&self, candidate: &Candidate<'_>, error: &RouteError) -> Problem {
        let whole = candidate.span.clone();
        match error {
            RouteError::Pattern(error) => {
                let text = candidate.pattern.text();
                let at = text.char_indices().nth(error.position().saturating_sub(1));
                let span = self.document.place_in(&whole, text, at.map_or(text.len(), |(byte, _)| byte), 1);
                Problem::new(span, error.problem()).expecting(candidate.pattern.expected())
            }
            RouteError::Unreachable { earlier, .. } => {
                let what = format!(
                    "this route can never be reached: {earlier:?} stands before it and takes all its paths"
                );
                Problem::new(whole, what).expecting("the more particular route to come first")
            }
            other => Problem::new(whole, other.to_string()),
        }
    }
}
