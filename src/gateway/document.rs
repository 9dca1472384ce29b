//! A config file as a tree in which every key and value knows its place.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::{fs, io};

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::expand::{Expanded, Variables, expand};
use super::problem::Problem;

/// A place in the file, in bytes.
pub(crate) type Span = Range<usize>;

/// The deepest nesting that is looked at; nothing in the schema is as deep.
const MAX_DEPTH: usize = 16;

/// A config file: its text, and the tree that could be made of it.
#[derive(Debug)]
pub(crate) struct Document {
    /// The file, as it was named.
    pub(crate) path: PathBuf,
    pub(crate) text: String,
    pub(crate) root: Node,
    /// What stands in the way of reading it as TOML.
    pub(crate) problems: Vec<Problem>,
}

/// A value with its place.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) span: Span,
    pub(crate) value: Value,
}

/// What can stand behind a key.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Text(Expanded),
    /// `None` when it does not fit.
    Integer(Option<i64>),
    Float(f64),
    Bool(bool),
    Time,
    Array(Vec<Node>),
    Table(Vec<Entry>),
    /// What could not be read, which has been reported.
    Broken,
}

/// A key with its value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) key_span: Span,
    pub(crate) node: Node,
}

impl Document {
    /// Reads a file.
    ///
    /// # Errors
    /// The system's, when the file cannot be read; what is wrong inside of it is in `problems`.
    pub(crate) fn read(path: &Path, variables: Variables<'_>) -> io::Result<Self> {
        Ok(Self::parse(path, fs::read_to_string(path)?, variables))
    }

    /// Makes a tree of a text, going on after errors.
    pub(crate) fn parse(path: &Path, text: String, variables: Variables<'_>) -> Self {
        let (table, errors) = DeTable::parse_recoverable(&text);
        let mut problems: Vec<Problem> = errors
            .iter()
            .map(|error| syntax_problem(error.message(), error.span().unwrap_or_default()))
            .collect();
        keep_first_of_line(&text, &mut problems);
        let mut tree = Tree { variables, problems: Vec::new() };
        let value = tree.table(table.get_ref(), MAX_DEPTH);
        problems.append(&mut tree.problems);
        let root = Node { span: 0..0, value };
        Self { path: path.to_owned(), text, root, problems }
    }

    /// The folder that relative paths start from.
    pub(crate) fn folder(&self) -> &Path {
        match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        }
    }

    /// A path of the file, as the program can use it.
    pub(crate) fn resolve(&self, path: &str) -> PathBuf {
        self.folder().join(path)
    }

    /// Whether a table has a key, right or wrong: what is missing in the settings may have been reported.
    pub(crate) fn has(&self, table: &Span, key: &str) -> bool {
        let table = if table.is_empty() { Some(&self.root) } else { self.root.table_at(table) };
        table.and_then(Node::entries).unwrap_or_default().iter().any(|entry| entry.key == key)
    }

    /// Where the value of a table's key stands; without the key, where the table does.
    pub(crate) fn place_of(&self, table: &Span, key: &str) -> Span {
        let entry = self.root.table_at(table).and_then(|table| table.entry(key));
        entry.map_or_else(|| table.clone(), |entry| entry.node.span.clone())
    }

    /// Whether a table at the top has a key.
    pub(crate) fn has_in(&self, name: &str, key: &str) -> bool {
        let table = self.root.entries().unwrap_or_default().iter().find(|entry| entry.key == name);
        let entries = table.and_then(|table| table.node.entries()).unwrap_or_default();
        entries.iter().any(|entry| entry.key == key)
    }

    /// Where a part of a value stands, when the file has the value letter by letter; else where the value stands.
    pub(crate) fn place_in(&self, span: &Span, value: &str, at: usize, length: usize) -> Span {
        let found = self.text.get(span.clone()).and_then(|text| text.find(value));
        found.map_or_else(
            || span.clone(),
            |found| {
                let start = span.start + found + at;
                start..start + length
            },
        )
    }

    /// The line of a byte, from 1.
    pub(crate) fn line(&self, byte: usize) -> usize {
        line_of(&self.text, byte)
    }
}

impl Node {
    /// A table without keys.
    pub(crate) fn empty_table() -> Self {
        Self { span: 0..0, value: Value::Table(Vec::new()) }
    }

