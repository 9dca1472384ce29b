//! Which part of the path a router matches.

use crate::Scope;

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
