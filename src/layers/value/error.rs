//! Why a value could not be made from, or turned into, a Rust type.

use std::fmt;

/// Why a value does not fit a type, or a type has no form as a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueError(Box<Reason>);

/// The reasons that someone asks for; all others are only text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reason {
    Text(String),
    MissingField(&'static str),
    /// `of_type` when it was the message's own type that no variant has.
    UnknownVariant {
        found: String,
        expected: &'static [&'static str],
        of_type: bool,
    },
}

impl ValueError {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self(Box::new(Reason::Text(text.into())))
    }

    pub(crate) fn reason(&self) -> &Reason {
        &self.0
    }

    /// Marks an unknown variant as being the message's own type.
    pub(crate) fn of_type(mut self) -> Self {
        if let Reason::UnknownVariant { of_type, .. } = &mut *self.0 {
            *of_type = true;
        }
        self
    }
}

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Reason::Text(text) => f.write_str(text),
            Reason::MissingField(field) => write!(f, "missing field {field:?}"),
            Reason::UnknownVariant { found, expected, .. } => {
                write!(f, "expected one of {}, found {found:?}", expected.join(", "))
            }
        }
    }
}

impl std::error::Error for ValueError {}

impl serde::ser::Error for ValueError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::text(message.to_string())
    }
}

impl serde::de::Error for ValueError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::text(message.to_string())
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        Self(Box::new(Reason::UnknownVariant { found: variant.to_owned(), expected, of_type: false }))
    }

    fn missing_field(field: &'static str) -> Self {
        Self(Box::new(Reason::MissingField(field)))
    }
}
