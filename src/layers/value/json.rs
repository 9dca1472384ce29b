//! The JSON text of a value.

use super::{Key, Value};

/// Why a value has no JSON text, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonError {
    /// Bytes, as a value or as a key.
    #[error("bytes cannot go to a JSON client: found at {at}")]
    Bytes {
        /// The path of the bytes, such as `.files[0]`.
        at: String,
    },
    /// NaN or an infinity.
    #[error("JSON has no {found}: found at {at}")]
    Float {
        /// The number as text.
        found: String,
        /// Its path.
        at: String,
    },
    /// A text that could not be written.
    #[error("cannot write JSON: {0}")]
    Write(String),
}

/// An error on its way up; the path is built only then.
enum Found {
    Bytes(String),
    Float(f64, String),
    Write(String),
}

impl Found {
    fn under(self, step: &str) -> Self {
        match self {
            Self::Bytes(at) => Self::Bytes(format!("{step}{at}")),
            Self::Float(number, at) => Self::Float(number, format!("{step}{at}")),
            Self::Write(text) => Self::Write(text),
        }
    }
}

pub(super) fn text(value: &Value) -> Result<String, JsonError> {
    let mut out = Vec::with_capacity(value.weight());
    let place = |at: String| if at.is_empty() { "the top".to_owned() } else { at };
    write(value, &mut out).map_err(|found| match found {
        Found::Bytes(at) => JsonError::Bytes { at: place(at) },
        Found::Float(number, at) => JsonError::Float { found: number.to_string(), at: place(at) },
        Found::Write(text) => JsonError::Write(text),
    })?;
    String::from_utf8(out).map_err(|error| JsonError::Write(error.to_string()))
}

fn write(value: &Value, out: &mut Vec<u8>) -> Result<(), Found> {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(flag) => out.extend_from_slice(if *flag { b"true" } else { b"false" }),
        Value::I64(number) => scalar(number, out)?,
        Value::U64(number) => scalar(number, out)?,
        Value::F64(number) if number.is_finite() => scalar(number, out)?,
        Value::F64(number) => return Err(Found::Float(*number, String::new())),
        Value::Text(text) => scalar(text, out)?,
        Value::Bytes(_) => return Err(Found::Bytes(String::new())),
        Value::Array(items) => array(items, out)?,
        Value::Map(map) => {
            out.push(b'{');
            for (place, (key, value)) in map.iter().enumerate() {
                if place > 0 {
                    out.push(b',');
                }
                entry(key, value, out)?;
            }
            out.push(b'}');
        }
    }
    Ok(())
}

fn array(items: &[Value], out: &mut Vec<u8>) -> Result<(), Found> {
    out.push(b'[');
    for (place, item) in items.iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        write(item, out).map_err(|found| found.under(&format!("[{place}]")))?;
    }
    out.push(b']');
    Ok(())
}

fn entry(key: &Key, value: &Value, out: &mut Vec<u8>) -> Result<(), Found> {
    let Key::Text(key) = key else { return Err(Found::Bytes(" (a key)".to_owned())) };
    scalar(key, out)?;
    out.push(b':');
    write(value, out).map_err(|found| found.under(&format!(".{key}")))
}

fn scalar<T: serde::Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) -> Result<(), Found> {
    serde_json::to_writer(out, value).map_err(|error| Found::Write(error.to_string()))
}
