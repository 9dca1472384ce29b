//! Static files under names that hold a hash of their content: such a name never means anything else, so that browsers
//! may keep the file for good.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hasher};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

/// Characters of a hash in a name.
const HASH: usize = 12;

/// The hashes of the files in a folder, or of some in memory.
#[derive(Debug, Clone)]
pub(super) struct Hashes(Arc<Kind>);

#[derive(Debug)]
enum Kind {
    /// Each is read again when its time or length has changed.
    Folder {
        folder: PathBuf,
        known: Mutex<HashMap<String, Known>>,
    },
    Fixed(HashMap<&'static str, String>),
}

#[derive(Debug)]
struct Known {
    changed: Option<SystemTime>,
    length: u64,
    hash: String,
}

impl Hashes {
    pub(super) fn of_folder(folder: PathBuf) -> Self {
        Self(Arc::new(Kind::Folder { folder, known: Mutex::default() }))
    }

    pub(super) fn of_files(files: &[(&'static str, &'static [u8])]) -> Self {
        Self(Arc::new(Kind::Fixed(files.iter().map(|&(path, bytes)| (path, hash_of(bytes))).collect())))
    }

    /// The name of a file with its hash in it; `None` when there is no such file. Reads the file when it is new.
    pub(super) fn name_of(&self, path: &str) -> Option<String> {
        let hash = self.hash(path)?;
        let (folder, name) = path.rsplit_once('/').map_or(("", path), |(folder, name)| (folder, name));
        let slash = if folder.is_empty() { "" } else { "/" };
        Some(match name.rsplit_once('.').filter(|(stem, _)| !stem.is_empty()) {
            Some((stem, ending)) => format!("{folder}{slash}{stem}.{hash}.{ending}"),
            None => format!("{path}.{hash}"),
        })
    }

    /// The file that a name with a hash means, and whether it has this very content. A page of another version of the
    /// site gets today's file rather than none.
    pub(super) fn meant_by(&self, path: &str) -> Option<(String, bool)> {
        let (plain, hash) = split(path)?;
        let is_current = self.hash(&plain)? == hash;
        Some((plain, is_current))
    }

    fn hash(&self, path: &str) -> Option<String> {
        match &*self.0 {
            Kind::Fixed(files) => files.get(path).cloned(),
            Kind::Folder { folder, known } => {
                let file = folder.join(path);
                let found = std::fs::metadata(&file).ok().filter(std::fs::Metadata::is_file)?;
                let (changed, length) = (found.modified().ok(), found.len());
                if let Some(known) = lock(known).get(path)
                    && (known.changed, known.length) == (changed, length)
                {
                    return Some(known.hash.clone());
                }
                let hash = hash_of(&std::fs::read(&file).ok()?);
                lock(known).insert(path.to_owned(), Known { changed, length, hash: hash.clone() });
                Some(hash)
            }
        }
    }
}

/// The two parts of a name that may be one with a hash: the file's own, and the hash.
pub(super) fn split(path: &str) -> Option<(String, &str)> {
    let (folder, name) = path.rsplit_once('/').map_or((None, path), |(folder, name)| (Some(folder), name));
    let mut parts: Vec<&str> = name.split('.').collect();
    let place = parts
        .iter()
        .rposition(|part| is_hash(part))
        .filter(|place| *place > 0 && *place + 2 >= parts.len())?;
    let hash = parts.remove(place);
    let plain = folder.map_or_else(String::new, |folder| format!("{folder}/")) + &parts.join(".");
    Some((plain, hash))
}

fn lock(known: &Mutex<HashMap<String, Known>>) -> MutexGuard<'_, HashMap<String, Known>> {
    // Nothing panics while it is held.
    known.lock().unwrap_or_else(PoisonError::into_inner)
}

fn is_hash(part: &str) -> bool {
    part.len() == HASH && part.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
}

/// The hasher has fixed keys: every process of one program gives a file the same name.
pub(super) fn hash_of(bytes: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    let mut hash = format!("{:016x}", hasher.finish());
    hash.truncate(HASH);
    hash
}
