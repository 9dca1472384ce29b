//! From a name and arguments to a path.

use std::collections::BTreeMap;
use std::fmt::Display;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::routes::RouteInfo;
use super::template::{Piece, Slot, template};

/// Why a name and its arguments give no path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReverseError {
    /// No route has the name.
    #[error("no route is named {name:?}; {}", suggest(nearest))]
    UnknownName {
        /// The name asked for.
        name: String,
        /// The known names that look most like it.
        nearest: Vec<String>,
    },
    /// An argument is missing.
    #[error("{name:?} needs the argument {argument:?} (pattern {pattern:?})")]
    Missing {
        /// The route's name.
        name: String,
        /// The argument.
        argument: String,
        /// The route's pattern.
        pattern: String,
    },
    /// An argument that the route does not have.
    #[error("{name:?} has no argument {argument:?} (pattern {pattern:?})")]
    Unexpected {
        /// The route's name.
        name: String,
        /// The argument.
        argument: String,
        /// The route's pattern.
        pattern: String,
    },
    /// An argument that the route would never capture.
    #[error("{name:?}: the argument {argument:?} must be {expected}, found {found:?} (pattern {pattern:?})")]
    IllTyped {
        /// The route's name.
        name: String,
        /// The argument.
        argument: String,
        /// A converter's name, or a regex.
        expected: String,
        /// The value given.
        found: String,
        /// The route's pattern.
        pattern: String,
    },
    /// The pattern has no way back.
    #[error("{name:?} cannot be reversed: {problem} (pattern {pattern:?})")]
    NotReversible {
        /// The route's name.
        name: String,
        /// What stands in the way.
        problem: String,
        /// The route's pattern.
        pattern: String,
    },
}

fn suggest(nearest: &[String]) -> String {
    if nearest.is_empty() { "no route has a name".into() } else { format!("near it: {}", nearest.join(", ")) }
}

/// A named route with its way back, worked out once.
#[derive(Debug, Clone)]
pub(super) struct Reversible {
    name: String,
    info: RouteInfo,
    pieces: Result<Vec<Piece>, String>,
}

impl Reversible {
    pub(super) fn new(name: String, info: RouteInfo) -> Self {
        Self { name, pieces: template(&info.parts), info }
    }

    pub(super) fn pattern(&self) -> &str {
        &self.info.pattern
    }

    pub(super) fn path(&self, args: &[(&str, &(dyn Display + Sync))]) -> Result<String, ReverseError> {
        let pieces = self.pieces()?;
        let mut given: BTreeMap<&str, String> =
            args.iter().map(|(name, value)| (*name, value.to_string())).collect();
        let mut path = String::new();
        for piece in pieces {
            match piece {
                Piece::Text(text) => path.push_str(text),
                Piece::Slot(slot) => {
                    let value = given.get(&*slot.name).map(String::as_str);
                    path.push_str(self.fill(slot, value)?);
                }
            }
        }
        given.retain(|name, value| !is_slot(pieces, name) && self.info.kwargs.text(name) != Some(value));
        match given.into_keys().next() {
            Some(argument) => Err(self.unexpected(argument)),
            None => self.finish(&path),
        }
    }

    /// Why these arguments lead nowhere, as far as their values are known.
    #[cfg(feature = "templates")]
    pub(super) fn refute(&self, args: &[(&str, Option<&str>)]) -> Result<(), ReverseError> {
        let pieces = self.pieces()?;
        for piece in pieces {
            let Piece::Slot(slot) = piece else { continue };
            match args.iter().find(|(name, _)| *name == &*slot.name) {
                Some((_, None)) => {}
                given => {
                    self.fill(slot, given.and_then(|(_, value)| *value))?;
                }
            }
        }
        let is_known = |name: &str| is_slot(pieces, name) || self.info.kwargs.text(name).is_some();
        match args.iter().find(|(name, _)| !is_known(name)) {
            Some((argument, _)) => Err(self.unexpected(argument)),
            None => Ok(()),
        }
    }

    pub(super) fn path_of(&self, args: &[&(dyn Display + Sync)]) -> Result<String, ReverseError> {
        let mut names: Vec<&str> = Vec::new();
        for piece in self.pieces()? {
            if let Piece::Slot(slot) = piece
                && !names.contains(&&*slot.name)
            {
                names.push(&slot.name);
            }
        }
        if let Some(extra) = args.get(names.len()) {
            return Err(self.unexpected(&extra.to_string()));
        }
        let named: Vec<_> = names.into_iter().zip(args.iter().copied()).collect();
        self.path(&named)
    }

    fn pieces(&self) -> Result<&[Piece], ReverseError> {
        self.pieces.as_deref().map_err(|problem| self.not_reversible(problem))
    }

    fn fill<'v>(&self, slot: &Slot, value: Option<&'v str>) -> Result<&'v str, ReverseError> {
        let (name, pattern) = (self.name.clone(), self.info.pattern.clone());
        let argument = slot.name.to_string();
        let Some(value) = value else { return Err(ReverseError::Missing { name, argument, pattern }) };
        if !slot.accepts(value) {
            let (expected, found) = (slot.expected.clone(), value.to_owned());
            return Err(ReverseError::IllTyped { name, argument, expected, found, pattern });
        }
        Ok(value)
    }

    /// The path, encoded as Django does it, once it is sure that it leads back here.
    fn finish(&self, path: &str) -> Result<String, ReverseError> {
        if !self.info.leads_to(path) {
            let problem = format!("with these arguments it gives {path:?}, which the pattern does not take");
            return Err(self.not_reversible(&problem));
        }
        let encoded = utf8_percent_encode(path, NOT_IN_PATHS).to_string();
        // A second slash would make the first segment a host.
        Ok(match encoded.strip_prefix('/') {
            Some(rest) => format!("/%2F{rest}"),
            None => format!("/{encoded}"),
        })
    }

    fn unexpected(&self, argument: &str) -> ReverseError {
        let (name, pattern) = (self.name.clone(), self.info.pattern.clone());
        ReverseError::Unexpected { name, argument: argument.to_owned(), pattern }
    }

    fn not_reversible(&self, problem: &str) -> ReverseError {
        let (name, pattern) = (self.name.clone(), self.info.pattern.clone());
        ReverseError::NotReversible { name, problem: problem.to_owned(), pattern }
    }
}

fn is_slot(pieces: &[Piece], name: &str) -> bool {
    pieces.iter().any(|piece| matches!(piece, Piece::Slot(slot) if *slot.name == *name))
}

/// Everything that Django's `reverse` encodes: all but letters, digits, `-._~`, and `!$&'()*+,;=/:@`.
const NOT_IN_PATHS: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=')
    .remove(b'/')
    .remove(b':')
    .remove(b'@');
