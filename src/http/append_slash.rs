//! The redirect to the same path with a slash at its end.

use ::http::Method;

use super::body::{Request, Response};
use super::respond::redirect_permanently;
use crate::Scoped;

/// Whether a request may be answered with a redirect: others would lose their body on the way.
pub(crate) fn may_append_slash(request: &Request) -> bool {
    matches!(*request.method(), Method::GET | Method::HEAD) && !request.scope().path.ends_with('/')
}

/// A permanent redirect to the path with a slash, the query kept. A path that begins with two slashes would name
/// another host there, so that the second one is encoded, as Django does it.
pub(crate) fn append_slash(request: &Request) -> Option<Response> {
    let scope = request.scope();
    let path = match scope.raw_path.strip_prefix("//") {
        Some(rest) => format!("/%2F{rest}"),
        None => scope.raw_path.to_string(),
    };
    let query = match &*scope.query_string {
        "" => String::new(),
        query => format!("?{query}"),
    };
    redirect_permanently(&format!("{path}/{query}")).ok()
}
