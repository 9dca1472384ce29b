//! HTTP: requests, responses, bodies and errors of views.

mod append_slash;
mod application;
#[cfg(feature = "auth")]
mod backend_permission;
mod body;
mod by_method;
#[cfg(feature = "auth")]
mod csrf;
mod departure;
mod error;
mod failure;
mod form;
mod head;
mod pages;
pub mod proxy;
mod request;
mod respond;
mod scope;
mod static_files;
#[cfg(feature = "templates")]
mod templates;
mod view;
mod view_service;

pub(crate) use append_slash::{append_slash, may_append_slash};
pub use application::{BoxedHttp, HttpApplication};
#[cfg(feature = "auth")]
pub use backend_permission::{BackendPermission, BackendPermissionLayer};
pub use body::{Body, BodyError, Request, Response};
pub use by_method::{ByMethod, MethodViews, get, on, post};
#[cfg(feature = "auth")]
pub use csrf::{CsrfCheck, CsrfLayer, CsrfSettings, CsrfToken};
pub(crate) use departure::{Departure, Watch};
pub use error::HttpError;
pub(crate) use failure::Asked;
pub use form::Form;
pub(crate) use head::strip_body;
pub use pages::NoRoute;
pub(crate) use pages::{no_route, page, refusal_page, wants_html};
pub use request::RequestExt;
pub use respond::{IntoResponse, html, json, redirect, redirect_permanently, status, text};
pub(crate) use scope::{invalid_path, is_valid_path, scope_of};
pub use static_files::StaticFiles;
#[cfg(feature = "templates")]
pub use templates::{Render, TemplateError, TemplatePages, Templates, TemplatesLayer, context};
pub use view::{
    AsyncFunction, Blocking, BlockingFunction, BlockingRequest, BoxedView, IntoView, blocking, with_state,
};
pub(crate) use view::{attempt, caught};
pub use view_service::ViewService;
