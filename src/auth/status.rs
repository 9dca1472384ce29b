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

#[cfg(feature = "auth")]
fn status_of_users(error: &Error) -> Option<StatusCode> {
    use super::{AuthError, DatabaseError, PasswordError};
    let auth = error.downcast_ref().map(AuthError::status);
    let database = || error.downcast_ref().map(DatabaseError::status);
    let password = || error.downcast_ref().map(PasswordError::status);
    auth.or_else(database).or_else(password)
}
