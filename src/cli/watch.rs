//! Notices that a file has changed.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Between two looks: soon enough for who edits the file, rare enough to cost nothing.
const BETWEEN: Duration = Duration::from_millis(500);

/// A file that is looked at, or none.
#[derive(Debug)]
pub(super) struct Watch {
    file: Option<PathBuf>,
    seen: Option<(SystemTime, u64)>,
}

impl Watch {
    /// Looks at a file when it is asked to.
    pub(super) fn new(file: &Path, wanted: bool) -> Self {
        Self { file: wanted.then(|| file.to_owned()), seen: state_of(file) }
    }

    /// Resolves when the file has changed since it was last looked at; never without one. Cancel safe.
    pub(super) async fn changed(&mut self) {
        let Some(file) = &self.file else { return std::future::pending().await };
        loop {
            tokio::time::sleep(BETWEEN).await;
            let now = state_of(file);
            // A file that is gone is about to come back: editors write a new one and rename it.
            if now.is_some() && now != self.seen {
                self.seen = now;
                return;
            }
        }
    }
}

fn state_of(file: &Path) -> Option<(SystemTime, u64)> {
    let metadata = std::fs::metadata(file).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}
