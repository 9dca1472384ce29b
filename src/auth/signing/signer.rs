//! Text with a signature behind it, with or without the time of signing.

use std::borrow::Cow;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq;

use super::salted_hmac::{Algorithm, SaltedKey};
use super::{SaltedKeys, SecretKeys, base62};

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
/// use solent::auth::{Algorithm, SecretKeys, Signer};
///
/// let signer = Signer::new(SecretKeys::new("secret"));
/// let signed = signer.sign("hello");
/// assert_eq!(signer.unsign(&signed)?, "hello");
/// assert!(signer.unsign("hello:forged").is_err());
/// // A salt keeps uses apart; the rest is for what older or other programs sign.
/// let other = signer.with_salt("downloads").with_algorithm(Algorithm::Sha1).with_separator("/")?;
/// assert!(other.unsign(&signed).is_err());
/// # Ok::<(), solent::auth::SigningError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Signer {
    keys: SecretKeys,
    salt: Cow<'static, str>,
    separator: Cow<'static, str>,
    algorithm: Algorithm,
    /// The keys for this salt and hash.
    salted: SaltedKeys,
}

impl Signer {
    /// A signer with Django's defaults: its class's own salt, `:` and SHA-256.
    pub fn new(keys: SecretKeys) -> Self {
        Self::of(keys, "django.core.signing.Signer".into(), Algorithm::Sha256)
    }

    fn of(keys: SecretKeys, salt: Cow<'static, str>, algorithm: Algorithm) -> Self {
        let salted = SaltedKeys::new(&keys, &format!("{salt}signer"), algorithm);
        Self { keys, salt, separator: ":".into(), algorithm, salted }
    }

    /// Keeps this use apart from others.
    #[must_use]
    pub fn with_salt(self, salt: impl Into<Cow<'static, str>>) -> Self {
        Self { separator: self.separator, ..Self::of(self.keys, salt.into(), self.algorithm) }
    }

    /// Another hash.
    #[must_use]
    pub fn with_algorithm(self, algorithm: Algorithm) -> Self {
        Self { separator: self.separator, ..Self::of(self.keys, self.salt, algorithm) }
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
        let signature = signature(value, self.salted.signing());
        format!("{value}{}{signature}", self.separator)
    }

    /// The value, when one of the keys made its signature.
    ///
    /// # Errors
    /// [`SigningError::BadSignature`].
    pub fn unsign<'a>(&self, signed: &'a str) -> Result<&'a str, SigningError> {
        let (value, found) = signed.rsplit_once(&*self.separator).ok_or(SigningError::BadSignature)?;
        let made = |key| signature(value, key).as_bytes().ct_eq(found.as_bytes()).into();
        if self.salted.verifying().any(made) { Ok(value) } else { Err(SigningError::BadSignature) }
    }
}

fn signature(value: &str, key: &SaltedKey) -> String {
    URL_SAFE_NO_PAD.encode(key.hash(value.as_bytes()))
}

/// Signs text with the time: `value:time:signature`.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use solent::auth::{SecretKeys, TimestampSigner};
///
/// let signer = TimestampSigner::new(SecretKeys::new("the site's key")).with_salt("invitations").with_separator(".")?;
/// let (now, hour) = (SystemTime::now(), Duration::from_secs(3600));
/// let link = signer.sign("ada@example.com", now);
/// assert_eq!(signer.unsign(&link, Some(hour), now)?, "ada@example.com");
/// assert!(signer.unsign(&link, Some(hour), now + 2 * hour).is_err());
/// # Ok::<(), solent::auth::SigningError>(())
/// ```
#[derive(Debug, Clone)]
pub struct TimestampSigner(Signer);

impl TimestampSigner {
    /// A signer with Django's defaults.
    pub fn new(keys: SecretKeys) -> Self {
        Self::salted(keys, "django.core.signing.TimestampSigner")
    }

    /// A signer for one purpose from the start.
    pub(super) fn salted(keys: SecretKeys, salt: impl Into<Cow<'static, str>>) -> Self {
        Self(Signer::of(keys, salt.into(), Algorithm::Sha256))
    }

    /// Keeps this use apart from others.
    #[must_use]
    pub fn with_salt(self, salt: impl Into<Cow<'static, str>>) -> Self {
        Self(self.0.with_salt(salt))
    }

    /// Another separator, in front of the time and of the signature.
    ///
    /// # Errors
    /// [`SigningError::UnsafeSeparator`] for one that is empty or could be part of a signature.
    pub fn with_separator(self, separator: impl Into<Cow<'static, str>>) -> Result<Self, SigningError> {
        Ok(Self(self.0.with_separator(separator)?))
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
        Ok(self.unsign_with_time(signed, max_age, now)?.0)
    }

    /// As [`unsign`](Self::unsign), with the time of signing; one that no clock can tell is a bad signature.
    ///
    /// # Errors
    /// As [`unsign`](Self::unsign).
    pub(crate) fn unsign_with_time<'a>(
        &self,
        signed: &'a str,
        max_age: Option<Duration>,
        now: SystemTime,
    ) -> Result<(&'a str, SystemTime), SigningError> {
        let stamped = self.0.unsign(signed)?;
        let (value, time) = stamped.rsplit_once(&*self.0.separator).ok_or(SigningError::BadSignature)?;
        let time = base62::decode(time).ok_or(SigningError::BadSignature)?;
        if let (Some(max_age), Some(age)) = (max_age, age_of(time, now))
            && age > max_age
        {
            return Err(SigningError::Expired { max_age, age });
        }
        Ok((value, time_of(time).ok_or(SigningError::BadSignature)?))
    }
}

/// A second since 1970 as a time.
fn time_of(seconds: i64) -> Option<SystemTime> {
    let distance = Duration::from_secs(seconds.unsigned_abs());
    if seconds < 0 { UNIX_EPOCH.checked_sub(distance) } else { UNIX_EPOCH.checked_add(distance) }
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
