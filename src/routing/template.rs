//! A pattern read backwards: text with slots for arguments.

use std::sync::Arc;

use regex::Regex;
use regex_syntax::ast::{self, Ast, GroupKind};

use super::converter::Converter;
use super::path_pattern::{PathPattern, Token};
use super::pattern::{Kind, Pattern};

/// A piece of a path to be made.
#[derive(Debug, Clone)]
pub(super) enum Piece {
    Text(String),
    Slot(Slot),
}

/// Where an argument goes, and what it must look like.
#[derive(Debug, Clone)]
pub(super) struct Slot {
    pub(super) name: Arc<str>,
    /// What the argument is called in an error: a converter's name or a regex.
    pub(super) expected: String,
    regex: Regex,
    converter: Option<Converter>,
}

impl Slot {
    fn new(
        name: Arc<str>,
        expected: &str,
        source: &str,
        converter: Option<Converter>,
    ) -> Result<Self, String> {
        let regex = Regex::new(&format!(r"\A(?:{source})\z")).map_err(|error| error.to_string())?;
        Ok(Self { name, expected: expected.to_owned(), regex, converter })
    }

    /// Whether a value could have been captured here.
    pub(super) fn accepts(&self, value: &str) -> bool {
        let converts = |converter: &Converter| converter.canonical(value).is_some();
        self.regex.is_match(value) && self.converter.as_ref().is_none_or(converts)
    }
}

/// The pieces of patterns that stand one behind the other.
///
/// # Errors
/// Why one of them cannot be reversed.
pub(super) fn template(parts: &[Arc<Pattern>]) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    for part in parts {
        match &part.kind {
            Kind::Path(pattern) => push_path(&mut pieces, pattern)?,
            Kind::Regex(_) => push_regex(&mut pieces, &part.text)?,
        }
    }
    Ok(pieces)
}

fn push_path(pieces: &mut Vec<Piece>, pattern: &PathPattern) -> Result<(), String> {
    for token in pattern.tokens() {
        pieces.push(match token {
            Token::Literal(text) => Piece::Text(text.clone()),
            Token::Param { name, converter } => Piece::Slot(Slot::new(
                Arc::clone(name),
                converter.name(),
                converter.regex(),
                Some(converter.clone()),
            )?),
        });
    }
    Ok(())
}

fn push_regex(pieces: &mut Vec<Piece>, source: &str) -> Result<(), String> {
    let tree = ast::parse::Parser::new().parse(source).map_err(|error| error.to_string())?;
    let reader = Reader { source, named: source.contains("(?P<") || source.contains("(?<") };
    reader.push(pieces, &tree)
}

struct Reader<'a> {
    source: &'a str,
    /// Unnamed groups beside named ones capture nothing, so that nothing can be put there.
    named: bool,
}

impl Reader<'_> {
    fn push(&self, pieces: &mut Vec<Piece>, tree: &Ast) -> Result<(), String> {
        match tree {
            Ast::Empty(_) | Ast::Assertion(_) => Ok(()),
            Ast::Literal(literal) => {
                pieces.push(Piece::Text(literal.c.to_string()));
                Ok(())
            }
            Ast::Concat(concat) => concat.asts.iter().try_for_each(|inner| self.push(pieces, inner)),
            Ast::Group(group) => self.push_group(pieces, group),
            other => Err(format!(
                "`{}` can stand for several texts, so there is no way back; put it into a named group",
                self.text(other.span())
            )),
        }
    }

    fn push_group(&self, pieces: &mut Vec<Piece>, group: &ast::Group) -> Result<(), String> {
        let name = match &group.kind {
            GroupKind::NonCapturing(flags) if flags.items.is_empty() => return self.push(pieces, &group.ast),
            GroupKind::NonCapturing(_) => {
                return Err("groups with flags cannot be reversed".to_owned());
            }
            GroupKind::CaptureName { name, .. } => Arc::from(name.name.as_str()),
            GroupKind::CaptureIndex(_) if self.named => {
                return Err("an unnamed group beside named ones captures nothing; give it a name".to_owned());
            }
            GroupKind::CaptureIndex(number) => (number - 1).to_string().into(),
        };
        let inner = self.text(group.ast.span());
        pieces.push(Piece::Slot(Slot::new(name, inner, inner, None)?));
        Ok(())
    }

    fn text(&self, span: &ast::Span) -> &str {
        self.source.get(span.start.offset..span.end.offset).unwrap_or_default()
    }
}
