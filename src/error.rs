//! The error of user code: one box for everything, told apart by what is in it.
//!
//! Handlers and views return [`Result`]. Any `std::error::Error` becomes an [`Error`] by `?`. What happens next
//! depends on the boxed type: a [`ClientError`] is the client's fault and is told to the client, a
//! [`Denial`](crate::websocket::Denial) or [`HttpError`](crate::http::HttpError) is an answer with a status, a
//! [`KwargError`](crate::KwargError) is “not found”; everything else is the program's fault (500, or close code
//! 1011) and is logged with its chain.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;

/// The result of handlers and views.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Any error of user code, boxed.
///
/// Like other boxed error types it does not implement `std::error::Error` itself; that is what lets `?` take every
/// error that does.
///
/// ```
/// use std::io;
/// use solent::Error;
///
/// let error = Error::from(io::Error::new(io::ErrorKind::NotFound, "no such report"));
/// assert!(error.downcast_ref::<io::Error>().is_some());
/// let error = error.downcast::<std::fmt::Error>().expect_err("it is none");
/// assert_eq!(error.downcast::<io::Error>().map(|error| error.kind()).ok(), Some(io::ErrorKind::NotFound));
/// ```
pub struct Error(Box<dyn StdError + Send + Sync>);

impl Error {
    /// An error that is only a text.
    pub fn msg(text: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Text(text.into())))
    }

    /// An error that is boxed already, such as that of a foreign service.
    pub fn boxed(error: Box<dyn StdError + Send + Sync>) -> Self {
        Self(error)
    }

    /// The boxed error, when it is a `T`.
    pub fn downcast_ref<T: StdError + 'static>(&self) -> Option<&T> {
        self.0.downcast_ref()
    }

    /// Takes the boxed error out, when it is a `T`.
    ///
    /// # Errors
    /// The error itself, unchanged, when it is something else.
    pub fn downcast<T: StdError + 'static>(self) -> std::result::Result<T, Self> {
        self.0.downcast::<T>().map(|inner| *inner).map_err(Self)
    }

    /// The whole chain, outermost first, joined by `: `, as log entries show it.
    pub fn chain(&self) -> String {
        let mut text = self.0.to_string();
        let mut next = self.0.source();
        while let Some(source) = next {
            text.push_str(": ");
            text.push_str(&source.to_string());
            next = source.source();
        }
        text
    }
}

impl<E: StdError + Send + Sync + 'static> From<E> for Error {
    fn from(error: E) -> Self {
        Self(Box::new(error))
    }
}

impl From<Error> for Box<dyn StdError + Send + Sync> {
    fn from(error: Error) -> Self {
        error.0
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[derive(Debug)]
struct Text(Cow<'static, str>);

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl StdError for Text {}

/// A client's mistake in one message: malformed JSON, a missing field, a text that is too long.
///
/// A route's policy decides what follows: `report` sends `{"type": "error", "code": …, "message": …}` to that
/// client and the socket lives on; `close` ends it with 1008.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientError {
    code: Cow<'static, str>,
    message: Cow<'static, str>,
}

impl ClientError {
    /// A mistake with a machine-readable `code` and a `message` for people. Both are sent to the client.
    pub fn new(code: impl Into<Cow<'static, str>>, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code: code.into(), message: message.into() }
    }

    /// The machine-readable code, such as `malformed`.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// The sentence for people.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message, self.code)
    }
}

impl StdError for ClientError {}
