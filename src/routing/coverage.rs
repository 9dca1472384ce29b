//! Finding routes that can never be reached, because an earlier one takes all their paths.

use std::sync::Arc;

use super::converter::{Converter, Kind as Type};
use super::error::RouteError;
use super::index::Index;
use super::path_pattern::Token;
use super::pattern::{Kind, Pattern};

/// What is known of the paths that a route takes. Only sure knowledge: what is not known covers nothing.
#[derive(Debug)]
pub(super) struct Coverage {
    parts: Vec<Arc<Pattern>>,
    /// Whether the route takes whatever its last pattern leaves.
    open: bool,
    /// Whether the route may give a path back after it matched.
    gives_back: bool,
    /// The only path it takes, when there is only one.
    only_path: Option<String>,
    /// Its segments, when it has a plain form.
    segments: Option<Vec<Segment>>,
    ends_in_path: bool,
}

type Segment = Vec<Piece>;

#[derive(Debug, PartialEq)]
enum Piece {
    Literal(String),
    Param(Converter),
}

impl Coverage {
    pub(super) fn new(parts: Vec<Arc<Pattern>>, open: bool, gives_back: bool) -> Self {
        let only_path = if open { None } else { only_path(&parts) };
        let mut plain = plain_form(&parts);
        let ends_in_path = plain.as_mut().is_some_and(pop_path);
        if open {
            // What is open must end where a segment does; else `api` would take a part of `apis`.
            plain = plain.filter(|segments| segments.last().is_some_and(Vec::is_empty));
            plain.as_mut().map(Vec::pop);
        }
        Self { parts, open, gives_back, only_path, segments: plain, ends_in_path }
    }

    /// Whether every path of `later` is a path of this one.
    pub(super) fn covers(&self, later: &Self) -> bool {
        if self.gives_back {
            return false;
        }
        if let [part] = self.parts.as_slice()
            && let Kind::Regex(regex) = &part.kind
            && regex.takes_everything()
        {
            return true;
        }
        if self.parts == later.parts && (self.open || !later.open) {
            return true;
        }
        if let Some(path) = &later.only_path {
            return self.takes(path);
        }
        match (&self.segments, &later.segments) {
            (Some(own), Some(others)) => self.covers_segments(own, others, later),
            _ => false,
        }
    }

    fn text(&self) -> String {
        self.parts.iter().map(|part| &*part.text).collect()
    }

    fn takes(&self, path: &str) -> bool {
        let mut rest = path;
        self.parts.iter().all(|part| part.matches(rest).map(|captured| rest = captured.rest).is_some())
    }

    fn covers_segments(&self, own: &[Segment], others: &[Segment], later: &Self) -> bool {
        let enough = if self.open {
            others.len() > own.len() || (later.open || later.ends_in_path) && others.len() == own.len()
        } else if self.ends_in_path {
            let rest = others.get(own.len()..).unwrap_or_default();
            !later.open && (rest.len() > 1 || rest.iter().any(|only| !only.is_empty()) || later.ends_in_path)
        } else {
            others.len() == own.len() && !later.open && !later.ends_in_path
        };
        enough
            && own.len() <= others.len()
            && own.iter().zip(others).all(|(own, other)| segment_covers(own, other))
    }
}

/// Looks for a route that an earlier one covers.
pub(super) fn refuse_unreachable(routes: &[Coverage], index: &Index) -> Result<(), RouteError> {
    for (number, route) in routes.iter().enumerate() {
        let earlier = match &route.only_path {
            Some(path) => index.candidates(&format!("/{path}")).take_while(|&other| other < number).collect(),
            None => (0..number).collect::<Vec<_>>(),
        };
        if let Some(earlier) =
            earlier.into_iter().map(|other| &routes[other]).find(|other| other.covers(route))
        {
            return Err(RouteError::Unreachable { pattern: route.text(), earlier: earlier.text() });
        }
    }
    Ok(())
}

fn only_path(parts: &[Arc<Pattern>]) -> Option<String> {
    let mut path = String::new();
    for part in parts {
        let Kind::Path(pattern) = &part.kind else { return None };
        for token in pattern.tokens() {
            let Token::Literal(text) = token else { return None };
            path.push_str(text);
        }
    }
    Some(path)
}

/// The patterns as one list of segments. Inner parts must end in a slash, so that taking them one after the other is
/// the same as taking them as one.
fn plain_form(parts: &[Arc<Pattern>]) -> Option<Vec<Segment>> {
    let mut segments = vec![Segment::new()];
    for (number, part) in parts.iter().enumerate() {
        let Kind::Path(pattern) = &part.kind else { return None };
        let inner = number + 1 < parts.len();
        if inner && !part.text.is_empty() && !part.text.ends_with('/') {
            return None;
        }
        for (place, token) in pattern.tokens().iter().enumerate() {
            match token {
                Token::Literal(text) => push_text(&mut segments, text),
                Token::Param { converter, .. } => {
                    let last = !inner && place + 1 == pattern.tokens().len();
                    if !converter.kind().stays_in_segment() && !last {
                        return None;
                    }
                    segments.last_mut()?.push(Piece::Param(converter.clone()));
                }
            }
        }
    }
    Some(segments)
}

fn push_text(segments: &mut Vec<Segment>, text: &str) {
    for (number, piece) in text.split('/').enumerate() {
        if number > 0 {
            segments.push(Segment::new());
        }
        if let (Some(segment), false) = (segments.last_mut(), piece.is_empty()) {
            segment.push(Piece::Literal(piece.to_owned()));
        }
    }
}

/// Takes a `<path:…>` that fills the last segment off the end.
fn pop_path(segments: &mut Vec<Segment>) -> bool {
    let is_path = |segment: &mut Segment| matches!(segment.as_slice(), [Piece::Param(converter)] if converter.kind() == Type::Path);
    segments.pop_if(is_path).is_some()
}

fn segment_covers(own: &Segment, other: &Segment) -> bool {
    if own == other {
        return true;
    }
    let [Piece::Param(converter)] = own.as_slice() else { return false };
    if let [Piece::Literal(text)] = other.as_slice() {
        return converter.accepts(text);
    }
    !other.is_empty()
        && other.iter().all(|piece| match (converter.kind(), piece) {
            (Type::Str, Piece::Literal(_)) => true,
            (Type::Str, Piece::Param(inner)) => inner.kind().stays_in_segment(),
            (Type::Slug, Piece::Param(inner)) => matches!(inner.kind(), Type::Int | Type::Slug | Type::Uuid),
            _ => false,
        })
}
