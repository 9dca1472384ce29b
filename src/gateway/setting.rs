//! What every kind of setting can do: be read from the file, be shown, say what it looks like.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::path::PathBuf;

use super::document::{Node, Span, Value};
use super::problem::Problem;
use super::reader::Reader;
use super::secret::Secret;

/// A value that can stand behind a key.
pub(crate) trait Setting: Sized {
    /// What it looks like, for errors and the reference: `a duration such as "10s"`.
    fn expected() -> String;

    /// Reads the value; `None` once the problem has been reported.
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self>;

    /// As it would stand in the file, secrets hidden; `None` when there is nothing to show.
    fn show(&self) -> Option<String>;

    /// The keys inside, for tables.
    fn inside() -> Inside {
        Inside::Value
    }

    /// What it is when its key is not there and has no default; `None` for what must be there.
    fn absent(_: &mut Reader<'_>) -> Option<Self> {
        None
    }
}

/// What keys a setting has inside.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Inside {
    /// None: it is a plain value.
    Value,
    /// A table with these keys.
    Section(Vec<Key>),
    /// A table of tables with names of the user's own, each with these keys.
    Named(Vec<Key>),
    /// A list of tables, each with these keys.
    List(Vec<Key>),
}

/// A key as the code defines it.
///
/// ```
/// use solent::gateway::{Inside, Settings};
///
/// let keys = Settings::reference();
/// let debug = keys.iter().find(|key| key.name == "debug").expect("it is among them");
/// assert!(matches!(debug.inside, Inside::Value) && !debug.required);
/// let server = keys.iter().find(|key| key.name == "server").expect("it is among them");
/// let Inside::Section(inside) = &server.inside else { panic!("a table") };
/// assert!(inside.iter().any(|key| key.name == "bind"));
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// What its value looks like.
    pub expected: String,
    /// Its default as it would stand in the file; `None` when nothing is set without it.
    pub default: Option<String>,
    /// Whether it must be there.
    pub required: bool,
    /// What it is for.
    pub doc: &'static str,
    /// The keys inside.
    pub inside: Inside,
}

/// A value with its place in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Placed<T> {
    pub(crate) value: T,
    pub(crate) span: Span,
}

impl<T> Deref for Placed<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: Setting> Setting for Placed<T> {
    fn expected() -> String {
        T::expected()
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self { value: T::read(node, reader)?, span: node.span.clone() })
    }

    fn show(&self) -> Option<String> {
        self.value.show()
    }

    fn inside() -> Inside {
        T::inside()
    }
}

impl<T: Setting> Setting for Option<T> {
    fn expected() -> String {
        T::expected()
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        T::read(node, reader).map(Some)
    }

    fn show(&self) -> Option<String> {
        self.as_ref().and_then(T::show)
    }

    fn inside() -> Inside {
        T::inside()
    }
}

impl<T: Setting> Setting for Vec<T> {
    fn expected() -> String {
        format!("a list, each item {}", T::expected())
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let Value::Array(items) = &node.value else { return reader.wrong(node, &Self::expected()) };
        let read: Vec<Option<T>> = items.iter().map(|item| reader.item(item)).collect();
        read.into_iter().collect()
    }

    fn show(&self) -> Option<String> {
        let items: Vec<String> = self.iter().filter_map(T::show).collect();
        Some(format!("[{}]", items.join(", ")))
    }

    fn inside() -> Inside {
        match T::inside() {
            Inside::Section(keys) => Inside::List(keys),
            other => other,
        }
    }
}

impl<T: Setting> Setting for BTreeMap<String, T> {
    fn expected() -> String {
        format!("a table, each value {}", T::expected())
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let Some(entries) = node.entries() else { return reader.wrong(node, &Self::expected()) };
        let read: Vec<_> = entries.iter().map(|entry| (entry.key.clone(), reader.named(entry))).collect();
        read.into_iter().map(|(key, value)| Some((key, value?))).collect()
    }

    fn show(&self) -> Option<String> {
        let entries: Vec<String> =
            self.iter().filter_map(|(key, value)| Some(format!("{key:?} = {}", value.show()?))).collect();
        Some(if entries.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", entries.join(", ")) })
    }

    fn inside() -> Inside {
        match T::inside() {
            Inside::Section(keys) => Inside::Named(keys),
            other => other,
        }
    }
}

impl Setting for bool {
    fn expected() -> String {
        "true or false".to_owned()
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        match &node.value {
            Value::Bool(flag) => Some(*flag),
            // What a variable stands for is always a text.
            Value::Text(text) if text.put_in && text.text == "true" => Some(true),
            Value::Text(text) if text.put_in && text.text == "false" => Some(false),
            _ => reader.wrong(node, &Self::expected()),
        }
    }

    fn show(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl Setting for String {
    fn expected() -> String {
        "a text".to_owned()
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        reader.text(node, &Self::expected())
    }

    fn show(&self) -> Option<String> {
        Some(quoted(self))
    }
}

impl Setting for PathBuf {
    fn expected() -> String {
        "a path, relative to this file's folder".to_owned()
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let text = reader.text(node, &Self::expected())?;
        if text.is_empty() {
            return reader.wrong(node, &Self::expected());
        }
        Some(reader.resolve(&text))
    }

    fn show(&self) -> Option<String> {
        Some(quoted(&self.display().to_string()))
    }
}

impl Setting for Secret {
    fn expected() -> String {
        "a text, or file: and the path of a file that holds it".to_owned()
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let text = reader.text(node, &Self::expected())?;
        let Some(path) = text.strip_prefix("file:") else { return Some(Self::new(text)) };
        match std::fs::read_to_string(reader.resolve(path)) {
            Ok(content) => {
                reader.note_file(path);
                Some(Self::new(content.trim_end_matches(['\r', '\n'])))
            }
            Err(error) => {
                let problem =
                    Problem::new(node.span.clone(), format!("the secret's file cannot be read: {error}"));
                reader.report(problem.expecting("a file with the secret in it"))
            }
        }
    }

    fn show(&self) -> Option<String> {
        Some(quoted(&self.to_string()))
    }
}

macro_rules! whole_numbers {
    ($($type:ty),*) => {$(
        impl Setting for $type {
            fn expected() -> String {
                match <$type>::MAX as u128 {
                    most @ 0..=65535 => format!("a whole number from 0 to {most}"),
                    _ => "a whole number, 0 or more".to_owned(),
                }
            }

            fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
                let number = node.number().and_then(|number| Self::try_from(number).ok());
                number.or_else(|| reader.wrong(node, &Self::expected()))
            }

            fn show(&self) -> Option<String> {
                Some(self.to_string())
            }
        }
    )*};
}

whole_numbers!(u16, u32, usize);

/// A text as TOML writes it.
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            control if control.is_control() => {
                quoted.push_str(&format!("\\u{:04X}", u32::from(control)));
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}
