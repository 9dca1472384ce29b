//! `re_path()` patterns: regular expressions with Django's endpoint rule.

use std::sync::Arc;

use regex::Regex;
use regex_syntax::ast::ErrorKind;
use regex_syntax::hir::{Hir, Look};

use super::error::PatternError;
use super::path_pattern::LEADING_SLASH;
use super::pattern::Captured;

/// A `re_path()` pattern. One that ends in `$` must match the whole remaining path; any other is searched in it.
#[derive(Debug, Clone)]
pub(super) struct RegexPattern {
    regex: Regex,
    /// The parsed form, from which the index takes what every match begins with.
    hir: Hir,
    /// Number and name of each named group.
    named: Vec<(usize, Arc<str>)>,
}

impl RegexPattern {
    pub(super) fn new(source: &str) -> Result<Self, PatternError> {
        check_syntax(source)?;
        if needs_leading_slash(source) {
            return Err(PatternError::at(source, 0, LEADING_SLASH));
        }
        let whole = ends_in_dollar(source).then(|| format!(r"\A(?:{source})\z"));
        let source_or_whole = whole.as_deref().unwrap_or(source);
        let unusable = |problem: String| PatternError::at(source, 0, problem);
        let regex = Regex::new(source_or_whole).map_err(|error| unusable(error.to_string()))?;
        let hir = regex_syntax::parse(source_or_whole).map_err(|error| unusable(error.to_string()))?;
        let named = regex
            .capture_names()
            .enumerate()
            .filter_map(|(number, name)| Some((number, Arc::from(name?))))
            .collect();
        Ok(Self { regex, hir, named })
    }

    pub(super) fn hir(&self) -> &Hir {
        &self.hir
    }

    /// Whether every path matches, because the empty text at its start does.
    pub(super) fn takes_everything(&self) -> bool {
        let looks = self.hir.properties().look_set();
        looks.iter().all(|look| look == Look::Start) && self.regex.is_match("")
    }

    pub(super) fn matches<'p>(&self, path: &'p str) -> Option<Captured<'p>> {
        let found = self.regex.captures(path)?;
        let rest = &path[found.get_match().end()..];
        if self.named.is_empty() {
            // A group that took no part is an empty text, so that the others keep their places.
            let text =
                |group: Option<regex::Match<'_>>| group.map_or(String::new(), |m| m.as_str().to_owned());
            return Some(Captured {
                rest,
                args: found.iter().skip(1).map(text).collect(),
                kwargs: Vec::new(),
            });
        }
        let named = self.named.iter();
        let kwargs = named
            .filter_map(|(number, name)| Some((Arc::clone(name), found.get(*number)?.as_str().to_owned())))
            .collect();
        Some(Captured { rest, args: Vec::new(), kwargs })
    }
}

/// Whether every match would begin with a slash at the start of the path.
fn needs_leading_slash(source: &str) -> bool {
    let inner = source.strip_prefix('^').unwrap_or(source);
    let anchored = inner.len() < source.len() || ends_in_dollar(source);
    let optional = inner.get(1..).is_some_and(|rest| rest.starts_with(['?', '*', '{']));
    anchored && inner.starts_with('/') && !optional && !source.contains('|')
}

/// Whether the last character is a `$` that is not escaped.
pub(super) fn ends_in_dollar(source: &str) -> bool {
    source.strip_suffix('$').is_some_and(|before| {
        let backslashes = before.bytes().rev().take_while(|&byte| byte == b'\\').count();
        backslashes % 2 == 0
    })
}

fn check_syntax(source: &str) -> Result<(), PatternError> {
    let error = match regex_syntax::Parser::new().parse(source) {
        Ok(_) => return Ok(()),
        Err(error) => error,
    };
    let (byte, problem) = match &error {
        regex_syntax::Error::Parse(error) => (error.span().start.offset, explain(source, error)),
        regex_syntax::Error::Translate(error) => (error.span().start.offset, error.kind().to_string()),
        _ => (0, error.to_string()),
    };
    Err(PatternError::at(source, byte, problem))
}

fn explain(source: &str, error: &regex_syntax::ast::Error) -> String {
    let found = source.get(error.span().start.offset..).unwrap_or_default();
    match error.kind() {
        ErrorKind::UnsupportedLookAround => {
            "look-around is not supported by this regex engine, which keeps matching linear; order routes instead"
                .to_owned()
        }
        ErrorKind::UnsupportedBackreference => NO_BACK_REFERENCES.to_owned(),
        _ if found.starts_with("(?P=") || found.starts_with("P=") => NO_BACK_REFERENCES.to_owned(),
        ErrorKind::EscapeUnrecognized if found.starts_with(r"\Z") => {
            r"`\Z` is Python's; the end of the text is `\z` or `$` here".to_owned()
        }
        kind => kind.to_string(),
    }
}

const NO_BACK_REFERENCES: &str =
    "back-references are not supported by this regex engine, which keeps matching linear";
