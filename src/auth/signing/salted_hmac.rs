//! Django's keyed hash, under all its signatures.

use std::fmt;

use hmac::{EagerHash, Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

/// The hash under a keyed hash. Everything of Django's is [`Sha256`](Algorithm::Sha256) unless configured otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Algorithm {
    /// SHA-1, of old signatures.
    Sha1,
    /// SHA-256.
    #[default]
    Sha256,
    /// SHA-512.
    Sha512,
}

/// The hash of `value` under a key that is made of `key_salt` and `secret`.
///
/// The salt keeps uses apart: a value that was signed for one purpose does not verify for another.
///
/// ```
/// use solent::auth::{Algorithm, salted_hmac};
///
/// let hash = salted_hmac("my.purpose", b"hello", "the site's key", Algorithm::Sha256);
/// assert_eq!(hash.len(), 32);
/// assert_ne!(hash, salted_hmac("another.purpose", b"hello", "the site's key", Algorithm::Sha256));
/// ```
pub fn salted_hmac(key_salt: &str, value: &[u8], secret: &str, algorithm: Algorithm) -> Vec<u8> {
    SaltedKey::new(key_salt, secret, algorithm).hash(value)
}

/// A key made of a salt and a secret, ready to hash. Making one costs more than a hash under it.
#[derive(Clone)]
pub(crate) enum SaltedKey {
    Sha1(Hmac<Sha1>),
    Sha256(Hmac<Sha256>),
    Sha512(Hmac<Sha512>),
}

impl SaltedKey {
    pub(crate) fn new(key_salt: &str, secret: &str, algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Sha1 => Self::Sha1(keyed(key_salt, secret)),
            Algorithm::Sha256 => Self::Sha256(keyed(key_salt, secret)),
            Algorithm::Sha512 => Self::Sha512(keyed(key_salt, secret)),
        }
    }

    pub(crate) fn hash(&self, value: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha1(hmac) => hmac.clone().chain_update(value).finalize().into_bytes().to_vec(),
            Self::Sha256(hmac) => hmac.clone().chain_update(value).finalize().into_bytes().to_vec(),
            Self::Sha512(hmac) => hmac.clone().chain_update(value).finalize().into_bytes().to_vec(),
        }
    }
}

fn keyed<D: EagerHash + Digest>(key_salt: &str, secret: &str) -> Hmac<D> {
    let key = D::new().chain_update(key_salt).chain_update(secret).finalize();
    <Hmac<D> as KeyInit>::new_from_slice(&key).expect("HMAC takes keys of any length")
}

impl fmt::Debug for SaltedKey {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SaltedKey")
    }
}
