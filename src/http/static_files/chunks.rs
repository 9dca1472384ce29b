//! The bytes of a large file on their way out: read piece by piece, off the async threads.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio::task::{JoinHandle, spawn_blocking};

/// What is read at once: enough that the change of threads costs little beside it, and little enough for a thousand slow
/// clients.
pub(super) const CHUNK: u64 = 128 << 10;

/// Part of a file.
#[derive(Debug)]
pub(super) struct Chunks {
    file: Arc<File>,
    /// What is still to be read.
    left: Range<u64>,
    /// What has been read, and is still to be sent.
    ready: Bytes,
    reading: Option<JoinHandle<io::Result<Bytes>>>,
}

impl Chunks {
    /// A part whose first bytes are known.
    pub(super) fn new(file: Arc<File>, part: Range<u64>, known: Bytes) -> Self {
        let left = part.start + known.len() as u64..part.end;
        Self { file, left, ready: known, reading: None }
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Bytes>> {
        let reading = self.reading.get_or_insert_with(|| {
            let next = self.left.start..self.left.end.min(self.left.start + CHUNK);
            let file = Arc::clone(&self.file);
            spawn_blocking(move || read(&file, &next))
        });
        let outcome = ready!(Pin::new(reading).poll(cx));
        self.reading = None;
        Poll::Ready(outcome.unwrap_or_else(|ended| Err(ended.into())))
    }
}

/// All bytes of a part. A file that has become shorter is an error: its length was told.
pub(super) fn read(file: &File, part: &Range<u64>) -> io::Result<Bytes> {
    let length = usize::try_from(part.end - part.start).map_err(io::Error::other)?;
    let mut bytes = vec![0; length];
    file.read_exact_at(&mut bytes, part.start)?;
    Ok(bytes.into())
}

impl HttpBody for Chunks {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if self.is_end_stream() {
            return Poll::Ready(None);
        }
        if self.ready.is_empty() {
            self.ready = ready!(self.poll_read(cx))?;
            self.left.start += self.ready.len() as u64;
        }
        Poll::Ready(Some(Ok(Frame::data(std::mem::take(&mut self.ready)))))
    }

    fn is_end_stream(&self) -> bool {
        self.ready.is_empty() && self.left.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.ready.len() as u64 + self.left.end - self.left.start)
    }
}
