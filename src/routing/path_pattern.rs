//! `path()` patterns: literal text with `<converter:name>` parameters.

use std::sync::Arc;

use regex::Regex;

use super::converter::{Converter, Converters};
use super::error::PatternError;
use super::pattern::Captured;

/// A piece of a `path()` pattern.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Literal(String),
    Param { name: Arc<str>, converter: Converter },
}

/// A `path()` pattern: anchored at both ends, or at its start only when inner routes take the rest.
#[derive(Debug, Clone)]
pub(super) struct PathPattern {
    tokens: Vec<Token>,
    endpoint: bool,
    matcher: Matcher,
}

#[derive(Debug, Clone)]
enum Matcher {
    Text(String),
    /// A regex and the group of each parameter, in order.
    Regex(Regex, Vec<usize>),
}

impl PathPattern {
    pub(super) fn new(text: &str, converters: &Converters, endpoint: bool) -> Result<Self, PatternError> {
        let tokens = parse(text, converters)?;
        let matcher = match tokens.as_slice() {
            [] => Matcher::Text(String::new()),
            [Token::Literal(literal)] => Matcher::Text(literal.clone()),
            tokens => compile(text, tokens, endpoint)?,
        };
        Ok(Self { tokens, endpoint, matcher })
    }

    pub(super) fn tokens(&self) -> &[Token] {
        &self.tokens
    }

    pub(super) fn is_endpoint(&self) -> bool {
        self.endpoint
    }

    pub(super) fn matches<'p>(&self, path: &'p str) -> Option<Captured<'p>> {
        let (regex, groups) = match &self.matcher {
            Matcher::Text(text) => {
                let rest = path.strip_prefix(text.as_str())?;
                return (rest.is_empty() || !self.endpoint).then(|| Captured { rest, ..Captured::default() });
            }
            Matcher::Regex(regex, groups) => (regex, groups),
        };
        let found = regex.captures(path)?;
        let mut kwargs = Vec::with_capacity(groups.len());
        for ((name, converter), &group) in self.params().zip(groups) {
            kwargs.push((Arc::clone(name), converter.canonical(found.get(group)?.as_str())?));
        }
        Some(Captured { rest: &path[found.get_match().end()..], args: Vec::new(), kwargs })
    }

    fn params(&self) -> impl Iterator<Item = (&Arc<str>, &Converter)> {
        self.tokens.iter().filter_map(|token| match token {
            Token::Param { name, converter } => Some((name, converter)),
            Token::Literal(_) => None,
        })
    }
}

fn compile(text: &str, tokens: &[Token], endpoint: bool) -> Result<Matcher, PatternError> {
    let mut source = String::from(r"\A");
    let mut names = Vec::new();
    for token in tokens {
        match token {
            Token::Literal(literal) => source.push_str(&regex::escape(literal)),
            Token::Param { name, converter } => {
                names.push(&**name);
                source.push_str(&format!("(?P<{name}>{})", converter.regex()));
            }
        }
    }
    if endpoint {
        source.push_str(r"\z");
    }
    let regex = Regex::new(&source)
        .map_err(|error| PatternError::at(text, 0, format!("a converter's regex is not usable: {error}")))?;
    // A converter's own groups shift the numbers, so they are looked up by name.
    let groups = names.iter().filter_map(|name| regex.capture_names().position(|found| found == Some(name)));
    let groups = groups.collect();
    Ok(Matcher::Regex(regex, groups))
}

fn parse(text: &str, converters: &Converters) -> Result<Vec<Token>, PatternError> {
    refuse_regex_syntax(text)?;
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(open) = text[at..].find('<').map(|found| at + found) {
        let close = text[open..]
            .find('>')
            .map(|found| open + found)
            .ok_or_else(|| PatternError::at(text, open, "this `<` has no `>`"))?;
        push_literal(&mut tokens, &text[at..open]);
        let param = parse_param(text, open + 1, close, converters)?;
        refuse_second(text, open, &tokens, &param)?;
        tokens.push(param);
        at = close + 1;
    }
    push_literal(&mut tokens, &text[at..]);
    Ok(tokens)
}

fn push_literal(tokens: &mut Vec<Token>, literal: &str) {
    if !literal.is_empty() {
        tokens.push(Token::Literal(literal.to_owned()));
    }
}

/// Regex syntax in `path()` is a mistake in all likelihood: it would be taken literally and match nothing.
fn refuse_regex_syntax(text: &str) -> Result<(), PatternError> {
    let found = [text.find("(?P<"), text.starts_with('^').then_some(0), text.strip_suffix('$').map(str::len)];
    if let Some(byte) = found.into_iter().flatten().next() {
        return Err(PatternError::at(
            text,
            byte,
            "this is regex syntax, which path() takes literally; use re_path()",
        ));
    }
    if text.starts_with('/') {
        return Err(PatternError::at(text, 0, LEADING_SLASH));
    }
    Ok(())
}

pub(super) const LEADING_SLASH: &str =
    "leading slashes are stripped before matching, so this can never match; leave the slash out";

fn parse_param(text: &str, start: usize, end: usize, known: &Converters) -> Result<Token, PatternError> {
    let inner = &text[start..end];
    let (converter, name, name_at) = match inner.split_once(':') {
        Some((converter, name)) => (converter, name, start + converter.len() + 1),
        None => ("str", inner, start),
    };
    let converter = known.get(converter).ok_or_else(|| {
        let problem = format!("unknown converter {converter:?}; known are {}", known.names());
        PatternError::at(text, start, problem)
    })?;
    let mut chars = name.chars();
    let starts_well = chars.next().is_some_and(|first| first.is_alphabetic() || first == '_');
    if !starts_well || !chars.all(|next| next.is_alphanumeric() || next == '_') {
        let problem =
            format!("{name:?} is not a parameter name: letters, digits and `_` only, no digit first");
        return Err(PatternError::at(text, name_at, problem));
    }
    Ok(Token::Param { name: name.into(), converter: converter.clone() })
}

fn refuse_second(text: &str, at: usize, tokens: &[Token], param: &Token) -> Result<(), PatternError> {
    let Token::Param { name: new, .. } = param else { return Ok(()) };
    let again = tokens.iter().any(|token| matches!(token, Token::Param { name, .. } if name == new));
    if again {
        return Err(PatternError::at(
            text,
            at,
            format!("the parameter {new:?} stands twice in this pattern"),
        ));
    }
    Ok(())
}
