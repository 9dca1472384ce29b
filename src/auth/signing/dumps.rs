//! Whole values, signed: Django's `signing.dumps` and `signing.loads`.

use std::borrow::Cow;
use std::cell::RefCell;
use std::io::Write;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use flate2::write::ZlibEncoder;
use flate2::{Compression, Decompress, FlushDecompress, Status};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{SecretKeys, SigningError, TimestampSigner};
use crate::auth::python_json::to_json;

/// What a compressed value may inflate to. Django's own are far below; a bound keeps a leaked key from being a bomb.
const INFLATED_BYTES: usize = 4 << 20;

/// Room for what most sessions inflate to.
const ROOM: usize = 1 << 10;

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
    Ok(dumps_json(&json, &TimestampSigner::salted(keys.clone(), salt), compress, now))
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
    let signer = TimestampSigner::salted(keys.clone(), salt);
    let json = unpack(signer.unsign(signed, max_age, now)?)?;
    serde_json::from_slice(&json).map_err(|_| SigningError::Malformed("JSON of the type asked for"))
}

/// Signs JSON text.
pub(crate) fn dumps_json(json: &str, signer: &TimestampSigner, compress: bool, now: SystemTime) -> String {
    let deflated =
        compress.then(|| deflate(json.as_bytes())).filter(|deflated| deflated.len() + 1 < json.len());
    let payload = match deflated {
        Some(deflated) => format!(".{}", URL_SAFE_NO_PAD.encode(deflated)),
        None => URL_SAFE_NO_PAD.encode(json),
    };
    signer.sign(&payload, now)
}

/// The JSON text that was signed.
pub(crate) fn unpack(payload: &str) -> Result<Vec<u8>, SigningError> {
    let (compressed, payload) = payload.strip_prefix('.').map_or((false, payload), |payload| (true, payload));
    let bytes = URL_SAFE_NO_PAD.decode(payload).map_err(|_| SigningError::Malformed("base64"))?;
    if compressed { inflate(&bytes) } else { Ok(bytes) }
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    // Writing to memory does not fail; if it did, the value would travel as it is.
    encoder.write_all(bytes).and_then(|()| encoder.finish()).unwrap_or_else(|_| bytes.to_vec())
}

thread_local! {
    // To make one costs more than to inflate a session: its window is zeroed.
    static INFLATER: RefCell<Decompress> = RefCell::new(Decompress::new(true));
}

fn inflate(bytes: &[u8]) -> Result<Vec<u8>, SigningError> {
    INFLATER.with_borrow_mut(|inflater| {
        inflater.reset(true);
        inflate_by(inflater, bytes)
    })
}

fn inflate_by(inflater: &mut Decompress, bytes: &[u8]) -> Result<Vec<u8>, SigningError> {
    let mut inflated = Vec::new();
    loop {
        if inflated.len() > INFLATED_BYTES {
            return Err(SigningError::Malformed("at most 4 MiB after inflation"));
        }
        inflated.reserve(inflated.len().max(ROOM));
        let rest = usize::try_from(inflater.total_in()).ok().and_then(|read| bytes.get(read..));
        let status =
            inflater.decompress_vec(rest.unwrap_or_default(), &mut inflated, FlushDecompress::Finish);
        match status {
            Ok(Status::StreamEnd) => return Ok(inflated),
            // It wants more room; one that has room left wants more bytes, and there are none.
            Ok(_) if inflated.len() == inflated.capacity() => {}
            _ => return Err(SigningError::Malformed("zlib")),
        }
    }
}
