//! Users, passwords, signing and sessions, in Django's formats.

mod session;
mod user;

pub use session::Session;
pub use user::{Account, User};
