//! A request's body as views read it: no larger than the limit, no slower than the time between reads.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use ::http::StatusCode;
use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::{Instant, Sleep};

use crate::Limits;
use crate::http::{Body, BodyError, HttpError};

/// The body of a request under the server's limits. A request without one costs nothing.
pub(super) fn bounded<B>(body: B, limits: &Limits) -> Body
where
    B: HttpBody<Data = Bytes, Error: Into<BodyError>> + Unpin + Send + 'static,
{
    if body.is_end_stream() {
        return Body::empty();
    }
    Body::new(Bounded { body, left: limits.body_bytes, patience: Patience::new(limits.body_read_time) })
}

struct Bounded<B> {
    body: B,
    left: usize,
    patience: Patience,
}

/// How many read times a body may take altogether, and the bytes that earn it a second more. Without such a bound, one
/// byte before each deadline would keep a connection for years.
const READ_TIMES: u32 = 4;
const EARN_A_SECOND: usize = 500;

/// How long a body's bytes are waited for. The view's own time does not count.
struct Patience {
    /// Between two reads.
    time: Duration,
    /// What has been waited altogether.
    waited: Duration,
    waiting_since: Option<Instant>,
    received: usize,
    timer: Pin<Box<Sleep>>,
}

impl Patience {
    fn new(time: Duration) -> Self {
        let timer = Box::pin(tokio::time::sleep(time));
        Self { time, waited: Duration::ZERO, waiting_since: None, received: 0, timer }
    }

    /// Ready when it has come to an end.
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.waiting_since.is_none() {
            let now = Instant::now();
            self.waiting_since = Some(now);
            let earned = Duration::from_secs((self.received / EARN_A_SECOND) as u64);
            let left = (READ_TIMES * self.time + earned).saturating_sub(self.waited);
            self.timer.as_mut().reset(now + left.min(self.time));
        }
        self.timer.as_mut().poll(cx)
    }

    fn has_received(&mut self, bytes: usize) {
        self.received += bytes;
        self.waited += self.waiting_since.take().map_or(Duration::ZERO, |since| since.elapsed());
    }
}

impl<B> HttpBody for Bounded<B>
where
    B: HttpBody<Data = Bytes, Error: Into<BodyError>> + Unpin,
{
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if self.body.size_hint().lower() > self.left as u64 {
            return Poll::Ready(Some(Err(too_large())));
        }
        let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) else {
            return self.patience.poll_end(cx).map(|()| Some(Err(too_slow())));
        };
        if let Some(Ok(frame)) = &frame {
            let length = frame.data_ref().map_or(0, Bytes::len);
            self.patience.has_received(length);
            match self.left.checked_sub(length) {
                Some(left) => self.left = left,
                None => return Poll::Ready(Some(Err(too_large()))),
            }
        }
        Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

fn too_large() -> BodyError {
    HttpError::new(StatusCode::PAYLOAD_TOO_LARGE, "The request body is too large.").into()
}

fn too_slow() -> BodyError {
    HttpError::new(StatusCode::REQUEST_TIMEOUT, "The request body came too slowly.").into()
}
