//! Tokens that are signed as Django signs: a user's primary key, the time, a signature.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use futures_util::future::{BoxFuture, ready};

use super::{BearerClaims, TokenError, TokenVerifier};
use crate::auth::{SecretKeys, SigningError, TimestampSigner};

/// What keeps tokens apart from everything else that a site signs.
pub const BEARER_SALT: &str = "solent.bearer";

/// Unlike Django's own colon it may stand in a subprotocol.
const SEPARATOR: &str = ".";

/// Tokens as Django's `TimestampSigner(sep=".", salt="solent.bearer").sign(str(user.pk))` makes them.
///
/// The dot is there because a colon may not stand in a subprotocol, nor may a primary key's other characters: numbers
/// and UUIDs fit.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use solent::auth::{SecretKeys, SignedTokens};
///
/// let hour = Duration::from_secs(3600);
/// let tokens = SignedTokens::new(SecretKeys::new("the site's key"), hour).with_salt("cameras");
/// let now = SystemTime::now();
/// let token = tokens.sign("7", now);
/// assert!(token.starts_with("7."));
/// assert_eq!(tokens.verify_at(&token, now)?.user_id, "7");
/// assert!(tokens.verify_at(&token, now + 2 * hour).is_err());
/// # Ok::<(), solent::auth::TokenError>(())
/// ```
#[derive(Debug, Clone)]
pub struct SignedTokens {
    signer: TimestampSigner,
    max_age: Duration,
}

impl SignedTokens {
    /// Tokens signed by `keys`, each valid for `max_age` from its signing on.
    pub fn new(keys: SecretKeys, max_age: Duration) -> Self {
        let signer = TimestampSigner::new(keys).with_salt(BEARER_SALT);
        Self { signer: signer.clone().with_separator(SEPARATOR).unwrap_or(signer), max_age }
    }

    /// Tokens under another salt, for sites with several kinds of them.
    #[must_use]
    pub fn with_salt(self, salt: impl Into<Cow<'static, str>>) -> Self {
        Self { signer: self.signer.with_salt(salt), ..self }
    }

    /// A token for the user of a primary key, signed at `now`.
    pub fn sign(&self, user_id: &str, now: SystemTime) -> String {
        self.signer.sign(user_id, now)
    }

    /// What a token says at `now`.
    ///
    /// # Errors
    /// [`TokenError::Signature`], [`TokenError::Expired`].
    pub fn verify_at(&self, token: &str, now: SystemTime) -> Result<BearerClaims, TokenError> {
        let signed = self.signer.unsign_with_time(token, Some(self.max_age), now);
        let (user_id, made) = signed.map_err(|error| match error {
            SigningError::Expired { .. } => TokenError::Expired,
            _ => TokenError::Signature,
        })?;
        let claims = BearerClaims::new(user_id);
        Ok(match made.checked_add(self.max_age) {
            Some(end) => claims.until(end),
            None => claims,
        })
    }
}

impl TokenVerifier for SignedTokens {
    fn verify<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<BearerClaims, TokenError>> {
        Box::pin(ready(self.verify_at(token, SystemTime::now())))
    }
}
