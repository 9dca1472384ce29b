//! The secret of a request, as views and templates reach it.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::token::Secret;

/// The CSRF secret of a request, in its scope's extensions. All clones are one.
///
/// Asking for a token makes sure that the client gets the secret with the response.
///
/// ```
/// use solent::Scoped;
/// use solent::http::{CsrfToken, HttpError, Request};
///
/// /// For a script that sends forms by itself, after something that a stranger must not have prepared.
/// async fn fresh_token(request: Request) -> Result<String, HttpError> {
///     let csrf = request.scope().extensions.get::<CsrfToken>().ok_or_else(HttpError::not_found)?;
///     csrf.rotate();
///     Ok(csrf.token())
/// }
/// ```
#[derive(Clone)]
pub struct CsrfToken(Arc<Mutex<State>>);

struct State {
    secret: Option<Secret>,
    /// Whether the client shall get the secret, anew or again.
    send: bool,
}

impl CsrfToken {
    pub(super) fn new(secret: Option<Secret>) -> Self {
        Self(Arc::new(Mutex::new(State { secret, send: false })))
    }

    /// A token for one page, another one each time.
    pub fn token(&self) -> String {
        let mut state = self.lock();
        state.send = true;
        state.secret.get_or_insert_with(Secret::random).token()
    }

    /// Replaces the secret: done at login, so that what somebody knew of the visitor is worth nothing any more.
    pub fn rotate(&self) {
        *self.lock() = State { secret: Some(Secret::random()), send: true };
    }

    /// Whether this request's page may hold a token, or a new secret is on its way to the client.
    pub(crate) fn was_asked_for(&self) -> bool {
        self.lock().send
    }

    /// The secret that was presented.
    pub(super) fn secret(&self) -> Option<Secret> {
        self.lock().secret.clone()
    }

    /// The secret, when the client shall get it.
    pub(super) fn to_send(&self) -> Option<Secret> {
        let state = self.lock();
        state.secret.clone().filter(|_| state.send)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for CsrfToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CsrfToken")
    }
}
