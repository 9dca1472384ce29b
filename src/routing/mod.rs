//! Routing: protocol type → application, path → view or consumer, channel name → worker; and names back to paths.
//!
//! Stands behind [`server`](crate::server), which hands every request and connection to a [`ProtocolTypeRouter`], and
//! before views and consumers. Middleware may stand between any two routers.

mod application;
mod channel_name;
mod converter;
mod coverage;
mod entry;
mod error;
mod index;
mod level;
mod mount;
mod names;
mod path_pattern;
mod pattern;
mod protocol;
mod regex_pattern;
mod reverse;
mod route;
mod routes;
mod shape;
mod target;
mod template;
mod url_router;
mod view_route;
mod view_router;

pub use application::{Application, BoxedApplication};
pub use channel_name::ChannelNameRouter;
pub use converter::{Converter, Converters};
pub use error::{PatternError, RouteError};
pub use mount::{Mount, mount};
pub use names::{Names, distance, nearest};
pub use protocol::ProtocolTypeRouter;
pub use reverse::ReverseError;
pub use route::{IntoTarget, Route, ToApplication, path, re_path};
#[cfg(feature = "auth")]
pub(crate) use routes::is_csrf_exempt;
pub use routes::{RouteInfo, Routes};
pub use target::{ToService, ToView, ViewTarget, include};
pub use url_router::UrlRouter;
pub use view_router::{Match, ViewRouter};
