//! What the tests of this room share.

use std::fmt;
use std::path::Path;

use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;
use solent::auth::SecretKeys;

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

/// One signing key.
pub(crate) fn keys_of(key: &str) -> SecretKeys {
    SecretKeys::new(key)
}

/// JSON whose maps keep their order, as Python's do.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Ordered {
    Plain(Value),
    List(Vec<Self>),
    Map(Vec<(String, Self)>),
}

impl Serialize for Ordered {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Plain(value) => value.serialize(serializer),
            Self::List(items) => items.serialize(serializer),
            Self::Map(entries) => serializer.collect_map(entries.iter().map(|(key, value)| (key, value))),
        }
    }
}

impl<'de> Deserialize<'de> for Ordered {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?.get();
        Ok(match raw.as_bytes().first() {
            Some(b'{') => Self::Map(ordered_map(raw)),
            Some(b'[') => Self::List(serde_json::from_str(raw).map_err(Error::custom)?),
            _ => Self::Plain(serde_json::from_str(raw).map_err(Error::custom)?),
        })
    }
}

fn ordered_map(raw: &str) -> Vec<(String, Ordered)> {
    struct Entries;
    impl<'de> Visitor<'de> for Entries {
        type Value = Vec<(String, Ordered)>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a map")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut entries = Vec::new();
            while let Some(entry) = map.next_entry()? {
                entries.push(entry);
            }
            Ok(entries)
        }
    }
    serde_json::Deserializer::from_str(raw).deserialize_map(Entries).unwrap()
}
