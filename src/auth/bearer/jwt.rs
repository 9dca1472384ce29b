//! Tokens that are JWTs: signed by one of a few keys, each with its own algorithm.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::future::{BoxFuture, ready};
use jsonwebtoken::crypto::{CryptoProvider, rust_crypto};
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::{Validation, decode, decode_header};
use serde_json::{Map, Value};

use super::{BearerClaims, JwtKey, TokenError, TokenVerifier};

/// Clocks that are further apart want mending, not patience.
const LONGEST_LEEWAY: Duration = Duration::from_secs(3600);

/// JWTs that other services make, such as an identity provider or `djangorestframework-simplejwt`.
///
/// `exp` must be there, and `aud` and `iss` where they are asked for; a token for an audience is refused where none is
/// asked for. `nbf` counts where it is there. The algorithm is each key's own, never the token's word.
///
/// ```
/// use std::time::Duration;
/// use solent::auth::{JwtKey, JwtTokens};
///
/// let key = JwtKey::hs256("a secret of at least thirty-two bytes")?;
/// let tokens = JwtTokens::new([key]).with_audience("chat").with_issuer("https://login.example.com");
/// // As simplejwt names its claims, from a machine whose clock is not quite right.
/// let tokens = tokens.with_user_claim("user_id").with_name_claim("name").with_leeway(Duration::from_secs(60));
/// assert!(tokens.verify_now("no.such.token").is_err());
/// # Ok::<(), solent::auth::JwtKeyError>(())
/// ```
#[derive(Debug, Clone)]
pub struct JwtTokens {
    keys: Vec<JwtKey>,
    audience: Option<String>,
    issuer: Option<String>,
    leeway: Duration,
    user_claim: String,
    name_claim: String,
}

impl JwtTokens {
    /// Tokens that one of `keys` has signed. Several are for the time in which keys are changed: those whose
    /// [id](JwtKey::with_id) is not the token's `kid` are left out, and all others are tried.
    pub fn new(keys: impl IntoIterator<Item = JwtKey>) -> Self {
        Self {
            keys: keys.into_iter().collect(),
            audience: None,
            issuer: None,
            leeway: Duration::from_secs(10),
            user_claim: "sub".to_owned(),
            name_claim: "username".to_owned(),
        }
    }

    /// Takes tokens alone whose `aud` is or holds this.
    #[must_use]
    pub fn with_audience(self, audience: impl Into<String>) -> Self {
        Self { audience: Some(audience.into()), ..self }
    }

    /// Takes tokens alone whose `iss` is this.
    #[must_use]
    pub fn with_issuer(self, issuer: impl Into<String>) -> Self {
        Self { issuer: Some(issuer.into()), ..self }
    }

    /// How far the clocks of who signs and who verifies may be apart. 10 s; whole seconds count, up to an hour.
    #[must_use]
    pub fn with_leeway(self, leeway: Duration) -> Self {
        Self { leeway, ..self }
    }

    /// The claim with the user's primary key: `sub`, unless told otherwise (simplejwt writes `user_id`).
    #[must_use]
    pub fn with_user_claim(self, name: impl Into<String>) -> Self {
        Self { user_claim: name.into(), ..self }
    }

    /// The claim with the user's name, which need not be there: `username`, unless told otherwise.
    #[must_use]
    pub fn with_name_claim(self, name: impl Into<String>) -> Self {
        Self { name_claim: name.into(), ..self }
    }

    /// What a token says now.
    ///
    /// # Errors
    /// Why it is not believed.
    pub fn verify_now(&self, token: &str) -> Result<BearerClaims, TokenError> {
        choose_cryptography();
        // A header that names no algorithm that there is, `none` above all, does not get further.
        let header = decode_header(token).map_err(|_| TokenError::Malformed("a JWT"))?;
        let mut refusal = TokenError::Signature;
        for key in self.keys.iter().filter(|key| key.may_be(header.kid.as_deref())) {
            match decode::<Map<String, Value>>(token, &key.key, &self.validation(key)) {
                Ok(decoded) => return self.claims(decoded.claims),
                Err(error) => refusal = said(refusal, &error),
            }
        }
        Err(refusal)
    }

    fn validation(&self, key: &JwtKey) -> Validation {
        let mut validation = Validation::new(key.algorithm);
        validation.leeway = self.leeway.min(LONGEST_LEEWAY).as_secs();
        validation.validate_nbf = true;
        let mut required = vec!["exp"];
        if let Some(audience) = &self.audience {
            validation.set_audience(&[audience]);
            required.push("aud");
        }
        if let Some(issuer) = &self.issuer {
            validation.set_issuer(&[issuer]);
            required.push("iss");
        }
        validation.set_required_spec_claims(&required);
        validation
    }

    fn claims(&self, all: Map<String, Value>) -> Result<BearerClaims, TokenError> {
        let user_id = all.get(&self.user_claim).and_then(text_of).filter(|id| !id.is_empty());
        let user_id = user_id.ok_or_else(|| TokenError::Missing(self.user_claim.clone()))?;
        let username = all.get(&self.name_claim).and_then(text_of).unwrap_or_default();
        let expires = all
            .get("exp")
            .and_then(Value::as_f64)
            .and_then(|end| time_of(end, self.leeway.min(LONGEST_LEEWAY)));
        Ok(BearerClaims { user_id, username, expires, all })
    }
}

/// A number is a primary key too.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// `None` for an end beyond all clocks.
fn time_of(seconds: f64, leeway: Duration) -> Option<SystemTime> {
    let since = Duration::try_from_secs_f64(seconds).ok()?;
    UNIX_EPOCH.checked_add(since)?.checked_add(leeway)
}

/// What to say of a token that several keys refuse: what the key said that knew the signature.
fn said(before: TokenError, error: &Error) -> TokenError {
    let now = match error.kind() {
        ErrorKind::InvalidSignature => TokenError::Signature,
        ErrorKind::InvalidAlgorithm | ErrorKind::InvalidAlgorithmName => TokenError::Algorithm,
        ErrorKind::ExpiredSignature => TokenError::Expired,
        ErrorKind::ImmatureSignature => TokenError::NotYet,
        ErrorKind::InvalidAudience => TokenError::Audience,
        ErrorKind::InvalidIssuer => TokenError::Issuer,
        ErrorKind::MissingRequiredClaim(name) | ErrorKind::InvalidClaimFormat(name) => {
            TokenError::Missing(name.clone())
        }
        ErrorKind::Json(_) => TokenError::Malformed("claims of the kinds that RFC 7519 gives them"),
        _ => TokenError::Malformed("a JWT"),
    };
    match (before, now) {
        (TokenError::Signature | TokenError::Algorithm, now) => now,
        (before, _) => before,
    }
}

/// A program that uses the same crate with other cryptography has chosen its own, or both are there and none is.
fn choose_cryptography() {
    if CryptoProvider::try_get_default().is_none() {
        // When another thread was faster, one is chosen as well.
        let _ = rust_crypto::DEFAULT_PROVIDER.install_default();
    }
}

impl TokenVerifier for JwtTokens {
    fn verify<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<BearerClaims, TokenError>> {
        Box::pin(ready(self.verify_now(token)))
    }
}
