//! The body type of requests and responses, and their short names.

use std::any::Any;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};

use crate::Error;

/// A request as views take it.
pub type Request = ::http::Request<Body>;

/// A response as views give it.
pub type Response = ::http::Response<Body>;

/// A body: bytes in hand, or any stream of them.
///
/// ```
/// use bytes::Bytes;
/// use solent::http::{Body, BodyError};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> solent::Result<()> {
/// assert_eq!(Body::from("hello").bytes().await?, "hello");
///
/// let broken = futures_util::stream::iter([Err::<http_body::Frame<Bytes>, BodyError>("the disk is gone".into())]);
/// let body = Body::new(http_body_util::StreamBody::new(broken));
/// assert!(body.bytes().await.is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Body {
    inner: Inner,
    kept: Option<Kept>,
}

/// What lives until a body has been sent.
struct Kept(#[expect(dead_code, reason = "only its drop matters")] Box<dyn Any + Send>);

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Kept")
    }
}

#[derive(Debug)]
enum Inner {
    // Most answers are whole; they are spared the box.
    Full(Full<Bytes>),
    Boxed(UnsyncBoxBody<Bytes, BodyError>),
}

/// What can go wrong with a body: the client left, a limit was passed, a stream failed.
pub type BodyError = Box<dyn std::error::Error + Send + Sync>;

impl Body {
    /// No bytes.
    pub fn empty() -> Self {
        Self::from(Bytes::new())
    }

    /// Any other body, boxed.
    pub fn new<B>(body: B) -> Self
    where
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<BodyError>,
    {
        let mut body = Some(body);
        // One of ours would only gain a second box.
        if let Some(own) = (&mut body as &mut dyn Any).downcast_mut::<Option<Self>>() {
            return own.take().unwrap_or_default();
        }
        body.map_or_else(Self::empty, |body| Self::boxed(body.map_err(Into::into).boxed_unsync()))
    }

    fn boxed(body: UnsyncBoxBody<Bytes, BodyError>) -> Self {
        Self { inner: Inner::Boxed(body), kept: None }
    }

    /// Keeps a value until the body has been sent or dropped.
    pub(crate) fn keep(&mut self, value: impl Any + Send) {
        self.kept = Some(Kept(Box::new(value)));
    }

    /// All bytes, in memory. Limits are kept by the body itself: the server wraps what it reads from clients.
    ///
    /// # Errors
    /// When the client leaves, is too slow, or sends more than the limit.
    ///
    /// # Cancel safety
    /// Dropping the future drops the body, with what was read of it.
    pub async fn bytes(self) -> Result<Bytes, Error> {
        match self.collect().await {
            Ok(collected) => Ok(collected.to_bytes()),
            Err(error) => Err(super::HttpError::from_body(error).into()),
        }
    }
}

impl Default for Body {
    fn default() -> Self {
        Self::empty()
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self { inner: Inner::Full(Full::new(bytes)), kept: None }
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Self::from(Bytes::from(text))
    }
}

impl From<&'static str> for Body {
    fn from(text: &'static str) -> Self {
        Self::from(Bytes::from_static(text.as_bytes()))
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Self::from(Bytes::from(bytes))
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match &mut self.inner {
            Inner::Full(body) => Pin::new(body).poll_frame(cx).map_err(|never| match never {}),
            Inner::Boxed(body) => Pin::new(body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.inner {
            Inner::Full(body) => body.is_end_stream(),
            Inner::Boxed(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.inner {
            Inner::Full(body) => body.size_hint(),
            Inner::Boxed(body) => body.size_hint(),
        }
    }
}
