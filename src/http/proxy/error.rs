//! Why a server behind has given no answer, and what the client is told.

use std::error::Error as StdError;
use std::io;

use ::http::StatusCode;

use crate::http::HttpError;

/// Why a server behind has given no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum ProxyError {
    #[error("cannot connect")]
    Connect(#[source] io::Error),
    #[error("connecting took too long")]
    ConnectTime,
    #[error("too many requests are with it already")]
    Full,
    #[error("no answer came in time")]
    ResponseTime,
    #[error("no answer that can be read")]
    Exchange(#[source] hyper::Error),
    #[error("its answer is not lawful: {0}")]
    Unlawful(&'static str),
    #[error("the client has left")]
    Left,
    /// The client's own body failed, or this request cannot be passed on.
    #[error("the request: {0}")]
    Client(HttpError),
}

impl ProxyError {
    /// What an exchange's failure means: the client's, when it was its body that failed.
    pub(super) fn from_exchange(error: hyper::Error) -> Self {
        match client_error(&error) {
            Some(client) => Self::Client(client),
            None => Self::Exchange(error),
        }
    }

    /// Whether the server was not even reached, so that it has seen nothing of the request.
    pub(super) fn is_unreachable(&self) -> bool {
        matches!(self, Self::Connect(_) | Self::ConnectTime)
    }

    /// What the client is answered.
    pub(super) fn answer(&self) -> HttpError {
        match self {
            Self::Connect(_) | Self::Exchange(_) | Self::Unlawful(_) => HttpError::new(
                StatusCode::BAD_GATEWAY,
                "The server behind this one does not answer properly.",
            ),
            Self::ConnectTime | Self::ResponseTime => {
                HttpError::new(StatusCode::GATEWAY_TIMEOUT, "The server behind this one takes too long.")
            }
            Self::Full => {
                HttpError::new(StatusCode::SERVICE_UNAVAILABLE, "The server behind this one is busy.")
            }
            Self::Left => HttpError::bad_request("You have closed the connection, and no answer came soon."),
            Self::Client(error) => error.clone(),
        }
    }

    /// The result's name in the figures.
    pub(super) fn label(&self) -> &'static str {
        match self {
            Self::Connect(_) => "connect",
            Self::ConnectTime => "connect_time",
            Self::Full => "full",
            Self::ResponseTime => "response_time",
            Self::Exchange(_) => "broken",
            Self::Unlawful(_) => "unlawful",
            Self::Left | Self::Client(_) => "client",
        }
    }

    /// The whole chain, for the log.
    pub(super) fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut next = self.source();
        while let Some(source) = next {
            text.push_str(": ");
            text.push_str(&source.to_string());
            next = source.source();
        }
        text
    }
}

/// The answer in an error of the client's body, such as 413 and 408; a client that left is a 400 that nobody reads.
fn client_error(error: &hyper::Error) -> Option<HttpError> {
    let mut next = error.source();
    while let Some(source) = next {
        if let Some(answer) = source.downcast_ref::<HttpError>() {
            return Some(answer.clone());
        }
        next = source.source();
    }
    error.is_user().then(|| HttpError::bad_request("The request body ended early."))
}
