//! Which part of the path a router matches.

use crate::http::Request;
use crate::{Scope, Scoped};

/// What an outer router left, else the path below `root_path`; `None` when the path is not below it.
pub(super) fn own_path(scope: &Scope) -> Option<&str> {
    match &scope.path_remaining {
        Some(rest) => Some(rest),
        None => below_root(&scope.path, &scope.root_path),
    }
}

/// `path` without `root`, which ends where a segment ends: `/app` is no root of `/apple/`.
pub(super) fn below_root<'p>(path: &'p str, root: &str) -> Option<&'p str> {
    let rest = path.strip_prefix(root.trim_end_matches('/'))?;
    (rest.is_empty() || rest.starts_with('/') || root.is_empty()).then_some(rest)
}

/// Makes what a router left the request's whole path, for services that know nothing of scopes.
///
/// The raw path is cut, not made anew: decoding takes each byte or `%XX` to one byte, so that the end of the one is
/// the end of the other.
pub(super) fn rewrite_path(request: &mut Request) {
    let scope = request.scope();
    let rest = scope.path_remaining.as_deref().unwrap_or_default().len();
    let raw = request.uri().path();
    let mut units = 0;
    let mut start = raw.len();
    while units < rest && start > 0 {
        start -= if start >= 3 && is_escape(&raw.as_bytes()[start - 3..start]) { 3 } else { 1 };
        units += 1;
    }
    let path = raw.get(start..).unwrap_or_default().trim_start_matches('/');
    let query = request.uri().query().map_or(String::new(), |query| format!("?{query}"));
    let mut parts = request.uri().clone().into_parts();
    parts.path_and_query = format!("/{path}{query}").parse().ok();
    if let Ok(uri) = ::http::Uri::from_parts(parts) {
        *request.uri_mut() = uri;
    }
}

fn is_escape(bytes: &[u8]) -> bool {
    matches!(bytes, [b'%', a, b] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit())
}
