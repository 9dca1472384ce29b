//! Walks the file's tree against the schema, remembers what is wrong, and where each value came from.

use std::path::PathBuf;

use super::document::{Document, Entry, Node, Value};
use super::problem::Problem;
use super::setting::{Inside, Key, Setting};
pub(crate) use crate::routing::nearest;

/// Reads settings from a document.
pub(crate) struct Reader<'d> {
    document: &'d Document,
    problems: Vec<Problem>,
    effective: Vec<Effective>,
    heading: String,
    prefix: String,
    item: usize,
    key: &'static str,
    /// A word that would do as well as what is being read.
    pub(super) or_word: Option<&'static str>,
    /// The secrets' files that the value being read comes from.
    files: Vec<String>,
}

/// A value in force, and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Effective {
    /// The table it stands in: `[server]`, empty at the top.
    pub(crate) heading: String,
    /// Which of the tables of this heading, where there may be several.
    pub(crate) item: usize,
    pub(crate) key: String,
    /// As it would stand in the file, secrets hidden.
    pub(crate) value: String,
    pub(crate) source: Source,
}

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    Default,
    /// The file, at this line, by way of these variables and files.
    File {
        line: usize,
        variables: Vec<String>,
        files: Vec<String>,
    },
}

impl<'d> Reader<'d> {
    pub(crate) fn new(document: &'d Document) -> Self {
        Self {
            document,
            problems: Vec::new(),
            effective: Vec::new(),
            heading: String::new(),
            prefix: String::new(),
            item: 0,
            key: "",
            or_word: None,
            files: Vec::new(),
        }
    }

    /// What is wrong, and what is in force.
    pub(crate) fn finish(self) -> (Vec<Problem>, Vec<Effective>) {
        (self.problems, self.effective)
    }

    /// Remembers a problem. Gives `None`, so that it can end a reading.
    pub(crate) fn report<T>(&mut self, problem: Problem) -> Option<T> {
        self.problems.push(problem);
        None
    }

    /// Reports that a value is not what was expected.
    pub(crate) fn wrong<T>(&mut self, node: &Node, expected: &str) -> Option<T> {
        if matches!(node.value, Value::Broken) {
            return None;
        }
        let expected = match self.or_word {
            Some(word) => format!("{expected}, or {word:?}"),
            None => expected.to_owned(),
        };
        let problem = Problem::new(node.span.clone(), self.found(node)).expecting(expected);
        self.report(problem)
    }

    /// What stands behind the key that is being read.
    fn found(&self, node: &Node) -> String {
        let found = match &node.value {
            // What stands in the place of a secret may be one.
            _ if super::mask::is_secret_name(self.key) => node.kind().to_owned(),
            Value::Text(text) if text.variables.is_empty() => format!("{:?}", text.text),
            // A variable's value may be a secret that stands in the wrong place.
            Value::Text(text) => format!("something else in ${}", text.variables.join(" and $")),
            Value::Integer(None) => "a number that is too large".to_owned(),
            Value::Integer(Some(number)) => number.to_string(),
            Value::Bool(flag) => flag.to_string(),
            _ => node.kind().to_owned(),
        };
        format!("{}{}: found {found}", self.prefix, self.key)
    }

    /// Reports a word that is not among the valid ones.
    pub(crate) fn unknown_word<T>(&mut self, node: &Node, known: &[&str], word: &str) -> Option<T> {
        let quoted: Vec<String> = known.iter().map(|word| format!("{word:?}")).collect();
        let expected = one_of(&quoted.iter().map(String::as_str).collect::<Vec<_>>());
        let problem = Problem::new(node.span.clone(), self.found(node)).expecting(expected);
        self.report(problem.nearest(nearest(word, known)))
    }

    /// The text of a node.
    pub(crate) fn text(&mut self, node: &Node, expected: &str) -> Option<String> {
        match &node.value {
            Value::Text(text) => Some(text.text.clone()),
            _ => self.wrong(node, expected),
        }
    }

    /// A path of the file, as the program can use it.
    pub(crate) fn resolve(&self, path: &str) -> PathBuf {
        self.document.resolve(path)
    }

    /// The value being read comes from a file of its own.
    pub(crate) fn note_file(&mut self, path: &str) {
        self.files.push(path.to_owned());
    }

