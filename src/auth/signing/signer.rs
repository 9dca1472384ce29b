//! Text with a signature behind it, with or without the time of signing.

use std::borrow::Cow;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq;

use super::salted_hmac::{Algorithm, salted_hmac};
use super::{SecretKeys, base62};

/// Why a signed value was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SigningError {
    /// No signature, or one that none of the keys made.
    #[error("expected a value with a valid signature, found one without")]
    BadSignature,
    /// Signed longer ago than allowed.
    #[error("expected a signature of the last {max_age:?}, found one that is {age:?} old")]
    Expired {
        /// How old it may be.
        max_age: Duration,
        /// How old it is.
        age: Duration,
    },
    /// Signed, but not what is expected inside a signature.
    #[error("a signed value does not decode: expected {0}")]
    Malformed(&'static str),
    /// A separator that could be part of a signature.
    #[error("separator {0:?}: expected text that cannot be part of a signature (A-z0-9-_=)")]
    UnsafeSeparator(String),
}

/// Signs text: `value:signature`.
///
/// ```
/// use solent::auth::{SecretKeys, Signer};
///
/// let signer = Signer::new(SecretKeys::new("secret"));
/// let signed = signer.sign("hello");
/// assert_eq!(signer.unsign(&signed)?, "hello");
/// assert!(signer.unsign("hello:forged").is_err());
/// # Ok::<(), solent::auth::SigningError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Signer {
    keys: SecretKeys,
    salt: Cow<'static, str>,
    separator: Cow<'static, str>,
    algorithm: Algorithm,
}

impl Signer {
    /// A signer with Django's defaults: its class's own salt, `:` and SHA-256.
    pub fn new(keys: SecretKeys) -> Self {
        Self {
            keys,
            salt: "django.core.signing.Signer".into(),
            separator: ":".into(),
            algorithm: Algorithm::Sha256,
        }
    }

    /// Keeps this use apart from others.
    #[must_use]
    pub fn with_salt(self, salt: impl Into<Cow<'static, str>>) -> Self {
        Self { salt: salt.into(), ..self }
    }

    /// Another hash.
    #[must_use]
    pub fn with_algorithm(self, algorithm: Algorithm) -> Self {
        Self { algorithm, ..self }
    }

    /// Another separator.
    ///
    /// # Errors
    /// [`SigningError::UnsafeSeparator`] for one that is empty or could be part of a signature.
    pub fn with_separator(self, separator: impl Into<Cow<'static, str>>) -> Result<Self, SigningError> {
        let separator = separator.into();
        // From `A` to `z`, as Django writes it, which takes in the characters between the letters.
        if separator.bytes().all(|b| matches!(b, b'A'..=b'z' | b'0'..=b'9' | b'-' | b'=')) {
            return Err(SigningError::UnsafeSeparator(separator.into_owned()));
        }
        Ok(Self { separator, ..self })
    }

    /// The value with its signature.
    pub fn sign(&self, value: &str) -> String {
        let signature = self.signature(value, self.keys.signing());
        format!("{value}{}{signature}", self.separator)
    }

    /// The value, when one of the keys made its signature.
    ///
    /// # Errors
    /// [`SigningError::BadSignature`].
    pub fn unsign<'a>(&self, signed: &'a str) -> Result<&'a str, SigningError> {
        let (value, found) = signed.rsplit_once(&*self.separator).ok_or(SigningError::BadSignature)?;
        let made = |key| self.signature(value, key).as_bytes().ct_eq(found.as_bytes()).into();
        if self.keys.verifying().any(made) { Ok(value) } else { Err(SigningError::BadSignature) }
    }

    fn signature(&self, value: &str, key: &str) -> String {
        let key_salt = format!("{}signer", self.salt);
        URL_SAFE_NO_PAD.encode(salted_hmac(&key_salt, value.as_bytes(), key, self.algorithm))
    }
}

/// Signs text with the time: `value:time:signature`.
#[derive(Debug, Clone)]
pub struct TimestampSigner(Signer);

impl TimestampSigner {
    /// A signer with Django's defaults.
    pub fn new(keys: SecretKeys) -> Self {
        Self(Signer::new(keys).with_salt("django.core.signing.TimestampSigner"))
    }

    /// Keeps this use apart from others.
    #[must_use]
    pub fn with_salt(self, salt: impl Into<Cow<'static, str>>) -> Self {
        Self(self.0.with_salt(salt))
    }

    /// The value with the time `now` and its signature.
    pub fn sign(&self, value: &str, now: SystemTime) -> String {
        self.0.sign(&format!("{value}{}{}", self.0.separator, base62::encode(unix_seconds(now))))
    }

    /// The value, when it was signed with one of the keys and at most `max_age` before `now`. A time in the future
    /// is taken as it is.
    ///
    /// # Errors
    /// [`SigningError::BadSignature`]; [`SigningError::Expired`].
    pub fn unsign<'a>(
        &self,
        signed: &'a str,
        max_age: Option<Duration>,
        now: SystemTime,
    ) -> Result<&'a str, SigningError> {
        let stamped = self.0.unsign(signed)?;
        let (value, time) = stamped.rsplit_once(&*self.0.separator).ok_or(SigningError::BadSignature)?;
        let time = base62::decode(time).ok_or(SigningError::BadSignature)?;
        if let (Some(max_age), Some(age)) = (max_age, age_of(time, now))
            && age > max_age
        {
            return Err(SigningError::Expired { max_age, age });
        }
        Ok(value)
    }
}

/// Whole seconds since 1970, rounded down.
fn unix_seconds(time: SystemTime) -> i64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
        Err(before) => {
            let before = before.duration();
            -i64::try_from(before.as_secs() + u64::from(before.subsec_nanos() > 0)).unwrap_or(i64::MAX)
        }
    }
}

/// How long before `now` the second `time` was; `None` when it is to come.
fn age_of(time: i64, now: SystemTime) -> Option<Duration> {
    let distance = Duration::from_secs(time.unsigned_abs());
    match now.duration_since(UNIX_EPOCH) {
        Ok(now) if time < 0 => Some(now.saturating_add(distance)),
        Ok(now) => now.checked_sub(distance),
        // A clock before 1970 tells nothing about ages.
        Err(_) => None,
    }
}
