//! HTTP: requests, responses, bodies and errors of views.

mod application;
mod body;
mod embedded;
mod error;
mod failure;
mod form;
mod pages;
mod scope;
mod static_files;

pub use application::{BoxedHttp, HttpApplication};
pub use body::{Body, BodyError, Request, Response};
pub use error::HttpError;
pub use form::Form;
pub use pages::NoRoute;
pub(crate) use pages::{no_route, page, wants_html};
pub(crate) use scope::scope_of;
pub use static_files::StaticFiles;
