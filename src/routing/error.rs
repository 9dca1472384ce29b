//! What is wrong with a route table, found when it is built.

/// A mistake in a pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("pattern {pattern:?}, character {position}: {problem}")]
pub struct PatternError {
    pattern: String,
    position: usize,
    problem: String,
}

impl PatternError {
    /// A mistake at a byte of the pattern's text.
    pub(super) fn at(pattern: &str, byte: usize, problem: impl Into<String>) -> Self {
        let before = pattern.get(..byte).unwrap_or(pattern);
        Self { pattern: pattern.to_owned(), position: before.chars().count() + 1, problem: problem.into() }
    }

    /// The pattern as written.
    pub fn pattern(&self) -> &str {
        &self.pattern
    }

    /// Where in the pattern, in characters from 1.
    pub fn position(&self) -> usize {
        self.position
    }

    /// What is wrong there.
    pub fn problem(&self) -> &str {
        &self.problem
    }
}

impl RouteError {
    /// The pattern of the route that cannot be: of two that are at odds, the later one.
    ///
    /// ```
    /// use solent::http::text;
    /// use solent::routing::{ViewRouter, path};
    ///
    /// let routes = [path("<slug:page>/", |_| async { text("any") }), path("about/", |_| async { text("one") })];
    /// assert_eq!(ViewRouter::new(routes).unwrap_err().pattern(), "about/");
    /// ```
    pub fn pattern(&self) -> &str {
        match self {
            Self::Pattern(error) => error.pattern(),
            Self::Unreachable { pattern, .. } | Self::Misplaced { pattern, .. } => pattern,
            Self::DuplicateName { second, .. } => second,
        }
    }
}

/// Why a router cannot be built from its routes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RouteError {
    /// A pattern is malformed.
    #[error(transparent)]
    Pattern(#[from] PatternError),
    /// An earlier route takes every path that this one could take.
    #[error("route {pattern:?} can never be reached: {earlier:?} stands before it and takes all its paths")]
    Unreachable {
        /// The route that is never reached.
        pattern: String,
        /// The route that takes its paths.
        earlier: String,
    },
    /// Two routes have one name, so that reversing it would be ambiguous.
    #[error("the name {name:?} is given to two routes, {first:?} and {second:?}; names must be unique")]
    DuplicateName {
        /// The name, with its namespaces.
        name: String,
        /// The pattern that has it first.
        first: String,
        /// The pattern that has it again.
        second: String,
    },
    /// A name on a route that leads to a router, or a namespace on one that does not.
    #[error("route {pattern:?}: {problem}")]
    Misplaced {
        /// The route.
        pattern: String,
        /// What is misplaced, and where it belongs.
        problem: &'static str,
    },
}
