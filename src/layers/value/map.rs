//! [`Map`]: an ordered map with text or bytes keys.

use std::collections::HashMap;

use bytes::Bytes;

use super::Value;

/// A map's key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Key {
    /// Text, the usual kind.
    Text(String),
    /// Bytes, which Python's msgpack may send. They have no JSON form.
    Bytes(Bytes),
}

impl Key {
    /// The key's text, when it is text.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Bytes(_) => None,
        }
    }

    /// The key's bytes, of either kind.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }
}

impl From<&str> for Key {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Key {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

/// An ordered map. Messages are small, so it is a list of pairs; a key stands in it once.
///
/// ```
/// use solent::layers::{Key, Map, Value};
///
/// let mut map = Map::new();
/// map.insert("type", "chat.message");
/// map.insert(Key::Text("number".to_owned()), 3_i64);
/// assert_eq!(map.insert("number", 4_i64), Some(Value::I64(3)));
/// assert_eq!(map.remove("type"), Some(Value::from("chat.message")));
/// assert_eq!(map.len(), 1);
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Map(Vec<(Key, Value)>);

/// Above this many entries, finding duplicates by a scan would let a hostile message cost quadratic time.
const SCANNED: usize = 32;

impl Map {
    /// An empty map.
    pub fn new() -> Self {
        Self::default()
    }

    /// The value at a text key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.iter().find(|(own, _)| own.as_str() == Some(key)).map(|(_, value)| value)
    }

    /// Sets a value. A key that is there already keeps its place; its old value is returned.
    pub fn insert(&mut self, key: impl Into<Key>, value: impl Into<Value>) -> Option<Value> {
        let (key, value) = (key.into(), value.into());
        match self.0.iter_mut().find(|(own, _)| *own == key) {
            Some((_, slot)) => Some(std::mem::replace(slot, value)),
            None => {
                self.0.push((key, value));
                None
            }
        }
    }

    /// Takes the value at a text key out; the others keep their order.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        let at = self.0.iter().position(|(own, _)| own.as_str() == Some(key))?;
        Some(self.0.remove(at).1)
    }

    /// The entries, in order of insertion.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Key, &Value)> {
        self.0.iter().map(|(key, value)| (key, value))
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Of equal keys the last value wins and the first place stays, as in Python.
impl FromIterator<(Key, Value)> for Map {
    fn from_iter<I: IntoIterator<Item = (Key, Value)>>(entries: I) -> Self {
        let pairs: Vec<_> = entries.into_iter().collect();
        if pairs.len() <= SCANNED {
            let mut map = Self(Vec::with_capacity(pairs.len()));
            for (key, value) in pairs {
                map.insert(key, value);
            }
            return map;
        }
        let mut places = HashMap::with_capacity(pairs.len());
        let mut kept: Vec<(Key, Value)> = Vec::with_capacity(pairs.len());
        for (key, value) in pairs {
            match places.get(&key) {
                Some(&place) => {
                    let slot: &mut (Key, Value) = &mut kept[place];
                    slot.1 = value;
                }
                None => {
                    places.insert(key.clone(), kept.len());
                    kept.push((key, value));
                }
            }
        }
        Self(kept)
    }
}

impl IntoIterator for Map {
    type Item = (Key, Value);
    type IntoIter = std::vec::IntoIter<(Key, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}
