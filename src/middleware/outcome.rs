//! What lets one middleware serve both protocols: how an application's answer is refused, and looked at on its way out.

use std::future::{Ready, ready};

use ::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use futures_util::future::Either;

use crate::http::HttpError;
use crate::scope::sealed::Sealed;
use crate::websocket::{Denial, Refusal};

/// The answer of an application, as middleware sees it: an HTTP response, or `()` for an accepted connection.
///
/// Middleware written against it works for requests and handshakes alike: a refusal becomes a response on one side
/// and a [`Refusal`] on the other. Sealed: there are no further answers.
pub trait Outcome<E>: Sized + Sealed {
    /// The answer that refuses.
    ///
    /// # Errors
    /// For connections, whose refusals are errors.
    fn refused(denial: Denial) -> Result<Self, E>;

    /// The response's status; `None` for connections, which their consumer has answered.
    fn status(&self) -> Option<StatusCode>;

    /// The response's headers; `None` for connections.
    fn headers_mut(&mut self) -> Option<&mut HeaderMap>;
}

impl<B> Sealed for Response<B> {}
impl Sealed for () {}

impl<B: From<String>, E> Outcome<E> for Response<B> {
    fn refused(denial: Denial) -> Result<Self, E> {
        let mut response = Self::new(B::from(denial.text.to_string()));
        *response.status_mut() = denial.status;
        *response.headers_mut() = denial.headers;
        let plain = HeaderValue::from_static("text/plain; charset=utf-8");
        response.headers_mut().entry(header::CONTENT_TYPE).or_insert(plain);
        if denial.status.is_client_error() || denial.status.is_server_error() {
            // What an error page further out shows in place of the plain text.
            response.extensions_mut().insert(HttpError::new(denial.status, denial.text));
        }
        Ok(response)
    }

    fn status(&self) -> Option<StatusCode> {
        Some(Self::status(self))
    }

    fn headers_mut(&mut self) -> Option<&mut HeaderMap> {
        Some(Self::headers_mut(self))
    }
}

impl<E: From<Refusal>> Outcome<E> for () {
    fn refused(denial: Denial) -> Result<Self, E> {
        Err(E::from(Refusal::from(denial)))
    }

    fn status(&self) -> Option<StatusCode> {
        None
    }

    fn headers_mut(&mut self) -> Option<&mut HeaderMap> {
        None
    }
}

/// The future of a middleware that lets pass or refuses at once: [`passed`] or [`refused`].
///
/// ```
/// use std::task::{Context, Poll};
///
/// use solent::middleware::{Checked, Outcome, passed, refused};
/// use solent::websocket::Denial;
/// use solent::Scoped;
/// use tower::Service;
///
/// /// Serves the visitors of one machine, on both protocols.
/// #[derive(Clone)]
/// struct Local<S>(S);
///
/// impl<S, R> Service<R> for Local<S>
/// where
///     S: Service<R, Response: Outcome<S::Error>>,
///     R: Scoped,
/// {
///     type Response = S::Response;
///     type Error = S::Error;
///     type Future = Checked<S::Future, S::Response, S::Error>;
///
///     fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
///         self.0.poll_ready(cx)
///     }
///
///     fn call(&mut self, request: R) -> Self::Future {
///         if request.scope().client.is_none_or(|client| client.ip().is_loopback()) {
///             passed(self.0.call(request))
///         } else {
///             refused(Denial::new(http::StatusCode::FORBIDDEN, "local", "Not from there."))
///         }
///     }
/// }
/// ```
pub type Checked<F, T, E> = Either<F, Ready<Result<T, E>>>;

/// The future of a request or connection that goes on to the inner application.
pub fn passed<F, T, E>(inner: F) -> Checked<F, T, E> {
    Either::Left(inner)
}

/// The future of a request or connection that is refused, which is written to the log with its rule.
pub fn refused<F, T: Outcome<E>, E>(denial: Denial) -> Checked<F, T, E> {
    tracing::warn!(rule = %denial.rule, "refused: {denial}");
    Either::Right(ready(T::refused(denial)))
}
