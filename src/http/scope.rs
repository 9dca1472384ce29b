//! A request's scope, made from its head.

use percent_encoding::percent_decode_str;

use crate::{Protocol, Scope};

/// The scope of a request. A path that is not UTF-8 is kept undecoded here; the server refuses it earlier.
pub(crate) fn scope_of<B>(request: &::http::Request<B>) -> Scope {
    let raw_path = request.uri().path();
    let path = percent_decode_str(raw_path).decode_utf8().map_or_else(|_| raw_path.to_owned(), Into::into);
    let mut scope = Scope::new(Protocol::HTTP, path);
    scope.raw_path = raw_path.to_owned();
    scope.method = request.method().clone();
    scope.query_string = request.uri().query().unwrap_or_default().to_owned();
    scope
}
