//! A map in several parts, so that rooms do not wait for each other's locks.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};

use parking_lot::Mutex;

use crate::layers::locks::shrink;

const SHARDS: usize = 16;

/// A sharded map with text-like keys.
pub(super) struct Shards<K, V> {
    hasher: RandomState,
    parts: [Mutex<HashMap<K, V>>; SHARDS],
}

impl<K, V> Default for Shards<K, V> {
    fn default() -> Self {
        Self { hasher: RandomState::new(), parts: std::array::from_fn(|_| Mutex::default()) }
    }
}

impl<K: Eq + Hash + Borrow<str> + Clone, V: Clone> Shards<K, V> {
    #[allow(clippy::cast_possible_truncation)] // only the low bits count
    fn part(&self, key: &str) -> &Mutex<HashMap<K, V>> {
        &self.parts[self.hasher.hash_one(key) as usize % SHARDS]
    }

    /// Runs `work` with the part that `key` belongs to.
    pub(super) fn with<R>(&self, key: &str, work: impl FnOnce(&mut HashMap<K, V>) -> R) -> R {
        work(&mut self.part(key).lock())
    }

    pub(super) fn get(&self, key: &str) -> Option<V> {
        self.part(key).lock().get(key).cloned()
    }

    /// Removes the entry when it is still the one meant.
    pub(super) fn remove_if(&self, key: &str, meant: impl FnOnce(&V) -> bool) {
        // Dropped after the lock: a value's end may run foreign code.
        let _removed = self.with(key, |map| {
            if !map.get(key).is_some_and(meant) {
                return None;
            }
            let removed = map.remove(key);
            shrink(map);
            removed
        });
    }

    pub(super) fn len(&self) -> usize {
        self.parts.iter().map(|part| part.lock().len()).sum()
    }

    pub(super) fn keys(&self) -> Vec<K> {
        self.parts.iter().flat_map(|part| part.lock().keys().cloned().collect::<Vec<_>>()).collect()
    }

    pub(super) fn values(&self) -> Vec<V> {
        self.parts.iter().flat_map(|part| part.lock().values().cloned().collect::<Vec<_>>()).collect()
    }
}
