//! The session's hash over its user's password: what ends all sessions of a user whose password changes.

use subtle::ConstantTimeEq;

use super::SecretKeys;
use super::signing::{Algorithm, salted_hmac};

const KEY_SALT: &str = "django.contrib.auth.models.AbstractBaseUser.get_session_auth_hash";

/// The hash over the password column, as Django stores it in a session: 64 hexadecimal digits.
pub fn session_auth_hash(password_column: &str, keys: &SecretKeys) -> String {
    hash_under(password_column, keys.signing())
}

/// Which key made a session's hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MadeBy {
    /// The key that signs.
    CurrentKey,
    /// An old key that still verifies: the session is good, and views renew its hash.
    FallbackKey,
}

/// Which key made `found` over the password column; `None` when the password has changed or the hash is forged.
pub(crate) fn verify_auth_hash(found: &str, password_column: &str, keys: &SecretKeys) -> Option<MadeBy> {
    let matches = |key| bool::from(hash_under(password_column, key).as_bytes().ct_eq(found.as_bytes()));
    if matches(keys.signing()) {
        return Some(MadeBy::CurrentKey);
    }
    keys.fallbacks().any(matches).then_some(MadeBy::FallbackKey)
}

fn hash_under(password_column: &str, key: &str) -> String {
    hex(&salted_hmac(KEY_SALT, password_column.as_bytes(), key, Algorithm::Sha256))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
