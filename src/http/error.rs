//! An error that is an answer: a status and a text for the client.

use std::borrow::Cow;

use ::http::StatusCode;

use super::body::BodyError;

/// An error of a view that is an answer: a status and a text that the client may see.
///
/// ```
/// use solent::Result;
/// use solent::http::{HttpError, Request, RequestExt};
///
/// async fn double(request: Request) -> Result<String> {
///     let text = request.uri().query().unwrap_or_default();
///     let number: i64 = text.parse().map_err(|_| HttpError::bad_request("expected ?NUMBER"))?;
///     Ok((number * 2).to_string())
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} {text}", status.as_u16())]
pub struct HttpError {
    status: StatusCode,
    text: Cow<'static, str>,
}

impl HttpError {
    /// An answer with a status and a text for the client.
    pub fn new(status: StatusCode, text: impl Into<Cow<'static, str>>) -> Self {
        Self { status, text: text.into() }
    }

    /// 400.
    pub fn bad_request(text: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, text)
    }

    /// 403.
    pub fn forbidden(text: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::FORBIDDEN, text)
    }

    /// 404.
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "Not found.")
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The text for the client.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What a failed body means: the limits' own answers as they are, everything else a 400.
    pub(crate) fn from_body(error: BodyError) -> Self {
        match error.downcast::<Self>() {
            Ok(answer) => *answer,
            Err(error) if error.is::<http_body_util::LengthLimitError>() => {
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, "The request body is too large.")
            }
            Err(_) => Self::bad_request("The request body ended early."),
        }
    }
}
