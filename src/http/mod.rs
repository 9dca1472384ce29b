//! HTTP: requests, responses, bodies and errors of views.

mod body;
mod error;
mod scope;

pub use body::{Body, BodyError, Request, Response};
pub use error::HttpError;
pub(crate) use scope::scope_of;
