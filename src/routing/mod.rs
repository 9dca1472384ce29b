//! Routing: protocol type → application, path → view or consumer, channel name → worker; and names back to paths.

mod names;
mod routes;

pub use names::Names;
pub use routes::{RouteInfo, Routes};
