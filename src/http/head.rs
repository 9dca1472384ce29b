//! The answer to HEAD: that to GET without its body.

use ::http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http_body::Body as _;

use super::body::{Body, Response};

/// Takes the body away; `Content-Length` still says how long it would be, where that is known.
pub(crate) fn strip_body(mut response: Response) -> Response {
    let length = response.body().size_hint().exact();
    let headers = response.headers_mut();
    if let Some(length) = length
        && length > 0
        && !headers.contains_key(TRANSFER_ENCODING)
    {
        headers.entry(CONTENT_LENGTH).or_insert_with(|| length.into());
    }
    *response.body_mut() = Body::empty();
    response
}
