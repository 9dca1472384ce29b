//! A request's scope, made from its head.

use std::sync::Arc;

use ::http::StatusCode;
use percent_encoding::percent_decode_str;

use super::body::{Request, Response};
use super::pages::{page, wants_html};
use crate::{Protocol, Scope};

/// The scope of a request. A path that is not UTF-8 is kept undecoded here; the server refuses it earlier.
pub(crate) fn scope_of<B>(request: &::http::Request<B>) -> Scope {
    let raw_path = request.uri().path();
    let path = percent_decode_str(raw_path).decode_utf8().map_or_else(|_| raw_path.to_owned(), Into::into);
    let mut scope = Scope::within(Arc::default(), Protocol::HTTP, raw_path.into(), path);
    scope.method = request.method().clone();
    scope.query_string = request.uri().query().unwrap_or_default().to_owned();
    scope
}

/// Whether the path decodes to text without NUL, which no file system and no database takes.
pub(crate) fn is_valid_path(scope: &Scope) -> bool {
    if scope.path.contains('\0') {
        return false;
    }
    !scope.raw_path.contains('%') || percent_decode_str(&scope.raw_path).decode_utf8().is_ok()
}

/// The 400 for a path that is not valid.
pub(crate) fn invalid_path(request: &Request) -> Response {
    let text = "The path is not valid UTF-8 or holds a NUL.";
    page(StatusCode::BAD_REQUEST, text, None, wants_html(request.headers()))
}
