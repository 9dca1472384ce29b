//! Middleware: tower layers that serve HTTP requests and WebSocket connections alike.
//!
//! Each is a `ThingLayer` whose service fills the [`Scope`](crate::Scope) on the way in, or refuses. State belongs in
//! the scope, never in the service, since one service serves all connections.

#[cfg(feature = "auth")]
mod auth;
#[cfg(feature = "auth")]
mod bearer;
mod cache;
mod cookies;
mod hosts;
mod local_only;
#[cfg(feature = "auth")]
mod login_required;
mod origin;
mod outcome;
#[cfg(feature = "auth")]
mod permissions;
mod security_headers;
mod sessions;
mod set_cookie;
#[cfg_attr(
    not(feature = "auth"),
    allow(dead_code, reason = "redirects look at every part, the origin check at some")
)]
pub(crate) mod urlsplit;

#[cfg(feature = "auth")]
pub use auth::{AuthLayer, AuthStack, Authenticator, auth_stack, session_stack};
#[cfg(feature = "auth")]
pub use bearer::{Bearer, BearerLayer};
pub use cache::{
    CacheLayer, CachePage, CachePageLayer, CacheSettings, NeverCache, NeverCacheLayer, PageCache, cache_page,
    never_cache,
};
#[cfg(feature = "auth")]
pub(crate) use cookies::is_blank;
pub use cookies::{CookieLayer, CookieReader, Cookies};
pub(crate) use hosts::host_of;
pub use hosts::{AllowedHosts, AllowedHostsCheck, AllowedHostsLayer, is_same_domain};
pub use local_only::{LocalOnly, LocalOnlyLayer};
#[cfg(feature = "auth")]
pub use login_required::{LoginRequired, LoginRequiredLayer};
pub use origin::{OriginCheck, OriginValidator, OriginValidatorLayer, allowed_hosts_origin_validator};
pub use outcome::{Checked, Outcome, passed, refused};
#[cfg(feature = "auth")]
pub use permissions::{PermissionCheck, PermissionLayer};
pub use security_headers::{SecurityHeaders, SecurityHeadersLayer};
#[cfg(feature = "auth")]
pub(crate) use sessions::vary_on;
pub use sessions::{SessionKeeper, SessionLayer};
pub use set_cookie::{CookieError, SameSite, SetCookie};

/// The service that has been asked whether it is ready, for a future to call; its clone, which may not be ready, stays.
#[cfg(feature = "auth")]
pub(crate) fn take_ready<S: Clone>(inner: &mut S) -> S {
    let next = inner.clone();
    std::mem::replace(inner, next)
}

/// Lets a middleware tell of the routes of what it wraps, as if it were not there.
macro_rules! pass_routes_on {
    ($service:ident) => {
        impl<S: $crate::routing::Routes> $crate::routing::Routes for $service<S> {
            fn routes(&self) -> Vec<$crate::routing::RouteInfo> {
                self.inner.routes()
            }

            fn is_router(&self) -> bool {
                self.inner.is_router()
            }
        }
    };
}
pub(crate) use pass_routes_on;
