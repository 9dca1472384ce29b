//! Whole values, signed: Django's `signing.dumps` and `signing.loads`.

use std::borrow::Cow;
use std::io::{Read, Write};
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{SecretKeys, SigningError, TimestampSigner};
use crate::auth::python_json::to_json;

/// What a compressed value may inflate to. Django's own are far below; a bound keeps a leaked key from being a bomb.
const INFLATED_BYTES: u64 = 4 << 20;

/// The salt of Django's `signing.dumps` when none is given.
pub const DUMPS_SALT: &str = "django.core.signing";

/// `value` as text that is signed at the time `now`; compressed when `compress` asks for it and it helps.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use solent::auth::{SecretKeys, dumps, loads};
///
/// let keys = SecretKeys::new("secret");
/// let signed = dumps(&[1, 2, 3], &keys, "my.purpose", false, SystemTime::now())?;
/// let value: Vec<i32> =
///     loads(&signed, &keys, "my.purpose", Some(Duration::from_secs(60)), SystemTime::now())?;
/// assert_eq!(value, [1, 2, 3]);
/// # Ok::<(), solent::auth::SigningError>(())
/// ```
///
/// # Errors
/// [`SigningError::Malformed`] when the value has no JSON form.
pub fn dumps<T: Serialize + ?Sized>(
    value: &T,
    keys: &SecretKeys,
    salt: impl Into<Cow<'static, str>>,
    compress: bool,
    now: SystemTime,
) -> Result<String, SigningError> {
    let json = to_json(value).map_err(|_| SigningError::Malformed("a value with a JSON form"))?;
    Ok(dumps_json(&json, keys, salt, compress, now))
}

/// The value of signed text, when it is at most `max_age` old.
///
/// # Errors
/// [`SigningError::BadSignature`], [`SigningError::Expired`], [`SigningError::Malformed`].
pub fn loads<T: DeserializeOwned>(
    signed: &str,
    keys: &SecretKeys,
    salt: impl Into<Cow<'static, str>>,
    max_age: Option<Duration>,
    now: SystemTime,
) -> Result<T, SigningError> {
    let json = loads_json(signed, keys, salt, max_age, now)?;
    serde_json::from_slice(&json).map_err(|_| SigningError::Malformed("JSON of the type asked for"))
}

/// Signs JSON text.
pub(crate) fn dumps_json(
    json: &str,
    keys: &SecretKeys,
    salt: impl Into<Cow<'static, str>>,
    compress: bool,
    now: SystemTime,
) -> String {
    let deflated =
        compress.then(|| deflate(json.as_bytes())).filter(|deflated| deflated.len() + 1 < json.len());
    let payload = match deflated {
        Some(deflated) => format!(".{}", URL_SAFE_NO_PAD.encode(deflated)),
        None => URL_SAFE_NO_PAD.encode(json),
    };
    TimestampSigner::new(keys.clone()).with_salt(salt).sign(&payload, now)
}

/// The JSON text behind a signature.
pub(crate) fn loads_json(
    signed: &str,
    keys: &SecretKeys,
    salt: impl Into<Cow<'static, str>>,
    max_age: Option<Duration>,
    now: SystemTime,
) -> Result<Vec<u8>, SigningError> {
    let signer = TimestampSigner::new(keys.clone()).with_salt(salt);
    let payload = signer.unsign(signed, max_age, now)?;
    let (compressed, payload) = payload.strip_prefix('.').map_or((false, payload), |payload| (true, payload));
    let bytes = URL_SAFE_NO_PAD.decode(payload).map_err(|_| SigningError::Malformed("base64"))?;
    if compressed { inflate(&bytes) } else { Ok(bytes) }
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    // Writing to memory does not fail; if it did, the value would travel as it is.
    encoder.write_all(bytes).and_then(|()| encoder.finish()).unwrap_or_else(|_| bytes.to_vec())
}

fn inflate(bytes: &[u8]) -> Result<Vec<u8>, SigningError> {
    let mut inflated = Vec::new();
    let mut decoder = ZlibDecoder::new(bytes).take(INFLATED_BYTES + 1);
    decoder.read_to_end(&mut inflated).map_err(|_| SigningError::Malformed("zlib"))?;
    if inflated.len() as u64 > INFLATED_BYTES {
        return Err(SigningError::Malformed("at most 4 MiB after inflation"));
    }
    Ok(inflated)
}
