//! Route names, and the way back from a name to a path.

use std::collections::BTreeMap;

use super::{RouteError, RouteInfo};

/// The names of all routes of a server.
#[derive(Debug, Clone, Default)]
pub struct Names(BTreeMap<String, RouteInfo>);

impl Names {
    /// The names among `routes`.
    ///
    /// # Errors
    /// [`RouteError::DuplicateName`] when two routes have one name.
    pub fn new(routes: impl IntoIterator<Item = RouteInfo>) -> Result<Self, RouteError> {
        let mut names: BTreeMap<String, RouteInfo> = BTreeMap::new();
        for info in routes {
            let Some(name) = info.name.clone() else { continue };
            if let Some(first) = names.get(&name) {
                return Err(RouteError::DuplicateName {
                    name,
                    first: first.pattern.clone(),
                    second: info.pattern,
                });
            }
            names.insert(name, info);
        }
        Ok(Self(names))
    }
}