    /// What kind of value this is, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match &self.value {
            Value::Text(_) => "a text",
            Value::Integer(_) => "a whole number",
            Value::Float(_) => "a number with a fraction",
            Value::Bool(_) => "a boolean",
            Value::Time => "a date or time",
            Value::Array(_) => "a list",
            Value::Table(_) => "a table",
            Value::Broken => "something unreadable",
        }
    }

    /// The whole number that stands here, or that a variable stands for.
    pub(crate) fn number(&self) -> Option<i64> {
        match &self.value {
            Value::Integer(number) => *number,
            Value::Text(text) if text.put_in => text.text.parse().ok(),
            _ => None,
        }
    }

    /// A key of a table.
    pub(crate) fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().unwrap_or_default().iter().find(|entry| entry.key == key)
    }

    /// What it says, wherever it stands.
    pub(crate) fn without_places(&self) -> Self {
        let value = match &self.value {
            Value::Array(items) => Value::Array(items.iter().map(Self::without_places).collect()),
            Value::Table(entries) => {
                let entries = entries.iter().map(|entry| Entry {
                    key: entry.key.clone(),
                    key_span: 0..0,
                    node: entry.node.without_places(),
                });
                let mut entries: Vec<Entry> = entries.collect();
                entries.sort_by(|one, other| one.key.cmp(&other.key));
                Value::Table(entries)
            }
            other => other.clone(),
        };
        Self { span: 0..0, value }
    }

    /// The table without one of its keys.
    pub(crate) fn without(mut self, key: &str) -> Self {
        if let Value::Table(entries) = &mut self.value {
            entries.retain(|entry| entry.key != key);
        }
        self
    }

    /// The table that begins at a place.
    fn table_at(&self, span: &Span) -> Option<&Self> {
        match &self.value {
            Value::Table(_) if self.span == *span => Some(self),
            Value::Table(entries) => entries.iter().find_map(|entry| entry.node.table_at(span)),
            Value::Array(items) => items.iter().find_map(|item| item.table_at(span)),
            _ => None,
        }
    }

    /// Where the values stand that are no tables and no lists.
    pub(crate) fn leaves(&self) -> Vec<Span> {
        match &self.value {
            Value::Table(entries) => entries.iter().flat_map(|entry| entry.node.leaves()).collect(),
            Value::Array(items) => items.iter().flat_map(Self::leaves).collect(),
            _ => vec![self.span.clone()],
        }
    }

    /// The table's entries; `None` when this is no table.
    pub(crate) fn entries(&self) -> Option<&[Entry]> {
        match &self.value {
            Value::Table(entries) => Some(entries),
            _ => None,
        }
    }
}

/// Makes nodes of the parser's values.
struct Tree<'v> {
    variables: Variables<'v>,
    problems: Vec<Problem>,
}

impl Tree<'_> {
    fn table(&mut self, table: &DeTable<'_>, depth: usize) -> Value {
        let mut entries: Vec<Entry> = table
            .iter()
            .map(|(key, value)| Entry {
                key: key.get_ref().to_string(),
                key_span: key.span(),
                node: self.node(value, depth),
            })
            .collect();
        // The parser sorts by name; people think in the file's order.
        entries.sort_by_key(|entry| entry.key_span.start);
        Value::Table(entries)
    }

    fn array(&mut self, array: &DeArray<'_>, depth: usize) -> Value {
        Value::Array(array.iter().map(|item| self.node(item, depth)).collect())
    }

    fn node(&mut self, value: &Spanned<DeValue<'_>>, depth: usize) -> Node {
        let span = value.span();
        let Some(depth) = depth.checked_sub(1) else {
            self.problems.push(Problem::new(span.clone(), "this is nested too deeply"));
            return Node { span, value: Value::Broken };
        };
        let value = match value.get_ref() {
            DeValue::String(text) => self.text(text, &span),
            DeValue::Integer(number) => {
                Value::Integer(i64::from_str_radix(number.as_str(), number.radix()).ok())
            }
            DeValue::Float(number) => Value::Float(number.as_str().parse().unwrap_or(f64::NAN)),
            DeValue::Boolean(flag) => Value::Bool(*flag),
            DeValue::Datetime(_) => Value::Time,
            DeValue::Array(array) => self.array(array, depth),
            DeValue::Table(table) => self.table(table, depth),
        };
        Node { span, value }
    }

    fn text(&mut self, text: &str, span: &Span) -> Value {
        match expand(text, self.variables) {
            Ok(expanded) => Value::Text(expanded),
            Err(mistake) => {
                self.problems
                    .push(Problem::new(span.clone(), mistake.to_string()).expecting(mistake.expected()));
                Value::Broken
            }
        }
    }
}

/// The line of a byte, from 1.
pub(crate) fn line_of(text: &str, byte: usize) -> usize {
    text.as_bytes()[..byte.min(text.len())].iter().filter(|byte| **byte == b'\n').count() + 1
}

/// The parser says what it found and, behind a comma, what it expected.
fn syntax_problem(message: &str, span: Span) -> Problem {
    match message.split_once(", expected ") {
        Some((found, expected)) => Problem::new(span, found).expecting(expected).about_syntax(),
        None => Problem::new(span, message).about_syntax(),
    }
}

/// What the parser says of the lines behind a list that is not closed.
const UNCLOSED: &str = "missing comma between array elements";

/// One mistake makes the parser stumble several times over the same line.
fn keep_first_of_line(text: &str, problems: &mut Vec<Problem>) {
    problems.sort_by_key(|problem| problem.span.start);
    problems.dedup_by_key(|problem| line_of(text, problem.span.start));
    // A list that is not closed has the parser stumble in the same way over every line behind it.
    problems.dedup_by(|next, first| {
        let between = text.get(first.span.end..next.span.start).unwrap_or_default();
        let is_empty = |line: &str| line.trim().is_empty() || line.trim_start().starts_with('#');
        let same = next.says(UNCLOSED) && first.says(UNCLOSED) && between.lines().skip(1).all(is_empty);
        if same {
            first.span.end = next.span.end.max(first.span.end);
        }
        same
    });
}
