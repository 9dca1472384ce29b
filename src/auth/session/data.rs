//! What a session holds: JSON values by name, in their order. Entries that nobody reads or writes stay as they stand,
//! character by character.

use std::fmt;

use serde::de::{DeserializeOwned, Deserializer as _, MapAccess, Visitor};
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::SessionError;
use crate::auth::python_json::to_json;

/// A session's entries. Their values never show in logs.
///
/// ```
/// use solent::auth::{Expiry, SessionData};
///
/// let mut data = SessionData::parse(br#"{"cart": [1, 2], "theme": "dark"}"#).expect("an object");
/// assert_eq!(data.get::<Vec<i32>>("cart")?, Some(vec![1, 2]));
/// data.set("theme", "light")?;
/// assert!(data.remove("cart"));
/// data.set_expiry(Expiry::BrowserClose)?;
/// assert!(!data.contains("cart"));
/// # Ok::<(), solent::auth::SessionError>(())
/// ```
#[derive(Clone, Default)]
pub struct SessionData {
    entries: Vec<(String, Box<RawValue>)>,
    partial: bool,
}

impl SessionData {
    /// Reads a JSON object; `None` for anything else.
    pub fn parse(json: &[u8]) -> Option<Self> {
        let mut deserializer = serde_json::Deserializer::from_slice(json);
        let data = deserializer.deserialize_map(Entries).ok()?;
        deserializer.end().is_ok().then_some(data)
    }

    /// The JSON object, as Python would write it.
    pub fn to_json(&self) -> String {
        // The values are JSON already and the names are text, so this cannot fail.
        to_json(self).unwrap_or_else(|_| "{}".to_owned())
    }

    /// An entry as a `T`.
    ///
    /// # Errors
    /// [`SessionError::Entry`] when it is there and is no `T`.
    pub fn get<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, SessionError> {
        let Some(raw) = self.raw(name) else { return Ok(None) };
        serde_json::from_str(raw)
            .map(Some)
            .map_err(|source| SessionError::Entry { name: name.to_owned(), source })
    }

    /// Sets an entry, in its place when it is there.
    ///
    /// # Errors
    /// [`SessionError::Entry`] when the value has no JSON form.
    pub fn set<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), SessionError> {
        let raw = to_json(value).and_then(RawValue::from_string);
        let raw = raw.map_err(|source| SessionError::Entry { name: name.to_owned(), source })?;
        self.insert(name.to_owned(), raw);
        Ok(())
    }

    /// Removes an entry; whether it was there.
    pub fn remove(&mut self, name: &str) -> bool {
        let before = self.entries.len();
        self.entries.retain(|(known, _)| known != name);
        self.entries.len() < before
    }

    /// Whether there is an entry of this name.
    pub fn contains(&self, name: &str) -> bool {
        self.raw(name).is_some()
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The entries' names, in their order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|(name, _)| name.as_str())
    }

    /// Whether the store holds more of this session than can be read here, such as a date that Python pickled. Such a
    /// session is never written over.
    pub fn is_partial(&self) -> bool {
        self.partial
    }

    #[cfg(all(feature = "auth", feature = "redis"))]
    pub(super) fn mark_partial(&mut self) {
        self.partial = true;
    }

    /// The entries with their JSON, in their order.
    #[cfg(all(feature = "auth", feature = "redis"))]
    pub(super) fn raw_entries(&self) -> impl Iterator<Item = (&str, &str)> {
        self.entries.iter().map(|(name, raw)| (name.as_str(), raw.get()))
    }

    fn raw(&self, name: &str) -> Option<&str> {
        self.entries.iter().find(|(known, _)| known == name).map(|(_, raw)| raw.get())
    }

    pub(super) fn insert(&mut self, name: String, raw: Box<RawValue>) {
        match self.entries.iter_mut().find(|(known, _)| *known == name) {
            Some((_, old)) => *old = raw,
            None => self.entries.push((name, raw)),
        }
    }
}

impl Serialize for SessionData {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.entries.len()))?;
        for (name, raw) in &self.entries {
            map.serialize_entry(name, raw)?;
        }
        map.end()
    }
}

struct Entries;

impl<'de> Visitor<'de> for Entries {
    type Value = SessionData;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<SessionData, A::Error> {
        let mut data = SessionData::default();
        while let Some((name, raw)) = map.next_entry()? {
            data.insert(name, raw);
        }
        Ok(data)
    }
}

impl fmt::Debug for SessionData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}
