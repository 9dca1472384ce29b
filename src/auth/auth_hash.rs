//! The session's hash over its user's password: what ends all sessions of a user whose password changes.

use subtle::ConstantTimeEq;

use super::SecretKeys;
use super::signing::{Algorithm, SaltedKey, SaltedKeys};

const KEY_SALT: &str = "django.contrib.auth.models.AbstractBaseUser.get_session_auth_hash";

/// The hash over the password column, as Django stores it in a session: 64 hexadecimal digits.
///
/// ```
/// use solent::auth::{SecretKeys, session_auth_hash};
///
/// let keys = SecretKeys::new("the site's key");
/// let before = session_auth_hash("pbkdf2_sha256$1000000$old$…", &keys);
/// assert_eq!(before.len(), 64);
/// assert_ne!(before, session_auth_hash("pbkdf2_sha256$1000000$new$…", &keys), "a new password ends the session");
/// ```
pub fn session_auth_hash(password_column: &str, keys: &SecretKeys) -> String {
    AuthHashes::new(keys).make(password_column)
}

/// Which key made a session's hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MadeBy {
    /// The key that signs.
    CurrentKey,
    /// An old key that still verifies: the session is good, and views renew its hash.
    FallbackKey,
}

/// Makes and verifies the hashes of a site.
#[derive(Debug)]
pub(super) struct AuthHashes(SaltedKeys);

impl AuthHashes {
    pub(super) fn new(keys: &SecretKeys) -> Self {
        Self(SaltedKeys::new(keys, KEY_SALT, Algorithm::Sha256))
    }

    /// The hash over the password column.
    pub(super) fn make(&self, password_column: &str) -> String {
        hash_under(self.0.signing(), password_column)
    }

    /// Which key made `found` over the password column; `None` when the password has changed or the hash is forged.
    pub(super) fn verify(&self, found: &str, password_column: &str) -> Option<MadeBy> {
        let matches =
            |key: &SaltedKey| bool::from(hash_under(key, password_column).as_bytes().ct_eq(found.as_bytes()));
        if matches(self.0.signing()) {
            return Some(MadeBy::CurrentKey);
        }
        self.0.fallbacks().any(matches).then_some(MadeBy::FallbackKey)
    }
}

fn hash_under(key: &SaltedKey, password_column: &str) -> String {
    hex(&key.hash(password_column.as_bytes()))
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = |byte: &u8| [byte >> 4, byte & 15].map(|half| char::from(DIGITS[usize::from(half)]));
    bytes.iter().flat_map(digits).collect()
}
