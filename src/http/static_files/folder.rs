//! Files below a folder, as they are on disk now.

use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use super::chunks;
use super::content::Content;
use super::encoding::Encoding;

/// The largest file that is read as a whole.
pub(super) const SMALL: u64 = 256 << 10;

/// Some file systems tell times to two seconds: what changed more recently may change again without another time.
const COARSEST_TIME: Duration = Duration::from_secs(2);

/// A folder whose files are served.
#[derive(Debug, Clone)]
pub(super) struct Folder {
    pub(super) path: PathBuf,
    /// Whether compressed variants stand beside the files.
    pub(super) has_variants: bool,
}

/// What is different when a file has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stamp {
    modified: Option<SystemTime>,
    /// No program can set this one.
    changed: (i64, i64),
    device: u64,
    number: u64,
    length: u64,
}

impl Folder {
    /// The variants that a file can have.
    pub(super) fn encodings(&self) -> &'static [Encoding] {
        if self.has_variants { &Encoding::ALL } else { &Encoding::ALL[..1] }
    }

    /// Opens the first variant that is there, and reads its beginning.
    pub(super) fn open_best(&self, path: &str, wanted: &[Encoding]) -> io::Result<Option<Content>> {
        for encoding in wanted.iter().filter(|encoding| self.encodings().contains(encoding)) {
            if let Some((_, content)) = self.open(path, *encoding)? {
                return Ok(Some(content));
            }
        }
        Ok(None)
    }

    /// Opens a variant and reads its beginning; all of it, when it is small. `None` when there is no such file.
    pub(super) fn open(&self, path: &str, encoding: Encoding) -> io::Result<Option<(Stamp, Content)>> {
        let place = self.place(path, encoding);
        // Looked at first: opening a pipe would wait for its other end.
        if existing(fs::metadata(&place))?.is_none() {
            return Ok(None);
        }
        let Some(file) = there(File::open(&place))? else { return Ok(None) };
        let metadata = file.metadata()?;
        let length = metadata.len();
        let bytes = chunks::read(&file, &(0..if length <= SMALL { length } else { chunks::CHUNK }))?;
        let content = Content::new(path, tag_of(&metadata), length, bytes).with_encoding(encoding);
        let content = if length <= SMALL { content } else { content.with_rest(file) };
        let content = if self.has_variants { content.with_variants() } else { content };
        let content = match metadata.modified() {
            Ok(time) => content.with_time(time),
            Err(_) => content,
        };
        Ok(Some((Stamp::of(&metadata), content)))
    }

    /// What a variant's stamp is now; `None` when there is no such file.
    pub(super) fn stamp(&self, path: &str, encoding: Encoding) -> io::Result<Option<Stamp>> {
        Ok(existing(fs::metadata(self.place(path, encoding)))?.as_ref().map(Stamp::of))
    }

    fn place(&self, path: &str, encoding: Encoding) -> PathBuf {
        self.path.join(format!("{path}{}", encoding.ending()))
    }
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self {
            modified: metadata.modified().ok(),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
            device: metadata.dev(),
            number: metadata.ino(),
            length: metadata.len(),
        }
    }

    /// Whether a later change is sure to make another stamp.
    pub(super) fn is_settled(&self) -> bool {
        let age = self.modified.and_then(|modified| modified.elapsed().ok());
        age.is_some_and(|age| age > COARSEST_TIME)
    }
}

/// A plain file's metadata; `None` when there is no such file, or none for this program to read.
fn existing(metadata: io::Result<Metadata>) -> io::Result<Option<Metadata>> {
    Ok(there(metadata)?.filter(Metadata::is_file))
}

fn there<T>(outcome: io::Result<T>) -> io::Result<Option<T>> {
    use ErrorKind::{InvalidFilename, InvalidInput, NotADirectory, NotFound, PermissionDenied};
    match outcome {
        Ok(found) => Ok(Some(found)),
        Err(error) => match error.kind() {
            NotFound | NotADirectory | PermissionDenied | InvalidFilename | InvalidInput => Ok(None),
            _ => Err(error),
        },
    }
}

/// Strong: whoever changes a file within the resolution of its time, and not its length, is on his own.
fn tag_of(metadata: &Metadata) -> String {
    format!("\"{:x}.{:08x}-{:x}\"", metadata.mtime(), metadata.mtime_nsec(), metadata.len())
}
