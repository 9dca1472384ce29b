//! An answer on its way: the head that the view waits for, and the body behind it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use ::http::HeaderMap;
use ::http::header::CONTENT_TYPE;
use bytes::Bytes;
use http_body::{Body as HttpBody, Frame};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, Sleep, timeout};
use tokio_util::sync::DropGuard;

use crate::http::{Body, BodyError, Response, Watch};
use crate::{Error, Result};

/// Pieces of a body that wait for the client; the next send waits too.
const WAITING_PIECES: usize = 16;

/// A comment of an event stream, which clients leave out.
const COMMENT: Bytes = Bytes::from_static(b":\n\n");

/// What an answer's head is followed by.
pub(super) enum Head {
    /// A whole response.
    Whole(Response),
    /// A stream.
    Stream(::http::response::Parts, Pieces),
}

/// The consumer's end of an answer.
pub(super) struct Answer {
    head: Option<oneshot::Sender<Result<Head>>>,
    pieces: Option<mpsc::Sender<Bytes>>,
    ended_well: Arc<AtomicBool>,
    /// How long the client may take nothing.
    stall: Duration,
    presence: Option<Arc<Watch>>,
}

/// The client is gone, or the answer has ended: nothing more can be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the answer has ended: nothing more can be sent")]
pub(super) struct Ended;

impl Answer {
    pub(super) fn new(
        head: oneshot::Sender<Result<Head>>,
        stall: Duration,
        presence: Option<Arc<Watch>>,
    ) -> Self {
        Self { head: Some(head), pieces: None, ended_well: Arc::default(), stall, presence }
    }

    /// Whether nothing of it was sent.
    pub(super) fn is_open(&self) -> bool {
        self.head.is_some()
    }

    /// Whether nothing can follow.
    pub(super) fn is_ended(&self) -> bool {
        self.head.is_none() && self.pieces.is_none()
    }

    pub(super) fn send_head(&mut self, head: Result<Head>) -> Result<()> {
        let Some(waiting) = self.head.take() else {
            return Err(Error::msg("the answer's head was sent already"));
        };
        waiting.send(head).map_err(|_| Ended.into())
    }

    /// Begins a stream.
    pub(super) fn start(&mut self, parts: ::http::response::Parts) -> Result<()> {
        // A half-closed reader of events is told from one that left by the comments.
        if let Some(presence) = self.presence.as_ref().filter(|_| is_event_stream(&parts.headers)) {
            presence.stop();
        }
        let (sender, receiver) = mpsc::channel(WAITING_PIECES);
        let pieces = Pieces { receiver, ended_well: Arc::clone(&self.ended_well) };
        self.send_head(Ok(Head::Stream(parts, pieces)))?;
        self.pieces = Some(sender);
        Ok(())
    }

    pub(super) async fn send(&mut self, piece: Bytes) -> Result<()> {
        if self.head.is_some() {
            return Err(Error::msg("a body before its head: call `send_headers` first"));
        }
        let Some(pieces) = &self.pieces else { return Err(Ended.into()) };
        if !matches!(timeout(self.stall, pieces.send(piece)).await, Ok(Ok(()))) {
            self.pieces = None;
            return Err(Ended.into());
        }
        Ok(())
    }

    /// Ends a stream as it should end.
    pub(super) fn finish(&mut self) {
        self.ended_well.store(true, Ordering::Release);
        self.pieces = None;
    }

    /// Cuts a stream off.
    pub(super) fn abort(&mut self) {
        self.pieces = None;
    }
}

/// The pieces of a stream, seen from the server.
pub(super) struct Pieces {
    receiver: mpsc::Receiver<Bytes>,
    ended_well: Arc<AtomicBool>,
}

impl Pieces {
    /// The pieces as a body. `quiet` is how long an event stream may say nothing; `guard` tells of the client's end.
    pub(super) fn into_body(self, quiet: Option<Duration>, guard: DropGuard) -> Body {
        let quiet = quiet.map(|time| (time, Box::pin(tokio::time::sleep(time))));
        Body::new(Stream { pieces: self, quiet, _guard: guard })
    }
}

struct Stream {
    pieces: Pieces,
    quiet: Option<(Duration, Pin<Box<Sleep>>)>,
    _guard: DropGuard,
}

impl Stream {
    /// Moves the next comment away from now.
    fn heard(&mut self) {
        if let Some((time, sleep)) = &mut self.quiet {
            sleep.as_mut().reset(Instant::now() + *time);
        }
    }
}

impl HttpBody for Stream {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match self.pieces.receiver.poll_recv(cx) {
            Poll::Ready(Some(piece)) => {
                self.heard();
                return Poll::Ready(Some(Ok(Frame::data(piece))));
            }
            Poll::Ready(None) if self.pieces.ended_well.load(Ordering::Acquire) => return Poll::Ready(None),
            Poll::Ready(None) => return Poll::Ready(Some(Err(Box::new(CutOff)))),
            Poll::Pending => {}
        }
        // Writing is how a server on TCP learns that a half-closed client is gone.
        let Some((_, sleep)) = &mut self.quiet else { return Poll::Pending };
        ready!(sleep.as_mut().poll(cx));
        self.heard();
        Poll::Ready(Some(Ok(Frame::data(COMMENT))))
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the consumer failed: the answer is cut off")]
struct CutOff;

/// The content type of server-sent events.
pub(super) const EVENT_STREAM: &str = "text/event-stream";

pub(super) fn is_event_stream(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(EVENT_STREAM.as_bytes()))
}
