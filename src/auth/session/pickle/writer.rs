//! A session as a pickle of protocol 2: a dictionary of plain data.

use serde::de::{DeserializeOwned, Deserializer as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::auth::session::SessionData;

/// The pickle that Python reads as this session's dictionary.
///
/// # Errors
/// For an entry that is no JSON, which the sessions of this room never hold.
pub(in crate::auth::session) fn pickle(data: &SessionData) -> Result<Vec<u8>, serde_json::Error> {
    let mut bytes = b"\x80\x02}(".to_vec();
    for (name, raw) in data.raw_entries() {
        text(&mut bytes, name);
        value(&mut bytes, raw)?;
    }
    bytes.extend(b"u.");
    Ok(bytes)
}

/// Writes a value by its first character, since numbers of any length must stay what they are.
fn value(bytes: &mut Vec<u8>, raw: &str) -> Result<(), serde_json::Error> {
    match raw.as_bytes().first() {
        Some(b'n') => bytes.push(b'N'),
        Some(b't') => bytes.push(0x88),
        Some(b'f') => bytes.push(0x89),
        Some(b'"') => text(bytes, &parse::<String>(raw)?),
        Some(b'[') => {
            bytes.extend(b"](");
            for item in parse::<Vec<Box<RawValue>>>(raw)? {
                value(bytes, item.get())?;
            }
            bytes.push(b'e');
        }
        Some(b'{') => {
            bytes.extend(b"}(");
            for (name, item) in serde_json::Deserializer::from_str(raw).deserialize_map(Pairs)? {
                text(bytes, &name);
                value(bytes, item.get())?;
            }
            bytes.push(b'u');
        }
        _ if raw.contains(['.', 'e', 'E']) => {
            bytes.push(b'G');
            bytes.extend(parse::<f64>(raw)?.to_be_bytes());
        }
        _ => integer(bytes, raw),
    }
    Ok(())
}

fn parse<T: DeserializeOwned>(raw: &str) -> Result<T, serde_json::Error> {
    serde_json::from_str(raw)
}

fn integer(bytes: &mut Vec<u8>, digits: &str) {
    if let Ok(small) = digits.parse::<i32>() {
        bytes.push(b'J');
        bytes.extend(small.to_le_bytes());
    } else {
        // The form of old protocols, which every Python reads, for numbers of any length.
        bytes.push(b'L');
        bytes.extend(digits.as_bytes());
        bytes.extend(b"L\n");
    }
}

fn text(bytes: &mut Vec<u8>, text: &str) {
    bytes.push(b'X');
    // A session is bounded far below four gigabytes.
    bytes.extend((text.len() as u32).to_le_bytes());
    bytes.extend(text.as_bytes());
}

/// An object's entries in their order.
struct Pairs;

impl<'de> Visitor<'de> for Pairs {
    type Value = Vec<(String, Box<RawValue>)>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        Ok(pairs)
    }
}
