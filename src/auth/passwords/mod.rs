//! Passwords, kept in Django's formats.
//!
//! A password column is `algorithm$…`; the text before the first `$` says how the rest is read. Hashing is made to be
//! slow, so nothing here but [`Passwords`] may be called from async code: it hashes on a bounded pool of its own.

mod argon2;
mod bcrypt;
mod hasher;
mod md5;
mod pbkdf2;
mod pool;
mod rehash;
mod scrypt;
mod verify;

pub use hasher::{Argon2Cost, Hasher, ScryptCost};
pub use pool::{Checked, PasswordError, Passwords};
pub use rehash::Rehash;
pub use verify::verify_password;

use rand::RngExt as _;
use rand::distr::Alphanumeric;

/// A random salt of Django's length: 22 characters of `a-zA-Z0-9`.
fn new_salt() -> String {
    random_text(SALT_CHARACTERS)
}

/// Random text of `a-zA-Z0-9`.
pub(crate) fn random_text(characters: usize) -> String {
    rand::rng().sample_iter(Alphanumeric).take(characters).map(char::from).collect()
}

/// 22 characters of an alphabet of 62 hold 128 bits and a little.
const SALT_CHARACTERS: usize = 22;

/// Whether a password column can ever match: not empty, not marked as unusable by a leading `!`.
pub fn is_usable(encoded: &str) -> bool {
    !encoded.is_empty() && !encoded.starts_with('!')
}

/// A password column that no password matches: `!` and 40 random characters.
///
/// For accounts that log in elsewhere:
///
/// ```
/// use solent::auth::{is_usable, unusable_password};
///
/// let column = unusable_password();
/// assert!(!is_usable(&column));
/// assert!(is_usable("pbkdf2_sha256$1500000$salt$hash"));
/// ```
pub fn unusable_password() -> String {
    format!("!{}", random_text(40))
}
