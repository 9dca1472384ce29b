//! The index of a router: from a path to the few routes that may match it, in their order.

use std::collections::HashMap;
use std::fmt::Write;

use super::shape::{Segment, Shape};

/// Finds the routes that may match a path. It only leaves out routes that cannot match; the patterns decide, in
/// order.
///
/// Two `matchit` routers hold the shapes, since one cannot hold a parameter and an open end in one place: `whole` has
/// those with a fixed number of segments, `open` those that end in anything, by their literal beginning.
#[derive(Clone, Default)]
pub(super) struct Index {
    whole: matchit::Router<usize>,
    open: matchit::Router<usize>,
    /// Route numbers in ascending order; the routers hold positions in this list.
    candidates: Vec<Vec<u32>>,
    /// Routes that neither router holds.
    always: Vec<u32>,
}

impl Index {
    /// The index of routes with these shapes, in order.
    pub(super) fn new(shapes: &[Shape]) -> Self {
        let mut routes: HashMap<&Shape, Vec<u32>> = HashMap::new();
        for (number, shape) in (0..).zip(shapes) {
            routes.entry(shape).or_default().push(number);
        }
        let mut index = Self::default();
        for shape in routes.keys() {
            let list = index.candidates.len();
            let mut candidates: Vec<u32> = routes
                .iter()
                .filter(|(other, _)| may_match_where(other, shape))
                .flat_map(|(_, numbers)| numbers)
                .copied()
                .collect();
            candidates.sort_unstable();
            index.candidates.push(candidates);
            // The shapes are distinct and of a form that matchit holds. Should it refuse one nevertheless, being slow
            // is better than losing a route.
            let inserted = index.insert(shape, list);
            debug_assert_eq!(inserted, Ok(()), "{shape:?}");
            if inserted.is_err() {
                index.always.extend(&routes[shape]);
            }
        }
        index.always.sort_unstable();
        index
    }

    fn insert(&mut self, shape: &Shape, list: usize) -> Result<(), matchit::InsertError> {
        let text = text(&shape.segments);
        if !shape.open {
            return self.whole.insert(text, list);
        }
        self.open.insert(format!("{text}/{{*rest}}"), list)?;
        self.open.insert(format!("{text}/"), list)
    }

    /// The routes that may match, in order. `path` begins with one slash that is not part of it.
    pub(super) fn candidates(&self, path: &str) -> impl Iterator<Item = usize> {
        let found = |router: &matchit::Router<usize>| {
            router.at(path).map_or(&[][..], |found| self.candidates[*found.value].as_slice())
        };
        let mut lists = [found(&self.whole), found(&self.open), &self.always];
        std::iter::from_fn(move || {
            let next = lists.iter_mut().filter(|list| !list.is_empty()).min_by_key(|list| list[0])?;
            let (first, rest) = next.split_first()?;
            *next = rest;
            usize::try_from(*first).ok()
        })
    }
}

/// Whether a path for which the index finds `found` may have the shape `other`.
fn may_match_where(other: &Shape, found: &Shape) -> bool {
    if other.open != found.open {
        return false;
    }
    if found.open {
        // The longest beginning is found; the shorter ones fit as well.
        return found.segments.starts_with(&other.segments);
    }
    if other.segments.len() != found.segments.len() {
        return false;
    }
    // matchit prefers text to parameters from the left, and goes back when that fails: had a shape matched that is
    // preferred to the found one, it would have been found itself.
    let mut preferred_is_settled = false;
    for (other, found) in other.segments.iter().zip(&found.segments) {
        match (other, found) {
            (Segment::Literal(a), Segment::Literal(b)) if a == b => {}
            (Segment::Any, Segment::Any) => {}
            (Segment::Any, Segment::Literal(text)) if !text.is_empty() => preferred_is_settled = true,
            (Segment::Literal(text), Segment::Any) if !text.is_empty() && preferred_is_settled => {}
            _ => return false,
        }
    }
    true
}

/// A shape's segments in matchit's syntax.
fn text(segments: &[Segment]) -> String {
    let mut text = String::new();
    for (number, segment) in segments.iter().enumerate() {
        text.push('/');
        match segment {
            Segment::Literal(literal) => text.push_str(&literal.replace('{', "{{").replace('}', "}}")),
            Segment::Any => write!(text, "{{p{number}}}").unwrap_or_default(),
        }
    }
    text
}
