//! A pickle's nodes as a session's entries: what JSON can hold, bounded whatever the memo multiplies.

use serde_json::value::RawValue;

use super::machine::{Id, Node};
use crate::auth::python_json::to_json;
use crate::auth::session::SessionData;

/// The most that a pickle's JSON may take up: shared parts of a small pickle can make a large one.
const MAX_JSON: usize = 4 << 20;

/// How deep lists and dictionaries may stand in each other. One that holds itself is as deep as one likes.
const MAX_DEPTH: usize = 64;

/// The session that a dictionary stands for; `None` for anything else.
pub(super) fn session(nodes: &[Node], root: Id) -> Option<SessionData> {
    let Node::Dictionary(pairs) = &nodes[root] else { return None };
    let mut data = SessionData::default();
    let mut left = MAX_JSON;
    for (key, value) in pairs {
        let mut writer = Writer { nodes, text: String::new(), left, is_exact: true };
        let (Node::Text(name), Some(())) = (&nodes[*key], writer.value(*value, 0)) else {
            if let Node::Text(name) = &nodes[*key] {
                data.remove(name);
            }
            data.mark_partial();
            left = left.saturating_sub(writer.text.len());
            continue;
        };
        left = writer.left;
        match RawValue::from_string(writer.text) {
            Ok(raw) => data.insert(name.clone(), raw),
            Err(_) => writer.is_exact = false,
        }
        if !writer.is_exact {
            data.mark_partial();
        }
    }
    Some(data)
}

struct Writer<'a> {
    nodes: &'a [Node],
    text: String,
    left: usize,
    /// Whether it can be written back as it was: a tuple would come back as a list.
    is_exact: bool,
}

impl Writer<'_> {
    /// Writes a value; `None` when JSON cannot hold it.
    fn value(&mut self, id: Id, depth: usize) -> Option<()> {
        if depth > MAX_DEPTH {
            return None;
        }
        match &self.nodes[id] {
            Node::None => self.write("null"),
            Node::Bool(true) => self.write("true"),
            Node::Bool(false) => self.write("false"),
            Node::Integer(digits) => self.write(digits),
            Node::Float(number) if number.is_finite() => self.write(&to_json(number).ok()?),
            Node::Text(text) => self.write(&to_json(text).ok()?),
            Node::List(items) => self.list(items, depth),
            Node::Tuple(items) => {
                self.is_exact = false;
                self.list(items, depth)
            }
            Node::Dictionary(pairs) => self.dictionary(pairs, depth),
            Node::Float(_) | Node::Opaque => None,
        }
    }

    fn list(&mut self, items: &[Id], depth: usize) -> Option<()> {
        for (index, item) in items.iter().enumerate() {
            self.write(if index == 0 { "[" } else { "," })?;
            self.value(*item, depth + 1)?;
        }
        self.write(if items.is_empty() { "[]" } else { "]" })
    }

    fn dictionary(&mut self, pairs: &[(Id, Id)], depth: usize) -> Option<()> {
        for (index, (key, value)) in pairs.iter().enumerate() {
            let Node::Text(name) = &self.nodes[*key] else { return None };
            self.write(if index == 0 { "{" } else { "," })?;
            self.write(&to_json(name).ok()?)?;
            self.write(":")?;
            self.value(*value, depth + 1)?;
        }
        self.write(if pairs.is_empty() { "{}" } else { "}" })
    }

    fn write(&mut self, text: &str) -> Option<()> {
        self.left = self.left.checked_sub(text.len())?;
        self.text.push_str(text);
        Some(())
    }
}
