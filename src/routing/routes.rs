//! What a router tells of the routes below it, through any middleware in between.

/// What an application tells of the routes below it.
///
/// Routers list their routes, middleware passes on what it wraps, everything else has none. Names for reversing,
/// the `routes` command, and the 426 hint for a plain GET on a socket's path are made from it.
#[diagnostic::on_unimplemented(
    note = "wrap a service that is not Solent's own in `solent::routing::mount(service)`"
)]
pub trait Routes {
    /// All routes below, in order.
    fn routes(&self) -> Vec<RouteInfo> {
        Vec::new()
    }

    /// Whether this matches a prefix of the path and leaves the rest to inner routes.
    fn is_router(&self) -> bool {
        false
    }
}

/// One route, as the `routes` command lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RouteInfo {
    /// The full name with its namespaces (`chat:room`), when it has one.
    pub name: Option<String>,
    /// The pattern as written, outer patterns included.
    pub pattern: String,
}
