//! A line of the file as an error may show it: with a caret, and without secrets.

use super::columns::columns;
use super::document::{Document, Entry, Node, Span, Value};
use super::problem::Problem;

/// What stands in the place of a secret.
pub(crate) const HIDDEN: &str = "…";

/// The longest part of a line that is shown, in characters.
const WIDTH: usize = 120;

/// Names whose values are secret, wherever they stand.
const SECRET_NAMES: [&str; 5] =
    ["secret_key", "secret_key_fallbacks", "symmetric_encryption_keys", "password", "verifying_key"];

/// A line of the file, and where the caret stands under it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Excerpt {
    pub(super) text: String,
    /// In the file's line, in characters from 1.
    pub(super) column: usize,
    /// In `text`, in characters from 0.
    at: usize,
    length: usize,
}

impl Excerpt {
    pub(super) fn of(document: &Document, problem: &Problem) -> Self {
        let text = document.text.as_str();
        let start = floor(text, problem.span.start);
        let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let line_end = text[start..].find('\n').map_or(text.len(), |newline| start + newline);
        let line = line_start..line_end;
        let mut hidden = secrets(&document.root);
        hidden.extend(problem.hidden.iter().cloned());
        if problem.is_syntax() && is_suspect(text, &line) {
            hidden.push(value_of(text, &line));
        }
        hidden.extend(passwords(text, &line));
        let end = floor(text, problem.span.end).clamp(start, line_end);
        let mut masked = Masked::default();
        for (at, character) in text[line.clone()].char_indices() {
            masked.push(line.start + at, character, &hidden, start..end);
        }
        let column = text[line_start..start].chars().count() + 1;
        masked.finish(column)
    }

    /// A line of another file; `column` is in characters from 1.
    pub(super) fn plain(line: &str, column: usize) -> Self {
        let mut masked = Masked::default();
        let marked = line.char_indices().nth(column.saturating_sub(1)).map_or(line.len(), |(byte, _)| byte);
        for (at, character) in line.char_indices() {
            masked.push(at, character, &[], marked..marked + 1);
        }
        masked.finish(column)
    }

    pub(super) fn caret(&self) -> String {
        let before = columns(self.text.chars().take(self.at));
        let marked = columns(self.text.chars().skip(self.at).take(self.length));
        // Behind the end of the line there is nothing to be as wide as.
        format!("{}{}", " ".repeat(before), "^".repeat(marked.max(self.length).max(1)))
    }
}

/// A line in the making.
#[derive(Default)]
struct Masked {
    text: String,
    characters: usize,
    caret: Option<usize>,
    length: usize,
    in_secret: bool,
}

impl Masked {
    fn push(&mut self, at: usize, character: char, hidden: &[Span], marked: Span) {
        let secret = hidden.iter().any(|span| span.contains(&at));
        let shown = match (secret, self.in_secret) {
            (true, true) => None,
            (true, false) => HIDDEN.chars().next(),
            // A tab has no fixed width, and the caret must stand right.
            (false, _) if character.is_control() => (character != '\r').then_some(' '),
            (false, _) => Some(character),
        };
        self.in_secret = secret;
        if at >= marked.start && self.caret.is_none() {
            // Inside of a secret the caret stands under its sign.
            self.caret = Some(self.characters.saturating_sub(usize::from(shown.is_none())));
        }
        if let Some(shown) = shown {
            self.text.push(shown);
            self.characters += 1;
            self.length += usize::from(marked.contains(&at));
        }
    }

    fn finish(self, column: usize) -> Excerpt {
        let at = self.caret.unwrap_or(self.characters);
        let (text, length) = (self.text, self.length.max(1));
        if self.characters <= WIDTH {
            return Excerpt { text, column, at, length };
        }
        let from = at.saturating_sub(WIDTH / 2);
        let mut part: String = text.chars().skip(from).take(WIDTH).collect();
        let shift = if from > 0 { HIDDEN.chars().count() } else { 0 };
        if from > 0 {
            part.insert_str(0, HIDDEN);
        }
        if from + WIDTH < self.characters {
            part.push_str(HIDDEN);
        }
        let at = at - from + shift;
        let length = length.min(part.chars().count().saturating_sub(at)).max(1);
        Excerpt { text: part.trim_end().to_owned(), column, at, length }
    }
}

/// Whether a key's value is nobody's business.
pub(super) fn is_secret_name(name: &str) -> bool {
    // The page on which it is changed.
    if name == "password_change" {
        return false;
    }
    let near = |known: &&str| crate::routing::distance(name, known) <= 2;
    SECRET_NAMES.iter().any(near) || ["secret", "passw", "token"].iter().any(|part| name.contains(part))
}

/// The values of all secret keys.
fn secrets(node: &Node) -> Vec<Span> {
    let inside = |entry: &Entry| {
        if is_secret_name(&entry.key) { vec![entry.node.span.clone()] } else { secrets(&entry.node) }
    };
    match &node.value {
        Value::Table(entries) => entries.iter().flat_map(inside).collect(),
        Value::Array(items) => items.iter().flat_map(secrets).collect(),
        _ => Vec::new(),
    }
}

/// Whether a line that is not TOML may hold a secret, or go on with one.
fn is_suspect(text: &str, line: &Span) -> bool {
    let lines = text[..line.end].rsplit('\n').take(20);
    let key = lines.filter_map(|line| line.split_once('=')).map(|(key, _)| key).next();
    key.is_some_and(|key| is_secret_name(key.rsplit('.').next().unwrap_or(key).trim().trim_matches('"')))
}

/// What stands behind the line's `=`; the whole line when there is none.
fn value_of(text: &str, line: &Span) -> Span {
    let key = text[line.clone()].find('=').map_or(0, |at| at + 1);
    let value = text[line.start + key..line.end].trim_start();
    line.end - value.len()..line.end
}

/// The user's part of URLs: `redis://:password@host`.
fn passwords(text: &str, line: &Span) -> Vec<Span> {
    let mut found = Vec::new();
    let mut at = line.start;
    while let Some(scheme) = text[at..line.end].find("://") {
        let start = at + scheme + 3;
        let authority = text[start..line.end].find(['/', '"', '\'', ' ', '?', '#']);
        let end = authority.map_or(line.end, |end| start + end);
        if let Some(sign) = text[start..end].rfind('@') {
            found.push(start..start + sign);
        }
        at = end;
    }
    found
}

fn floor(text: &str, byte: usize) -> usize {
    text.floor_char_boundary(byte.min(text.len()))
}
