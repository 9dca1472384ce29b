//! A pattern of either kind, matched against the remaining path.

use std::sync::Arc;

use super::converter::Converters;
use super::error::PatternError;
use super::path_pattern::PathPattern;
use super::regex_pattern::RegexPattern;

/// Which of the two pattern languages a route is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Syntax {
    Path,
    Regex,
}

/// A compiled pattern with the text it was made from.
#[derive(Debug)]
pub(super) struct Pattern {
    pub(super) text: Arc<str>,
    pub(super) kind: Kind,
}

#[derive(Debug)]
pub(super) enum Kind {
    Path(PathPattern),
    Regex(RegexPattern),
}

/// What a pattern took of a path.
#[derive(Debug, Default)]
pub(super) struct Captured<'p> {
    pub(super) rest: &'p str,
    pub(super) args: Vec<String>,
    pub(super) kwargs: Vec<(Arc<str>, String)>,
}

impl Pattern {
    pub(super) fn new(
        text: &str,
        syntax: Syntax,
        endpoint: bool,
        converters: &Converters,
    ) -> Result<Self, PatternError> {
        let kind = match syntax {
            Syntax::Path => Kind::Path(PathPattern::new(text, converters, endpoint)?),
            Syntax::Regex => Kind::Regex(RegexPattern::new(text)?),
        };
        Ok(Self { text: text.into(), kind })
    }

    /// Matches `path`, whose leading slashes are stripped already.
    pub(super) fn matches<'p>(&self, path: &'p str) -> Option<Captured<'p>> {
        match &self.kind {
            Kind::Path(pattern) => pattern.matches(path),
            Kind::Regex(pattern) => pattern.matches(path),
        }
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text && std::mem::discriminant(&self.kind) == std::mem::discriminant(&other.kind)
    }
}

impl Eq for Pattern {}
