//! What the tests of this room share.

use std::path::Path;

use serde_json::Value;

/// A file of vectors.
pub(crate) fn vectors(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The cases of a file under `key`.
pub(crate) fn cases(vectors: &Value, key: &str) -> Vec<Value> {
    vectors[key].as_array().unwrap_or_else(|| panic!("no list {key:?} in these vectors")).clone()
}

/// A case's text.
pub(crate) fn text<'a>(case: &'a Value, key: &str) -> &'a str {
    case[key].as_str().unwrap_or_else(|| panic!("no text {key:?} in {case}"))
}
