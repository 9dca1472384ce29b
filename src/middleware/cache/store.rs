//! Pages by address, bounded by their number and their bytes: the one that was not asked for the longest goes first.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ::http::{HeaderMap, HeaderValue, StatusCode, header};
use bytes::Bytes;
use tokio::time::Instant;

use super::rules::directives;

/// A page.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Kept {
    fn bytes(&self) -> usize {
        let headers: usize = self.headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
        self.body.len() + headers
    }
}

#[derive(Debug)]
pub(super) struct Store {
    pages: usize,
    bytes: usize,
    entries: Mutex<Entries>,
}

#[derive(Debug, Default)]
struct Entries {
    by_address: HashMap<String, Vec<Entry>>,
    /// Who was asked for when, oldest first.
    order: BTreeMap<u64, String>,
    clock: u64,
    bytes: usize,
}

/// One form of a page.
#[derive(Debug)]
struct Entry {
    /// The request headers that `Vary` names, and what they were.
    varying: Vec<(String, Vec<HeaderValue>)>,
    kept: Arc<Kept>,
    made: Instant,
    until: Instant,
    asked: u64,
    bytes: usize,
}

impl Entry {
    fn fits(&self, asked: &HeaderMap) -> bool {
        self.varying.iter().all(|(name, values)| asked.get_all(name).iter().eq(values))
    }
}

/// What an entry costs beside its page.
const OVERHEAD: usize = 256;

impl Store {
    pub(super) fn new(pages: usize, bytes: usize) -> Self {
        Self { pages, bytes, entries: Mutex::default() }
    }

    /// The page of an address that fits the request's headers, and how old it is.
    pub(super) fn find(&self, address: &str, asked: &HeaderMap) -> Option<(Arc<Kept>, Duration)> {
        let (mut entries, now) = (self.lock(), Instant::now());
        let place = entries.by_address.get(address)?.iter().position(|entry| entry.fits(asked))?;
        if entries.by_address.get(address)?[place].until <= now {
            entries.remove(address, place);
            return None;
        }
        entries.clock += 1;
        let clock = entries.clock;
        let entry = &mut entries.by_address.get_mut(address)?[place];
        let (before, found) = (entry.asked, (Arc::clone(&entry.kept), now - entry.made));
        entry.asked = clock;
        if let Some(address) = entries.order.remove(&before) {
            entries.order.insert(clock, address);
        }
        Some(found)
    }

    /// Keeps a page in place of the one that the same request would have found.
    pub(super) fn insert(&self, address: String, asked: &HeaderMap, kept: Kept, time: Duration) {
        let now = Instant::now();
        let Some(until) = now.checked_add(time) else { return };
        let mut entries = self.lock();
        let bytes = kept.bytes() + 2 * address.len() + OVERHEAD;
        let before = entries
            .by_address
            .get(&address)
            .and_then(|known| known.iter().position(|entry| entry.fits(asked)));
        if let Some(place) = before {
            entries.remove(&address, place);
        }
        entries.clock += 1;
        let varying = directives(&kept.headers, header::VARY)
            .map(|name| (asked.get_all(&name).iter().cloned().collect(), name))
            .map(|(values, name)| (name, values))
            .collect();
        let asked = entries.clock;
        let entry = Entry { varying, kept: Arc::new(kept), made: now, until, asked, bytes };
        entries.bytes += bytes;
        entries.order.insert(asked, address.clone());
        entries.by_address.entry(address).or_default().push(entry);
        while entries.order.len() > self.pages || entries.bytes > self.bytes {
            if !entries.remove_oldest() {
                break;
            }
        }
    }

    pub(super) fn clear(&self) {
        *self.lock() = Entries::default();
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        // Nothing panics while it is held.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entries {
    fn remove(&mut self, address: &str, place: usize) {
        let Some(known) = self.by_address.get_mut(address) else { return };
        let entry = known.swap_remove(place);
        self.bytes -= entry.bytes;
        self.order.remove(&entry.asked);
        if known.is_empty() {
            self.by_address.remove(address);
        }
    }

    fn remove_oldest(&mut self) -> bool {
        let Some((&asked, address)) = self.order.first_key_value() else { return false };
        let address = address.clone();
        let place = self
            .by_address
            .get(&address)
            .and_then(|known| known.iter().position(|entry| entry.asked == asked));
        match place {
            Some(place) => self.remove(&address, place),
            None => drop(self.order.remove(&asked)),
        }
        true
    }
}
