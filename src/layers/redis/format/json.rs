//! Writing JSON as Python's `json.dumps` does: `", "` and `": "`, everything above ASCII escaped.

use super::{FormatError, MAX_DEPTH};
use crate::layers::{Key, Map, Value};

/// Writes one map.
pub(super) fn write(message: &Map) -> Result<Vec<u8>, FormatError> {
    let mut out = String::with_capacity(128);
    map(message, &mut out, 0)?;
    Ok(out.into_bytes())
}

fn refused(reason: impl ToString) -> FormatError {
    FormatError::Write { format: "json", reason: reason.to_string() }
}

fn value(value: &Value, out: &mut String, depth: usize) -> Result<(), FormatError> {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::I64(number) => out.push_str(&number.to_string()),
        Value::U64(number) => out.push_str(&number.to_string()),
        Value::F64(number) => float(*number, out)?,
        Value::Text(found) => text(found, out),
        Value::Bytes(_) => return Err(refused("bytes have no JSON form; use the msgpack format")),
        Value::Array(items) => array(items, out, depth)?,
        Value::Map(entries) => map(entries, out, depth)?,
    }
    Ok(())
}

/// Python writes the three that are no numbers as literals, and reads them back.
fn float(number: f64, out: &mut String) -> Result<(), FormatError> {
    if number.is_nan() {
        out.push_str("NaN");
    } else if number.is_infinite() {
        out.push_str(if number > 0.0 { "Infinity" } else { "-Infinity" });
    } else {
        out.push_str(&serde_json::to_string(&number).map_err(refused)?);
    }
    Ok(())
}

fn text(text: &str, out: &mut String) {
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            ' '..='~' => out.push(letter),
            other => {
                for unit in other.encode_utf16(&mut [0; 2]) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    out.push('"');
}

fn deeper(depth: usize) -> Result<usize, FormatError> {
    match depth < MAX_DEPTH {
        true => Ok(depth + 1),
        false => Err(refused(format!("nested deeper than {MAX_DEPTH}"))),
    }
}

fn array(items: &[Value], out: &mut String, depth: usize) -> Result<(), FormatError> {
    let depth = deeper(depth)?;
    out.push('[');
    for (place, item) in items.iter().enumerate() {
        if place > 0 {
            out.push_str(", ");
        }
        value(item, out, depth)?;
    }
    out.push(']');
    Ok(())
}

fn map(entries: &Map, out: &mut String, depth: usize) -> Result<(), FormatError> {
    let depth = deeper(depth)?;
    out.push('{');
    for (place, (key, inner)) in entries.iter().enumerate() {
        if place > 0 {
            out.push_str(", ");
        }
        match key {
            Key::Text(key) => text(key, out),
            Key::Bytes(_) => return Err(refused("a bytes key has no JSON form; use the msgpack format")),
        }
        out.push_str(": ");
        value(inner, out, depth)?;
    }
    out.push('}');
    Ok(())
}
