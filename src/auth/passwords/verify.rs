//! Whether a password is the one behind a column.

use super::argon2::Argon2;
use super::bcrypt::Bcrypt;
use super::hasher::Hasher;
use super::pbkdf2::{Digest, Pbkdf2};
use super::scrypt::Scrypt;
use super::{is_usable, md5};

/// A column of a known algorithm, cut into its fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Encoded<'a> {
    Pbkdf2(Pbkdf2<'a>),
    Argon2(Argon2),
    Scrypt(Scrypt<'a>),
    Bcrypt(Bcrypt<'a>),
    /// What stands behind the algorithm's name.
    Md5(&'a str),
}

impl<'a> Encoded<'a> {
    /// Reads a column; `None` for an unusable one, an unknown algorithm, and fields that do not fit theirs.
    pub(super) fn parse(encoded: &'a str) -> Option<Self> {
        let (algorithm, fields) = encoded.split_once('$').filter(|_| is_usable(encoded))?;
        match algorithm {
            "pbkdf2_sha256" => Pbkdf2::parse(Digest::Sha256, fields).map(Self::Pbkdf2),
            "pbkdf2_sha1" => Pbkdf2::parse(Digest::Sha1, fields).map(Self::Pbkdf2),
            "argon2" => Argon2::parse(fields).map(Self::Argon2),
            "scrypt" => Scrypt::parse(fields).map(Self::Scrypt),
            "bcrypt_sha256" => Bcrypt::parse(true, fields).map(Self::Bcrypt),
            "bcrypt" => Bcrypt::parse(false, fields).map(Self::Bcrypt),
            "md5" => Some(Self::Md5(fields)),
            _ => None,
        }
    }

    pub(super) fn verify(&self, password: &str) -> bool {
        match self {
            Self::Pbkdf2(column) => column.verify(password),
            Self::Argon2(column) => column.verify(password),
            Self::Scrypt(column) => column.verify(password),
            Self::Bcrypt(column) => column.verify(password),
            Self::Md5(fields) => md5::verify(password, fields),
        }
    }
}

/// Whether `password` is the one behind the column `encoded`. A column of an unknown algorithm, an unusable and a
/// malformed one match nothing. Slow by intent: not for async threads, which have
/// [`Passwords`](super::Passwords).
///
/// ```
/// use solent::auth::{Hasher, verify_password};
///
/// let encoded = Hasher::Pbkdf2Sha256 { iterations: 10 }.encode("open sesame", "salt").unwrap();
/// assert!(verify_password("open sesame", &encoded));
/// assert!(!verify_password("Open Sesame", &encoded));
/// assert!(!verify_password("open sesame", "!"));
/// ```
pub fn verify_password(password: &str, encoded: &str) -> bool {
    Encoded::parse(encoded).is_some_and(|column| column.verify(password))
}

/// Verifies, and takes as long for a column that cannot match or is cheap as for one of the preferred hasher, so that
/// time does not tell who has an account.
pub(super) fn verify_evenly(password: &str, encoded: Option<&str>, preferred: Hasher) -> bool {
    let column = encoded.and_then(Encoded::parse);
    if column.as_ref().is_some_and(|column| column.verify(password)) {
        return true;
    }
    match (&column, preferred) {
        (Some(Encoded::Argon2(column)), Hasher::Argon2(cost)) if column.cost == cost => {}
        (Some(Encoded::Scrypt(column)), Hasher::Scrypt(cost)) if column.cost == cost => {}
        (Some(Encoded::Bcrypt(column)), Hasher::BcryptSha256 { cost }) if column.cost == cost => {}
        (Some(Encoded::Pbkdf2(column)), Hasher::Pbkdf2Sha256 { iterations })
            if column.digest == Digest::Sha256 =>
        {
            let missing = iterations.saturating_sub(column.iterations);
            if missing > 0 {
                Pbkdf2::burn(password, column.salt, missing);
            }
        }
        _ => drop(std::hint::black_box(preferred.encode(password, &super::new_salt()))),
    }
    false
}
