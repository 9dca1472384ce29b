//! Small files in memory: each is looked at again at most once a second, and all together are bounded.
//!
//! One look is one change of threads, however many wait for it. Between two looks a file costs no system call.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use parking_lot::Mutex;
use tokio::task::spawn_blocking;
use tokio::time::Instant;

use super::content::Content;
use super::encoding::Encoding;
use super::folder::{Folder, Stamp};
use super::names;

/// For how long a file is taken for unchanged.
const FRESH: Duration = Duration::from_secs(1);

/// What an entry costs beside its bytes.
const OVERHEAD: usize = 1 << 10;

/// The files of a folder that were asked for.
#[derive(Debug)]
pub(super) struct Cache {
    folder: Folder,
    most_bytes: usize,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    files: HashMap<String, Slot>,
    bytes: usize,
}

/// A file's place.
#[derive(Debug)]
struct Slot {
    look: Look,
    since: Instant,
    bytes: usize,
}

/// A look at the disk, which all wait for who ask meanwhile.
type Look = Shared<BoxFuture<'static, Found>>;

/// What a look finds; `None` when there is no such file. Such answers are not kept: there is no end of them.
type Found = Result<Option<Arc<Entry>>, Arc<io::Error>>;

/// A file with its variants.
#[derive(Debug)]
pub(super) struct Entry {
    /// The stamps of all variants; `None` when they do not tell yet whether there was another change.
    stamps: Option<Vec<Option<Stamp>>>,
    variants: Vec<(Encoding, Variant)>,
    /// What the file's name with a hash has.
    hash: Option<String>,
}

/// One form of a file.
#[derive(Debug, Clone)]
pub(super) enum Variant {
    Kept(Arc<Content>),
    /// Not in memory, but on disk.
    TooLarge,
}

impl Cache {
    /// An empty cache of so many bytes; with none, nothing is kept.
    pub(super) fn new(folder: Folder, most_bytes: usize) -> Self {
        Self { folder, most_bytes, known: Mutex::default() }
    }

    pub(super) fn folder(&self) -> &Folder {
        &self.folder
    }

    pub(super) fn is_off(&self) -> bool {
        self.most_bytes == 0
    }

    /// An empty one of another folder.
    pub(super) fn of(&self, folder: Folder) -> Self {
        Self::new(folder, self.most_bytes)
    }

    /// The file at a path as it was a second ago or later.
    ///
    /// # Cancel safety
    /// Dropping the future leaves the look at the disk to go on: others may wait for it.
    pub(super) async fn find(self: &Arc<Self>, path: &str) -> Found {
        self.look(path).await
    }

    fn look(self: &Arc<Self>, path: &str) -> Look {
        let (mut known, now) = (self.known.lock(), Instant::now());
        let before = match known.files.get(path) {
            Some(slot) if now - slot.since < FRESH => return slot.look.clone(),
            Some(slot) => slot.look.peek().and_then(|found| found.clone().ok().flatten()),
            None => None,
        };
        let (cache, at) = (Arc::clone(self), path.to_owned());
        let looking = spawn_blocking(move || cache.look_at_disk(&at, before));
        let look =
            looking.map(|ended| ended.unwrap_or_else(|panic| Err(Arc::new(panic.into())))).boxed().shared();
        match known.files.get_mut(path) {
            Some(slot) => (slot.look, slot.since) = (look.clone(), now),
            None => {
                known.files.insert(path.to_owned(), Slot { look: look.clone(), since: now, bytes: 0 });
            }
        }
        look
    }

    /// Reads a file anew, unless it is what it was before.
    fn look_at_disk(&self, path: &str, before: Option<Arc<Entry>>) -> Found {
        let found = match before {
            Some(before) if before.is_current(&self.folder, path) => Ok(Some(before)),
            _ => Entry::read(&self.folder, path).map(|entry| entry.map(Arc::new)).map_err(Arc::new),
        };
        let bytes = found.as_ref().ok().and_then(Option::as_ref).map(|entry| entry.bytes() + path.len());
        self.known.lock().settle(path, bytes.filter(|bytes| *bytes <= self.most_bytes), self.most_bytes);
        found
    }
}

impl Known {
    /// A look has ended: the file takes so many bytes, or is not kept.
    fn settle(&mut self, path: &str, bytes: Option<usize>, most: usize) {
        match (self.files.get_mut(path), bytes) {
            (Some(slot), Some(bytes)) => {
                self.bytes = self.bytes + bytes - slot.bytes;
                slot.bytes = bytes;
            }
            (Some(_), None) => self.remove(path),
            (None, _) => {}
        }
        if self.bytes > most {
            self.make_room(most - most / 8);
        }
    }

