//! Django's keyed hash, under all its signatures.

use hmac::{EagerHash, Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

/// The hash under a keyed hash. Everything of Django's is [`Sha256`](Algorithm::Sha256) unless configured otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
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
pub fn salted_hmac(key_salt: &str, value: &[u8], secret: &str, algorithm: Algorithm) -> Vec<u8> {
    match algorithm {
        Algorithm::Sha1 => keyed::<Sha1>(key_salt, value, secret),
        Algorithm::Sha256 => keyed::<Sha256>(key_salt, value, secret),
        Algorithm::Sha512 => keyed::<Sha512>(key_salt, value, secret),
    }
}

fn keyed<D: EagerHash + Digest>(key_salt: &str, value: &[u8], secret: &str) -> Vec<u8> {
    let key = D::new().chain_update(key_salt).chain_update(secret).finalize();
    let hmac = <Hmac<D> as KeyInit>::new_from_slice(&key).expect("HMAC takes keys of any length");
    hmac.chain_update(value).finalize().into_bytes().to_vec()
}
