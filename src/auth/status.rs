//! What a client should hear of the errors of this room, wherever they surface.

use ::http::StatusCode;

use super::SessionError;
use crate::Error;

/// The status that belongs to an error of user code, when it is one of this room's: 503 while a store is away, 404
/// for a value that fits nowhere, and what else the error says.
pub(crate) fn status_of(error: &Error) -> Option<StatusCode> {
    let session = error.downcast_ref().map(SessionError::status);
    #[cfg(feature = "auth")]
    let session = session.or_else(|| status_of_users(error));
    session
}

/// How long a client should wait that has tried too often; a 429.
#[cfg_attr(
    not(feature = "auth"),
    allow(clippy::missing_const_for_fn, unused_variables, reason = "nobody logs in")
)]
pub(crate) fn retry_after_of(error: &Error) -> Option<std::time::Duration> {
    #[cfg(feature = "auth")]
    if let Some(super::AuthError::Throttled { retry_after }) = error.downcast_ref() {
        return Some(*retry_after);
    }
    None
}

#[cfg(feature = "auth")]
fn status_of_users(error: &Error) -> Option<StatusCode> {
    use super::{AuthError, DatabaseError, PasswordError};
    let auth = error.downcast_ref().map(AuthError::status);
    let database = || error.downcast_ref().map(DatabaseError::status);
    let password = || error.downcast_ref().map(PasswordError::status);
    auth.or_else(database).or_else(password)
}