    /// Forgets the files that were not asked for the longest; some more than must be, so that this is rare.
    fn make_room(&mut self, most: usize) {
        let mut by_age: Vec<_> = self.files.iter().map(|(path, slot)| (slot.since, path.clone())).collect();
        by_age.sort_unstable();
        for (_, path) in by_age {
            if self.bytes <= most {
                return;
            }
            self.remove(&path);
        }
    }

    fn remove(&mut self, path: &str) {
        if let Some(slot) = self.files.remove(path) {
            self.bytes -= slot.bytes;
        }
    }
}

impl Entry {
    /// The file with its variants; `None` when there is none of them.
    fn read(folder: &Folder, path: &str) -> io::Result<Option<Self>> {
        let mut entry = Self { stamps: None, variants: Vec::new(), hash: None };
        let mut stamps = Vec::new();
        for &encoding in folder.encodings() {
            let (stamp, content) = folder.open(path, encoding)?.unzip();
            stamps.push(stamp);
            entry.variants.extend(content.map(|content| (encoding, Variant::of(content))));
        }
        let is_settled = stamps.iter().flatten().all(Stamp::is_settled);
        entry.stamps = is_settled.then_some(stamps);
        entry.hash = match entry.best(&[Encoding::Identity]) {
            Some(Variant::Kept(content)) => content.whole().map(|bytes| names::hash_of(bytes)),
            _ => None,
        };
        Ok((!entry.variants.is_empty()).then_some(entry))
    }

    fn is_current(&self, folder: &Folder, path: &str) -> bool {
        let now: io::Result<Vec<_>> =
            folder.encodings().iter().map(|encoding| folder.stamp(path, *encoding)).collect();
        now.is_ok_and(|now| self.stamps.as_ref() == Some(&now))
    }

    /// The first of these variants that is there.
    pub(super) fn best(&self, wanted: &[Encoding]) -> Option<&Variant> {
        let variant = |wanted| self.variants.iter().find(|(encoding, _)| *encoding == wanted);
        wanted.iter().find_map(|wanted| variant(*wanted)).map(|(_, variant)| variant)
    }

    /// Whether its name with a hash has this one.
    pub(super) fn has_hash(&self, hash: &str) -> bool {
        self.hash.as_deref() == Some(hash)
    }

    fn bytes(&self) -> usize {
        let contents = self.variants.iter().filter_map(|(_, variant)| match variant {
            Variant::Kept(content) => content.whole(),
            Variant::TooLarge => None,
        });
        contents.map(|bytes| bytes.len()).sum::<usize>() + OVERHEAD
    }
}

impl Variant {
    fn of(content: Content) -> Self {
        if content.whole().is_some() { Self::Kept(Arc::new(content)) } else { Self::TooLarge }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::time::SystemTime;

    use futures_util::future::join_all;

    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn cache_of_a_file() -> (tempfile::TempDir, Arc<Cache>, File) {
        let dir = tempfile::tempdir().unwrap();
        let file = File::create(dir.path().join("a")).unwrap();
        let folder = Folder { path: dir.path().to_owned(), has_variants: false };
        (dir, Arc::new(Cache::new(folder, 1 << 20)), file)
    }

    async fn entry(cache: &Arc<Cache>) -> Arc<Entry> {
        cache.find("a").await.unwrap().expect("the file")
    }

    #[tokio::test(start_paused = true)]
    async fn however_many_ask_there_is_one_look() {
        let (_dir, cache, _) = cache_of_a_file();
        for _ in 0..3 {
            // Each look at this new file reads it anew.
            let all = join_all((0..100).map(|_| entry(&cache))).await;
            assert!(all.iter().all(|other| Arc::ptr_eq(other, &all[0])));
            tokio::time::advance(FRESH).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_file_that_has_not_changed_is_not_read_again() {
        let (_dir, cache, file) = cache_of_a_file();
        let new = entry(&cache).await;
        file.set_modified(SystemTime::now() - HOUR).unwrap();
        tokio::time::advance(FRESH).await;
        let old = entry(&cache).await;
        assert!(!Arc::ptr_eq(&new, &old), "a time that is as new as the look tells nothing");
        tokio::time::advance(FRESH).await;
        assert!(Arc::ptr_eq(&old, &entry(&cache).await));
    }
}
