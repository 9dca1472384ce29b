//! `section!`: a table of the file as a struct, with each key's name, type, default and documentation in one place.

/// Defines a struct, and how it is read from a table.
///
/// A field is a key. A default behind `=` is what holds without the key; a field without one must be there, unless it
/// is itself a section whose keys all have defaults. The documentation is the reference's.
macro_rules! section {
    (
        $(#[doc = $about:literal])*
        $vis:vis struct $name:ident {
            $( $(#[doc = $doc:literal])* $field:ident : $type:ty $(= $default:expr)? ),* $(,)?
        }
    ) => {
        $(#[doc = $about])*
        #[derive(Debug, Clone)]
        #[non_exhaustive]
        $vis struct $name {
            /// Where the table begins.
            #[allow(dead_code, reason = "not every table's place is asked for")]
            pub(crate) span: $crate::gateway::document::Span,
            $( $(#[doc = $doc])* pub(crate) $field: $type, )*
        }

        impl $name {
            /// The keys, in order.
            pub(crate) fn keys() -> Vec<$crate::gateway::setting::Key> {
                vec![$({
                    let default: Option<$type> = $crate::gateway::section::default_of!($($default)?);
                    $crate::gateway::section::key(
                        $crate::gateway::section::name(stringify!($field)),
                        default,
                        concat!($($doc, "\n"),*),
                    )
                }),*]
            }
        }

        impl $crate::gateway::setting::Setting for $name {
            fn expected() -> String {
                let required: Vec<String> = Self::keys()
                    .into_iter()
                    .filter(|key| key.required)
                    .map(|key| format!("{} = …", key.name))
                    .collect();
                if required.is_empty() { "a table".to_owned() } else { format!("a table: {{ {} }}", required.join(", ")) }
            }

            fn read(
                node: &$crate::gateway::document::Node,
                reader: &mut $crate::gateway::reader::Reader<'_>,
            ) -> Option<Self> {
                if node.entries().is_none() {
                    return reader.wrong(node, &Self::expected());
                }
                reader.refuse_unknown(node, &Self::keys());
                $(
                    let $field: Option<$type> = reader.take(
                        node,
                        $crate::gateway::section::name(stringify!($field)),
                        $crate::gateway::section::default_of!($($default)?),
                    );
                )*
                Some(Self { span: node.span.clone(), $( $field: $field? ),* })
            }

            fn show(&self) -> Option<String> {
                None
            }

            fn inside() -> $crate::gateway::setting::Inside {
                $crate::gateway::setting::Inside::Section(Self::keys())
            }

            fn absent(reader: &mut $crate::gateway::reader::Reader<'_>) -> Option<Self> {
                if Self::keys().iter().any(|key| key.required) {
                    return None;
                }
                let empty = $crate::gateway::document::Node::empty_table();
                Self::read(&empty, reader)
            }
        }
    };
}

/// A key's default; none for what must be there.
macro_rules! default_of {
    () => {
        None
    };
    ($default:expr) => {
        Some($default)
    };
}

/// `r#static` is the key `static`.
pub(crate) fn name(field: &'static str) -> &'static str {
    field.strip_prefix("r#").unwrap_or(field)
}

pub(crate) fn key<T: Setting>(name: &'static str, default: Option<T>, doc: &'static str) -> Key {
    let is_section = matches!(T::inside(), Inside::Section(_));
    let needs = |keys: &Key| keys.required;
    let required = default.is_none()
        && match T::inside() {
            Inside::Section(keys) if is_section => keys.iter().any(needs),
            _ => true,
        };
    Key {
        name,
        expected: T::expected(),
        default: default.and_then(|default| default.show()),
        required,
        doc: doc.trim(),
        inside: T::inside(),
    }
}

use super::setting::{Inside, Key, Setting};
pub(crate) use {default_of, section};
