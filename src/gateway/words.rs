//! Settings that are one word out of a few.

use ::http::{Method, StatusCode};

use super::document::{Node, Value};
use super::reader::Reader;
use super::setting::Setting;
use crate::consumer::OnError;
use crate::layers::Overflow;

/// Makes a type with a value per word a setting.
macro_rules! words {
    ($($type:ty { $($word:literal => $value:path),* $(,)? })*) => {$(
        impl $crate::gateway::setting::Setting for $type {
            fn expected() -> String {
                $crate::gateway::reader::one_of(&[$(concat!("\"", $word, "\"")),*])
            }

            fn read(
                node: &$crate::gateway::document::Node,
                reader: &mut $crate::gateway::reader::Reader<'_>,
            ) -> Option<Self> {
                match reader.word(node, &[$($word),*])? {
                    $($word => Some($value),)*
                    _ => None,
                }
            }

            fn show(&self) -> Option<String> {
                $(if matches!(self, $value) { return Some(concat!("\"", $word, "\"").to_owned()); })*
                None
            }
        }
    )*};
}
pub(crate) use words;

words! {
    Overflow { "drop_newest" => Self::DropNewest, "drop_oldest" => Self::DropOldest, "close" => Self::Close }
    OnError { "report" => Self::Report, "close" => Self::Close }
}

impl Reader<'_> {
    /// One of a few words.
    pub(crate) fn word<'w>(&mut self, node: &Node, words: &[&'w str]) -> Option<&'w str> {
        let Value::Text(text) = &node.value else { return self.wrong(node, &super::reader::one_of(words)) };
        match words.iter().find(|word| **word == text.text) {
            Some(word) => Some(*word),
            None => self.unknown_word(node, words, &text.text),
        }
    }
}

impl Setting for StatusCode {
    fn expected() -> String {
        "an HTTP status from 200 to 599".to_owned()
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let number = node.number().and_then(|number| u16::try_from(number).ok());
        let status =
            number.filter(|number| (200..=599).contains(number)).and_then(|n| Self::from_u16(n).ok());
        status.or_else(|| reader.wrong(node, &<Self as Setting>::expected()))
    }

    fn show(&self) -> Option<String> {
        Some(self.as_u16().to_string())
    }
}

const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

impl Setting for Method {
    fn expected() -> String {
        super::reader::one_of(&METHODS)
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        reader.word(node, &METHODS)?.parse().ok()
    }

    fn show(&self) -> Option<String> {
        Some(format!("\"{self}\""))
    }
}