    /// Reads one key of a table. Without it, and after a problem, there is the default, so that one reading finds as
    /// many problems as possible; `None` only for what must be there.
    pub(crate) fn take<T: Setting>(
        &mut self,
        table: &Node,
        name: &'static str,
        default: Option<T>,
    ) -> Option<T> {
        let entry = table.entries().unwrap_or_default().iter().find(|entry| entry.key == name);
        let outer = self.enter::<T>(name);
        self.key = name;
        let is_table = !matches!(T::inside(), Inside::Value);
        let value = match entry {
            Some(entry) => self.read_entry::<T>(entry, name, is_table).or(default),
            None => {
                let value = default.or_else(|| T::absent(self));
                match &value {
                    Some(value) if !is_table => self.note(name, value.show(), Source::Default),
                    Some(_) => {}
                    None => self.missing::<T>(table, name),
                }
                value
            }
        };
        self.leave(outer);
        value
    }

    fn read_entry<T: Setting>(&mut self, entry: &Entry, name: &str, is_table: bool) -> Option<T> {
        self.files.clear();
        let value = T::read(&entry.node, self);
        self.key = "";
        if let (Some(value), false) = (&value, is_table) {
            let mut variables = Vec::new();
            collect_variables(&entry.node, &mut variables);
            let line = self.document.line(entry.key_span.start);
            let source = Source::File { line, variables, files: std::mem::take(&mut self.files) };
            self.note(name, value.show(), source);
        }
        value
    }

    fn note(&mut self, key: &str, value: Option<String>, source: Source) {
        let Some(value) = value else { return };
        let key = format!("{}{key}", self.prefix);
        self.effective.push(Effective { heading: self.heading.clone(), item: self.item, key, value, source });
    }

    fn missing<T: Setting>(&mut self, table: &Node, name: &str) {
        let place = if self.heading.is_empty() { String::new() } else { format!(" in {}", self.heading) };
        let problem = Problem::new(table.span.clone(), format!("{}{name} is missing{place}", self.prefix));
        self.problems.push(problem.expecting(format!("{name} = {}", T::expected())));
    }

    /// Reports the keys that the table should not have.
    pub(crate) fn refuse_unknown(&mut self, table: &Node, keys: &[Key]) {
        let known: Vec<&str> = keys.iter().map(|key| key.name).collect();
        for entry in table.entries().unwrap_or_default() {
            if known.contains(&entry.key.as_str()) {
                continue;
            }
            let place = match (self.heading.as_str(), self.prefix.trim_end_matches('.')) {
                ("", "") => String::new(),
                (heading, "") => format!(" in {heading}"),
                ("", prefix) => format!(" in {prefix}"),
                (heading, prefix) => format!(" in {prefix} of {heading}"),
            };
            let problem = Problem::new(entry.key_span.clone(), format!("unknown key {:?}{place}", entry.key))
                .expecting(one_of(&known))
                .nearest(nearest(&entry.key, &known))
                .hiding(&entry.node);
            self.problems.push(problem);
        }
    }

    /// An item of a list.
    pub(crate) fn item<T: Setting>(&mut self, node: &Node) -> Option<T> {
        self.item += usize::from(matches!(T::inside(), Inside::Section(_)));
        T::read(node, self)
    }

    /// A value under a name of the user's own.
    pub(crate) fn named<T: Setting>(&mut self, entry: &Entry) -> Option<T> {
        let outer = (self.heading.clone(), self.prefix.clone());
        if matches!(T::inside(), Inside::Section(_)) {
            match self.prefix.is_empty() {
                true => {
                    let inner = self.heading.trim_matches(['[', ']']);
                    self.heading = format!("[{inner}.{}]", entry.key);
                }
                false => self.prefix = format!("{}{}.", self.prefix, entry.key),
            }
        }
        let value = T::read(&entry.node, self);
        self.leave(outer);
        value
    }

    /// Tables at the top of the file are headings, those inside of them dotted keys.
    fn enter<T: Setting>(&mut self, name: &str) -> (String, String) {
        let outer = (self.heading.clone(), self.prefix.clone());
        match T::inside() {
            Inside::Value => {}
            _ if !self.heading.is_empty() || !self.prefix.is_empty() => {
                self.prefix = format!("{}{name}.", self.prefix);
            }
            Inside::List(_) => self.heading = format!("[[{name}]]"),
            Inside::Section(_) | Inside::Named(_) => self.heading = format!("[{name}]"),
        }
        outer
    }

    fn leave(&mut self, (heading, prefix): (String, String)) {
        self.heading = heading;
        self.prefix = prefix;
    }
}

fn collect_variables(node: &Node, variables: &mut Vec<String>) {
    match &node.value {
        Value::Text(text) => variables.extend(text.variables.iter().cloned()),
        Value::Array(items) => items.iter().for_each(|item| collect_variables(item, variables)),
        Value::Table(entries) => {
            entries.iter().for_each(|entry| collect_variables(&entry.node, variables));
        }
        _ => {}
    }
}

/// `a, b or c`.
pub(crate) fn one_of(names: &[&str]) -> String {
    match names {
        [] => "nothing".to_owned(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}
