//! When a password that was just verified is hashed anew.

use super::SALT_CHARACTERS;
use super::hasher::Hasher;
use super::pbkdf2::Digest;
use super::verify::Encoded;

/// When a password that was just verified is hashed anew.
///
/// A new hash changes the session's hash over it, which ends the user's other sessions. Where Django and Solent share
/// users but not the parameters, [`Rehash::Django`] on both sides would end each other's sessions at every login.
///
/// ```
/// use solent::auth::{Hasher, Passwords, Rehash};
///
/// let preferred = Hasher::Pbkdf2Sha256 { iterations: 1_000_000 };
/// let stronger = "pbkdf2_sha256$1500000$Uhm4ZWhtnFwXbWZQQEnAgb$aGFzaA==";
/// assert!(!Rehash::Weaker.wants(stronger, preferred));
/// assert!(Rehash::Django.wants(stronger, preferred));
/// let passwords = Passwords::new(preferred).with_rehash(Rehash::Never);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Rehash {
    /// When the hash is weaker than a new one would be: fewer iterations, less memory, a short salt, or an algorithm
    /// that is obsolete. The default.
    #[default]
    Weaker,
    /// By Django's rule: whenever a new one would look different, stronger ones too.
    Django,
    /// Never.
    Never,
}

impl Rehash {
    /// Whether a column should be replaced by one of `preferred`. Columns that match no password are left alone.
    pub fn wants(self, encoded: &str, preferred: Hasher) -> bool {
        Encoded::parse(encoded).is_some_and(|column| match self {
            Self::Never => false,
            Self::Django => differs(&column, preferred),
            Self::Weaker => is_weaker(&column, preferred),
        })
    }
}

fn differs(column: &Encoded<'_>, preferred: Hasher) -> bool {
    match (column, preferred) {
        (Encoded::Pbkdf2(column), Hasher::Pbkdf2Sha256 { iterations }) if column.digest == Digest::Sha256 => {
            column.iterations != iterations || is_short(column.salt.as_bytes())
        }
        (Encoded::Argon2(column), Hasher::Argon2(cost)) => !column.is_current(cost) || is_short(&column.salt),
        (Encoded::Scrypt(column), Hasher::Scrypt(cost)) => column.cost != cost,
        (Encoded::Bcrypt(column), Hasher::BcryptSha256 { cost }) => !column.prehashed || column.cost != cost,
        _ => true,
    }
}

fn is_weaker(column: &Encoded<'_>, preferred: Hasher) -> bool {
    match (column, preferred) {
        (Encoded::Md5(_), _) => true,
        (Encoded::Pbkdf2(column), _) if column.digest == Digest::Sha1 => true,
        (Encoded::Pbkdf2(column), Hasher::Pbkdf2Sha256 { iterations }) => {
            column.iterations < iterations || is_short(column.salt.as_bytes())
        }
        (Encoded::Argon2(column), Hasher::Argon2(cost)) => {
            let cheaper = column.cost.memory_kib < cost.memory_kib || column.cost.passes < cost.passes;
            cheaper || !column.is_modern() || is_short(&column.salt)
        }
        (Encoded::Scrypt(column), Hasher::Scrypt(cost)) => {
            column.cost.work < cost.work || column.cost.block < cost.block || column.cost.lanes < cost.lanes
        }
        (Encoded::Bcrypt(column), Hasher::BcryptSha256 { cost }) => !column.prehashed || column.cost < cost,
        // Neither of two modern algorithms is weaker than the other: they are left in peace.
        (Encoded::Pbkdf2(column), _) => is_short(column.salt.as_bytes()),
        (Encoded::Argon2(column), _) => is_short(&column.salt),
        (Encoded::Scrypt(_) | Encoded::Bcrypt(_), _) => false,
    }
}

fn is_short(salt: &[u8]) -> bool {
    salt.len() < SALT_CHARACTERS
}
