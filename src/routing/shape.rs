//! The shape of a pattern: a coarse form that every path it takes has, for the index.

use regex_syntax::hir::literal::Extractor;
use regex_syntax::hir::{Hir, Look};

use super::path_pattern::Token;
use super::pattern::{Kind, Pattern};

/// One segment of a shape.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Segment {
    Literal(String),
    /// Any text that is not empty.
    Any,
}

/// What every path of a pattern looks like: segments, and whether anything may follow them.
///
/// It is never narrower than the pattern, often wider: the index narrows the choice, the pattern decides.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Shape {
    pub(super) segments: Vec<Segment>,
    pub(super) open: bool,
}

impl Shape {
    /// The shape of patterns that stand one behind the other.
    pub(super) fn of<'a>(parts: impl IntoIterator<Item = &'a Pattern>) -> Self {
        let mut builder = Builder::default();
        for part in parts {
            match &part.kind {
                Kind::Path(pattern) => {
                    builder.tokens(pattern.tokens());
                    builder.ends_here = pattern.is_endpoint();
                }
                Kind::Regex(pattern) => builder.regex(pattern.hir()),
            }
            if builder.open {
                break;
            }
        }
        builder.finish()
    }
}

#[derive(Default)]
struct Builder {
    segments: Vec<Segment>,
    literal: String,
    any: bool,
    open: bool,
    ends_here: bool,
}

impl Builder {
    fn tokens(&mut self, tokens: &[Token]) {
        for token in tokens {
            match token {
                Token::Literal(text) => self.text(text),
                Token::Param { converter, .. } if converter.kind().stays_in_segment() => self.any = true,
                Token::Param { .. } => {
                    self.open = true;
                    return;
                }
            }
        }
    }

    fn text(&mut self, text: &str) {
        let mut pieces = text.split('/');
        self.literal.push_str(pieces.next().unwrap_or_default());
        for piece in pieces {
            self.end_segment();
            self.literal.push_str(piece);
        }
    }

    fn end_segment(&mut self) {
        let literal = std::mem::take(&mut self.literal);
        let any = std::mem::take(&mut self.any);
        self.segments.push(if any { Segment::Any } else { Segment::Literal(literal) });
    }

    /// Only what a regex begins with is used; whatever follows may have any form.
    fn regex(&mut self, hir: &Hir) {
        if hir.properties().look_set_prefix().contains(Look::Start) {
            let literals = Extractor::new().extract(hir);
            let prefix = literals.longest_common_prefix().unwrap_or_default();
            let whole = match std::str::from_utf8(prefix) {
                Ok(text) => text,
                Err(error) => std::str::from_utf8(&prefix[..error.valid_up_to()]).unwrap_or_default(),
            };
            self.text(whole);
        }
        self.open = true;
    }

    /// An open shape keeps whole literal segments only, since the index holds no parameter before an open end.
    fn finish(mut self) -> Shape {
        let open = self.open || !self.ends_here;
        if open {
            let literal = self.segments.iter().take_while(|segment| **segment != Segment::Any).count();
            self.segments.truncate(literal);
        } else {
            self.end_segment();
        }
        Shape { segments: self.segments, open }
    }
}
