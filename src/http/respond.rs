//! What a view may return, and the short ways to make a response.

use ::http::header::{CONTENT_TYPE, LOCATION};
use ::http::{HeaderValue, StatusCode};
use bytes::Bytes;
use http_body::Body as HttpBody;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde::Serialize;

use super::body::{Body, BodyError, Response};
use super::error::HttpError;
use crate::Error;

/// What a view may return: a response, a text, a status, or a result of these.
///
/// An error becomes a page in the router, which knows the route and what the client accepts.
///
/// A type of one's own:
///
/// ```
/// use serde::Serialize;
/// use solent::Result;
/// use solent::http::{IntoResponse, Request, Response, json};
///
/// #[derive(Serialize)]
/// struct Course {
///     title: &'static str,
/// }
///
/// impl IntoResponse for Course {
///     fn into_response(self) -> Result<Response> {
///         json(&self)
///     }
/// }
///
/// async fn course(_: Request) -> Course {
///     Course { title: "Networks" }
/// }
///
/// let answer = Course { title: "Networks" }.into_response()?;
/// assert_eq!(answer.headers()["content-type"], "application/json");
/// # Ok::<_, solent::Error>(())
/// ```
pub trait IntoResponse {
    /// The response.
    ///
    /// # Errors
    /// The view's error, to be made a page.
    fn into_response(self) -> Result<Response, Error>;
}

impl<B> IntoResponse for ::http::Response<B>
where
    B: HttpBody<Data = Bytes, Error: Into<BodyError>> + Send + 'static,
{
    fn into_response(self) -> Result<Response, Error> {
        Ok(self.map(Body::new))
    }
}

impl<T: IntoResponse, E: Into<Error>> IntoResponse for Result<T, E> {
    fn into_response(self) -> Result<Response, Error> {
        self.map_err(Into::into)?.into_response()
    }
}

impl IntoResponse for &'static str {
    fn into_response(self) -> Result<Response, Error> {
        Ok(text(self))
    }
}

impl IntoResponse for String {
    fn into_response(self) -> Result<Response, Error> {
        Ok(text(self))
    }
}

impl IntoResponse for StatusCode {
    fn into_response(self) -> Result<Response, Error> {
        Ok(status(self))
    }
}

impl<T: IntoResponse> IntoResponse for (StatusCode, T) {
    fn into_response(self) -> Result<Response, Error> {
        let mut response = self.1.into_response()?;
        *response.status_mut() = self.0;
        Ok(response)
    }
}

/// A response of HTML.
pub fn html(page: impl Into<Body>) -> Response {
    typed(page, "text/html; charset=utf-8")
}

/// A response of plain text.
pub fn text(text: impl Into<Body>) -> Response {
    typed(text, "text/plain; charset=utf-8")
}

/// A response of JSON.
///
/// # Errors
/// When `value` has no JSON form, such as a map with keys that are not text.
pub fn json<T: Serialize + ?Sized>(value: &T) -> Result<Response, Error> {
    Ok(typed(serde_json::to_vec(value)?, "application/json"))
}

/// A response with a status and no body.
pub fn status(status: StatusCode) -> Response {
    let mut response = Response::default();
    *response.status_mut() = status;
    response
}

/// A redirect (302) to `url`.
///
/// What may not stand in a URL is percent-encoded, so that no header can be smuggled in. That the target is a safe
/// one is the caller's to check when it comes from the client.
///
/// # Errors
/// 400 for a scheme that leads out of the web, such as `javascript:`.
pub fn redirect(url: &str) -> Result<Response, HttpError> {
    redirect_with(StatusCode::FOUND, url)
}

/// A permanent redirect (301) to `url`; otherwise as [`redirect`].
///
/// # Errors
/// As [`redirect`].
///
/// ```
/// use solent::http::redirect_permanently;
///
/// let answer = redirect_permanently("/courses/")?;
/// assert_eq!((answer.status().as_u16(), &answer.headers()["location"]), (301, &"/courses/".parse().unwrap()));
/// assert!(redirect_permanently("javascript:alert(1)").is_err());
/// # Ok::<_, solent::http::HttpError>(())
/// ```
pub fn redirect_permanently(url: &str) -> Result<Response, HttpError> {
    redirect_with(StatusCode::MOVED_PERMANENTLY, url)
}

fn redirect_with(code: StatusCode, url: &str) -> Result<Response, HttpError> {
    if let Some(scheme) = scheme(url)
        && !["http", "https", "ftp"].iter().any(|known| scheme.eq_ignore_ascii_case(known))
    {
        return Err(HttpError::bad_request("This redirect leads to a scheme that is not allowed."));
    }
    let mut response = status(code);
    let location = utf8_percent_encode(url, NOT_IN_URLS).to_string();
    let location =
        HeaderValue::from_str(&location).map_err(|_| HttpError::bad_request("Malformed redirect."))?;
    response.headers_mut().insert(LOCATION, location);
    Ok(response)
}

/// What stands before the first `:`, when it stands before the first `/`, `?` and `#` too.
fn scheme(url: &str) -> Option<&str> {
    // Browsers drop control characters and blanks in front of the scheme.
    let url = url.trim_start_matches(|c: char| c.is_control() || c.is_whitespace());
    let (scheme, _) = url.split_once(':')?;
    (!scheme.contains(['/', '?', '#'])).then_some(scheme)
}

/// What is encoded in a URL that may hold encoded parts already, as Django's `iri_to_uri`.
const NOT_IN_URLS: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

fn typed(body: impl Into<Body>, kind: &'static str) -> Response {
    let mut response = Response::new(body.into());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}
