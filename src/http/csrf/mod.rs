//! Protection against forged requests, in Django's scheme: a secret that only the site's own pages can repeat.
//!
//! The client holds the secret in a cookie, or its session does. Pages hold it masked, in forms and scripts; what
//! comes back must unmask to the same. Stands before the view router, inside the session's middleware.

mod check;
mod form;
mod handle;
mod service;
mod settings;
mod token;

pub use handle::CsrfToken;
pub use service::{CsrfCheck, CsrfLayer};
pub use settings::CsrfSettings;
