//! Writing msgpack as Python's packer does: smallest integers, floats of eight bytes, str and bin families.

use super::{FormatError, MAX_DEPTH};
use crate::layers::{Key, Map, Value};

/// Writes one map.
pub(super) fn write(message: &Map) -> Result<Vec<u8>, FormatError> {
    let mut out = Vec::with_capacity(128);
    map(message, &mut out, 0)?;
    Ok(out)
}

fn refused(reason: impl ToString) -> FormatError {
    FormatError::Write { format: "msgpack", reason: reason.to_string() }
}

fn length(length: usize) -> Result<u32, FormatError> {
    u32::try_from(length).map_err(|_| refused("a length above 2^32"))
}

fn value(value: &Value, out: &mut Vec<u8>, depth: usize) -> Result<(), FormatError> {
    match value {
        Value::Null => rmp::encode::write_nil(out).map_err(refused)?,
        Value::Bool(flag) => rmp::encode::write_bool(out, *flag).map_err(refused)?,
        Value::I64(number) => drop(rmp::encode::write_sint(out, *number).map_err(refused)?),
        Value::U64(number) => drop(rmp::encode::write_uint(out, *number).map_err(refused)?),
        Value::F64(number) => rmp::encode::write_f64(out, *number).map_err(refused)?,
        Value::Text(text) => str(text, out)?,
        Value::Bytes(bytes) => bin(bytes, out)?,
        Value::Array(items) => array(items, out, depth)?,
        Value::Map(entries) => map(entries, out, depth)?,
    }
    Ok(())
}

fn str(text: &str, out: &mut Vec<u8>) -> Result<(), FormatError> {
    length(text.len())?;
    rmp::encode::write_str(out, text).map_err(refused)
}

fn bin(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), FormatError> {
    length(bytes.len())?;
    rmp::encode::write_bin(out, bytes).map_err(refused)
}

fn deeper(depth: usize) -> Result<usize, FormatError> {
    match depth < MAX_DEPTH {
        true => Ok(depth + 1),
        false => Err(refused(format!("nested deeper than {MAX_DEPTH}"))),
    }
}

fn array(items: &[Value], out: &mut Vec<u8>, depth: usize) -> Result<(), FormatError> {
    let depth = deeper(depth)?;
    rmp::encode::write_array_len(out, length(items.len())?).map_err(refused)?;
    items.iter().try_for_each(|item| value(item, out, depth))
}

fn map(entries: &Map, out: &mut Vec<u8>, depth: usize) -> Result<(), FormatError> {
    let depth = deeper(depth)?;
    rmp::encode::write_map_len(out, length(entries.len())?).map_err(refused)?;
    for (key, inner) in entries.iter() {
        match key {
            Key::Text(text) => str(text, out)?,
            Key::Bytes(bytes) => bin(bytes, out)?,
        }
        value(inner, out, depth)?;
    }
    Ok(())
}
