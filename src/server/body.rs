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
pub(super) fn bounded(body: hyper::body::Incoming, limits: &Limits) -> Body {
    if body.is_end_stream() {
        return Body::empty();
    }
    Body::new(Bounded {
        body,
        left: limits.body_bytes,
        time: limits.body_read_time,
        timer: Box::pin(tokio::time::sleep(limits.body_read_time)),
    })
}

struct Bounded {
    body: hyper::body::Incoming,
    left: usize,
    time: Duration,
    timer: Pin<Box<Sleep>>,
}

impl HttpBody for Bounded {
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
            return match self.timer.as_mut().poll(cx) {
                Poll::Ready(()) => Poll::Ready(Some(Err(too_slow()))),
                Poll::Pending => Poll::Pending,
            };
        };
        let next = Instant::now() + self.time;
        self.timer.as_mut().reset(next);
        if let Some(Ok(frame)) = &frame {
            let length = frame.data_ref().map_or(0, Bytes::len);
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
