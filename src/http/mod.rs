//! HTTP: requests, responses, bodies and errors of views.

mod application;
mod body;
mod error;
mod failure;
mod pages;
mod scope;

pub use application::{BoxedHttp, HttpApplication};
pub use body::{Body, BodyError, Request, Response};
pub use error::HttpError;
pub use pages::NoRoute;
pub(crate) use pages::{no_route, page, wants_html};
pub(crate) use scope::scope_of;
