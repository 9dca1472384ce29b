//! Reading the vector files in their own order, with the marks for what JSON cannot hold.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use solent::layers::{Key, Map, Value};

/// A vector file.
pub(crate) fn file(name: &str) -> Value {
    let path = format!("{}/tests/vectors/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).expect("the file is there")).expect("it parses")
}

/// An entry of a map; null when it is absent.
pub(crate) fn at<'a>(json: &'a Value, key: &str) -> &'a Value {
    json.get(key).unwrap_or(&Value::Null)
}

/// The items of a list; none for null.
pub(crate) fn list(json: &Value) -> &[Value] {
    match json {
        Value::Array(items) => items,
        Value::Null => &[],
        other => panic!("expected a list, found {other:?}"),
    }
}

/// The items of a list of texts.
pub(crate) fn texts(json: &Value) -> Vec<&str> {
    list(json).iter().map(|text| text.as_str().expect("text")).collect()
}

/// A small number.
pub(crate) fn number(json: &Value) -> usize {
    json.decode().expect("a number")
}

/// A marked value of a vector file.
pub(crate) fn value(json: &Value) -> Value {
    match json {
        Value::Array(items) => Value::Array(items.iter().map(value).collect()),
        Value::Map(entries) => match entries.iter().next().map(|(key, inner)| (key.as_str(), inner)) {
            Some((Some("$bytes"), _)) => Value::from(bytes(json)),
            Some((Some("$int"), inner)) => integer(inner.as_str().expect("text")),
            Some((Some("$float"), inner)) => {
                Value::F64(inner.as_str().expect("text").parse().expect("a float"))
            }
            Some((Some("$tuple"), inner)) => value(inner),
            Some((Some("$map"), inner)) => Value::Map(list(inner).iter().map(pair).collect()),
            _ => Value::Map(map(json)),
        },
        plain => plain.clone(),
    }
}

/// A marked map of a vector file.
pub(crate) fn map(json: &Value) -> Map {
    json.as_map().expect("a map").iter().map(|(key, inner)| (key.clone(), value(inner))).collect()
}

/// Marked bytes, or a text's bytes.
pub(crate) fn bytes(json: &Value) -> Bytes {
    match json.as_str() {
        Some(text) => Bytes::copy_from_slice(text.as_bytes()),
        None => STANDARD.decode(at(json, "$bytes").as_str().expect("base64")).expect("base64").into(),
    }
}

fn integer(decimal: &str) -> Value {
    decimal.parse().map(Value::I64).unwrap_or_else(|_| Value::U64(decimal.parse().expect("64 bits")))
}

/// A pair of a map whose keys are not text; integer keys are written as text, which is all that a map here holds.
fn pair(json: &Value) -> (Key, Value) {
    let [key, inner] = list(json) else { panic!("expected a pair, found {json:?}") };
    let key = match value(key) {
        Value::Text(text) => Key::Text(text),
        Value::Bytes(bytes) => Key::Bytes(bytes),
        Value::I64(number) => Key::Text(number.to_string()),
        other => panic!("no key: {other:?}"),
    };
    (key, value(inner))
}
