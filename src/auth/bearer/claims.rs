//! What a verified token says.

use std::time::SystemTime;

use serde_json::{Map, Value};

/// What a token says, once it is believed. It stands in the scope's extensions of every request and connection that
/// came with one.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct BearerClaims {
    /// The user's primary key, as text.
    pub user_id: String,
    /// The user's name; empty when the token does not tell.
    pub username: String,
    /// When the token ends; `None` for never. Open sockets end with it.
    pub expires: Option<SystemTime>,
    /// Everything that a JWT says; empty for other tokens.
    pub all: Map<String, Value>,
}

impl BearerClaims {
    /// The claims of a user's token that does not end.
    ///
    /// ```
    /// use std::time::{Duration, SystemTime};
    /// use solent::auth::BearerClaims;
    ///
    /// let claims = BearerClaims::new("7").until(SystemTime::now() + Duration::from_secs(60));
    /// assert_eq!(claims.user_id, "7");
    /// ```
    pub fn new(user_id: impl Into<String>) -> Self {
        Self { user_id: user_id.into(), username: String::new(), expires: None, all: Map::new() }
    }

    /// Ends at `time`.
    #[must_use]
    pub fn until(self, time: SystemTime) -> Self {
        Self { expires: Some(time), ..self }
    }

    /// Tells the user's name.
    #[must_use]
    pub fn with_username(self, name: impl Into<String>) -> Self {
        Self { username: name.into(), ..self }
    }
}
