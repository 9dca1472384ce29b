//! Static files that are part of the program.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hasher};
use std::sync::Arc;

use bytes::Bytes;

use super::content::Content;

/// Files by path.
#[derive(Debug, Clone)]
pub(super) struct Embedded(Arc<BTreeMap<&'static str, Arc<Content>>>);

impl Embedded {
    pub(super) fn new(files: &[(&'static str, &'static [u8])]) -> Self {
        Self(Arc::new(files.iter().map(|&(path, bytes)| (path, Arc::new(content(path, bytes)))).collect()))
    }

    pub(super) fn find(&self, path: &str) -> Option<Arc<Content>> {
        self.0.get(path).cloned()
    }
}

fn content(path: &str, bytes: &'static [u8]) -> Content {
    // The hash has fixed keys: every process of one program gives a file the same tag.
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    let tag = format!("\"{:016x}-{:x}\"", hasher.finish(), bytes.len());
    Content::new(path, tag, bytes.len() as u64, Bytes::from_static(bytes))
}
