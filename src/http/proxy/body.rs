//! Bodies on their way: requests up, with their progress noted; answers down, with the time between reads bounded.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::yield_now;
use tokio::time::{Instant, Sleep, sleep};

use super::headers::clean_trailers;
use super::lease::Lease;
use crate::http::{Body, BodyError};

/// How far a request's body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// It is the server's turn since then.
    Moved(Instant),
    /// More is to come from the client, which has its own time limit.
    Waiting,
    /// All of it was taken.
    Done(Instant),
}

/// Who waits for the answer looks at the request's progress here.
#[derive(Debug, Clone)]
pub(super) struct Progress(Arc<Mutex<State>>);

impl Progress {
    /// Since when the server has owed something; `None` while the client does.
    pub(super) fn since(&self) -> Option<Instant> {
        match self.get() {
            State::Moved(since) | State::Done(since) => Some(since),
            State::Waiting => None,
        }
    }

    /// Whether the whole request was taken: the connection can serve another one.
    pub(super) fn is_done(&self) -> bool {
        matches!(self.get(), State::Done(_))
    }

    fn get(&self) -> State {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, state: State) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }
}

/// A request's body on its way to the server.
#[derive(Debug)]
pub(super) struct Upload {
    body: Body,
    progress: Progress,
}

impl Upload {
    pub(super) fn new(body: Body) -> (Self, Progress) {
        let now = Instant::now();
        let state = if body.is_end_stream() { State::Done(now) } else { State::Moved(now) };
        let progress = Progress(Arc::new(Mutex::new(state)));
        (Self { body, progress: progress.clone() }, progress)
    }

    /// No body, for a request that is sent once more.
    pub(super) fn empty(progress: Progress) -> Self {
        Self { body: Body::empty(), progress }
    }
}

impl HttpBody for Upload {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        let now = Instant::now();
        self.progress.set(match &polled {
            Poll::Pending => State::Waiting,
            Poll::Ready(None) => State::Done(now),
            Poll::Ready(Some(_)) if self.body.is_end_stream() => State::Done(now),
            Poll::Ready(Some(_)) => State::Moved(now),
        });
        let Poll::Ready(Some(Ok(mut frame))) = polled else { return polled };
        frame.trailers_mut().map(clean_trailers);
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// An answer's body on its way to the client. It holds the connection, and gives it back at its end.
pub(super) struct Download {
    body: Incoming,
    /// What has come with the head.
    first: Option<Result<Frame<Bytes>, BodyError>>,
    lease: Option<Lease>,
    upload: Progress,
    time: Duration,
    timer: Option<Pin<Box<Sleep>>>,
    // Only a pause of the server counts, not the time in which the client took nothing.
    armed: bool,
    _place: OwnedSemaphorePermit,
}

/// The server has paused for too long within an answer.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the server behind sent nothing for {0:?} within an answer")]
struct TooSlow(Duration);

impl Download {
    pub(super) fn new(
        body: Incoming,
        lease: Lease,
        upload: Progress,
        time: Duration,
        place: OwnedSemaphorePermit,
    ) -> Self {
        let (lease, timer) = (Some(lease), None);
        Self { body, first: None, lease, upload, time, timer, armed: false, _place: place }
    }

    /// The body, together with what has come of it behind the head. Mostly that is all of it: then the connection is
    /// free at once, and the client gets head and body in one write.
    pub(super) async fn beginning(mut self) -> Body {
        if self.body.is_end_stream() {
            self.end();
            return Body::empty();
        }
        let mut first = poll_fn(|cx| Poll::Ready(self.poll_body(cx))).await;
        if first.is_pending() {
            // The connection's task hands bytes out when it is asked: now it has been, and needs its turn.
            yield_now().await;
            first = poll_fn(|cx| Poll::Ready(self.poll_body(cx))).await;
        }
        match first {
            Poll::Ready(Some(Ok(frame))) if self.body.is_end_stream() => {
                frame.into_data().map_or_else(|_| Body::empty(), Body::from)
            }
            Poll::Ready(first) => {
                self.first = first;
                Body::new(self)
            }
            Poll::Pending => Body::new(self),
        }
    }

    fn end(&mut self) {
        if let Some(lease) = self.lease.take().filter(|_| self.upload.is_done()) {
            lease.give_back();
        }
    }

    fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
            Some(Ok(mut frame)) => {
                frame.trailers_mut().map(clean_trailers);
                if self.body.is_end_stream() {
                    self.end();
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Some(Err(error)) => Poll::Ready(Some(Err(broken_off(error.into())))),
            None => {
                self.end();
                Poll::Ready(None)
            }
        }
    }

    fn poll_time(&mut self, cx: &mut Context<'_>) -> Poll<TooSlow> {
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(self.time)));
        if !std::mem::replace(&mut self.armed, true) {
            timer.as_mut().reset(Instant::now() + self.time);
        }
        ready!(timer.as_mut().poll(cx));
        Poll::Ready(TooSlow(self.time))
    }
}

impl HttpBody for Download {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(first));
        }
        if let Poll::Ready(frame) = self.poll_body(cx) {
            self.armed = false;
            return Poll::Ready(frame);
        }
        self.poll_time(cx).map(|slow| Some(Err(broken_off(slow.into()))))
    }

    fn is_end_stream(&self) -> bool {
        self.first.is_none() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let Some(Ok(first)) = &self.first else { return self.body.size_hint() };
        let known = first.data_ref().map_or(0, Bytes::len) as u64;
        let left = self.body.size_hint();
        let mut whole = SizeHint::new();
        whole.set_lower(left.lower() + known);
        if let Some(most) = left.upper() {
            whole.set_upper(most + known);
        }
        whole
    }
}

fn broken_off(error: BodyError) -> BodyError {
    tracing::warn!(%error, "an answer of a server behind has broken off");
    error
}
