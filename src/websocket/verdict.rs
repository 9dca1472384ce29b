//! What an error of user code means: a refusal before accept, a report or a close frame after.

use ::http::StatusCode;
use tracing::{debug, error, warn};

use super::{CloseCode, CloseFrame, Denial, Finished, Refusal};
use crate::auth::status_of;
use crate::consumer::{Core, OnError, OutboxFull};
use crate::http::HttpError;
use crate::layers::{EventError, LayerError};
use crate::{ClientError, Error, KwargError, PoolError};

/// The refusal that an error before accept means.
pub(super) fn refuse(error: Error) -> Refusal {
    let error = match error.downcast::<Denial>() {
        Ok(denial) => return denial.into(),
        Err(error) => error,
    };
    let chain = error.chain();
    if error.downcast_ref::<KwargError>().is_some() {
        return Refusal::not_found("argument").with_detail(chain);
    }
    if let Some(client) = error.downcast_ref::<ClientError>() {
        return Refusal::new(StatusCode::BAD_REQUEST, "client_error", client.message().to_owned());
    }
    if let Some(answer) = error.downcast_ref::<HttpError>() {
        return Refusal::new(answer.status(), "view_error", answer.text().to_owned());
    }
    if is_away(&error) {
        return Refusal::unavailable("layer").with_detail(chain);
    }
    if is_busy(&error) {
        return Refusal::unavailable("busy").with_detail(chain);
    }
    match status_of(&error) {
        Some(StatusCode::SERVICE_UNAVAILABLE) => return Refusal::unavailable("database").with_detail(chain),
        Some(StatusCode::NOT_FOUND) => return Refusal::not_found("argument").with_detail(chain),
        _ => {}
    }
    Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "error", "Internal server error.").with_detail(chain)
}

/// Whether something that the server depends on is away: bad weather, neither the client's fault nor the program's.
fn is_away(error: &Error) -> bool {
    matches!(error.downcast_ref(), Some(LayerError::Unavailable { .. }))
}

/// How many groups a connection joins is usually the client's doing.
fn too_many_groups(limit: usize) -> ClientError {
    ClientError::new("too_many_groups", format!("a connection may be in {limit} groups"))
}

/// Whether no thread was free for blocking work: as passing as bad weather.
fn is_busy(error: &Error) -> bool {
    matches!(error.downcast_ref(), Some(PoolError::Full { .. } | PoolError::ShutDown))
}

impl Core {
    /// The refusal that an error in `connect` means.
    pub(super) fn refuse(&self, error: Error) -> Refusal {
        let chain = error.chain();
        let refusal = refuse(error);
        self.witness("connect", &chain);
        if refusal.status() == StatusCode::INTERNAL_SERVER_ERROR {
            error!(route = %self.scope.url_route.pattern, path = %self.scope.path, error = %chain, "connect failed");
        }
        refusal
    }

    /// The refusal that a panic in `connect` means.
    pub(super) fn refuse_panic(&self, text: &str) -> Refusal {
        self.panicked(text);
        Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "panic", "Internal server error.")
    }

    /// What an error of a handler means: a close frame, or `None` when the socket lives on.
    pub(super) fn judge(&self, error: Error) -> Option<CloseFrame> {
        if let Some(client) = error.downcast_ref::<ClientError>() {
            return self.judge_client(client);
        }
        if error.downcast_ref::<Finished>().is_some() {
            debug!(route = %self.scope.url_route.pattern, "a handler sent to a socket that is closed");
            return None;
        }
        if is_away(&error) {
            self.report("layer_unavailable", "messages cannot be passed on at the moment");
            return None;
        }
        if let Some(LayerError::TooManyGroups { limit }) = error.downcast_ref() {
            return self.judge_client(&too_many_groups(*limit));
        }
        if status_of(&error) == Some(StatusCode::SERVICE_UNAVAILABLE) {
            warn!(route = %self.scope.url_route.pattern, error = %error.chain(), "the database is away");
            self.report("unavailable", "the database is unavailable at the moment");
            return None;
        }
        if is_busy(&error) {
            warn!(route = %self.scope.url_route.pattern, error = %error.chain(), "a message was not handled");
            self.report("busy", "the server is busy: this message was not handled");
            return None;
        }
        Some(self.judge_final(error))
    }

    /// Tells a test of an error that only the log would show.
    #[cfg(feature = "testing")]
    fn witness(&self, what: &str, error: &str) {
        super::Witness::tell(&self.scope, &format!("{what} failed: {error}"));
    }

    #[cfg(not(feature = "testing"))]
    fn witness(&self, _: &str, _: &str) {}

    fn judge_client(&self, error: &ClientError) -> Option<CloseFrame> {
        debug!(route = %self.scope.url_route.pattern, %error, "a client's error");
        match self.policy.on_error {
            OnError::Report => {
                self.report(error.code(), error.message());
                None
            }
            OnError::Close => Some(CloseFrame::new(CloseCode::POLICY, error.message().to_owned())),
        }
    }

    /// What an error means that nothing can follow: 1011, or 1008 for a refusal that came too late.
    pub(super) fn judge_final(&self, error: Error) -> CloseFrame {
        if let Some(denial) = error.downcast_ref::<Denial>() {
            return CloseFrame::new(CloseCode::POLICY, denial.text.clone());
        }
        if error.downcast_ref::<OutboxFull>().is_some() {
            debug!(route = %self.scope.url_route.pattern, "a client reads too slowly for a blocking handler");
            return CloseFrame::new(CloseCode::OVERFLOW, "too far behind");
        }
        self.witness("a handler", &error.chain());
        error!(route = %self.scope.url_route.pattern, path = %self.scope.path, error = %error.chain(), "a handler failed");
        CloseFrame::new(CloseCode::INTERNAL, "")
    }

    /// What a panic means: 1011, and a log entry.
    pub(super) fn panicked(&self, text: &str) -> CloseFrame {
        self.witness("a handler", &format!("panicked: {text}"));
        error!(route = %self.scope.url_route.pattern, path = %self.scope.path, panic = text, "a handler panicked");
        CloseFrame::new(CloseCode::INTERNAL, "")
    }

    /// An event that this consumer can't read: somebody else's mistake, for which no client is cut off.
    pub(super) fn undecodable(&self, error: &EventError) {
        self.witness("an event", &error.to_string());
        warn!(route = %self.scope.url_route.pattern, %error, "an event was not understood and is left out");
    }
}
