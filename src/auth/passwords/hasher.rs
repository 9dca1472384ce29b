//! How new passwords are hashed: Django's first `PASSWORD_HASHERS` entry.

use super::{argon2, bcrypt, pbkdf2, scrypt};

/// How new passwords are hashed. The default is Django's: PBKDF2 with 1,500,000 iterations of SHA-256.
///
/// ```
/// use solent::auth::{Argon2Cost, Hasher, ScryptCost, verify_password};
///
/// assert_eq!(Hasher::argon2(), Hasher::Argon2(Argon2Cost { memory_kib: 102_400, passes: 2, lanes: 8 }));
/// let cheap = Hasher::Scrypt(ScryptCost { work: 1024, ..ScryptCost::default() });
/// let column = cheap.encode("open sesame", "a random salt").expect("it takes this salt");
/// assert!(column.starts_with("scrypt$1024$"));
/// assert!(verify_password("open sesame", &column));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Hasher {
    /// `pbkdf2_sha256`: nothing but time. About half a second of one core by default.
    Pbkdf2Sha256 {
        /// 1,500,000 in Django 6.1, 1,000,000 in 5.2.
        iterations: u32,
    },
    /// `argon2`: time and memory. 100 MiB for a fifth of a second by default.
    Argon2(Argon2Cost),
    /// `scrypt`: time and memory.
    Scrypt(ScryptCost),
    /// `bcrypt_sha256`: time. A quarter of a second at Django's cost of 12.
    BcryptSha256 {
        /// Each step doubles the time. 12.
        cost: u32,
    },
}

/// What argon2 costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Argon2Cost {
    /// Memory in KiB. 102,400.
    pub memory_kib: u32,
    /// Passes over the memory. 2.
    pub passes: u32,
    /// Lanes. 8.
    pub lanes: u32,
}

impl Default for Argon2Cost {
    fn default() -> Self {
        Self { memory_kib: 102_400, passes: 2, lanes: 8 }
    }
}

/// What scrypt costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ScryptCost {
    /// N, a power of two. 16,384.
    pub work: u32,
    /// r. 8; with N it makes 16 MiB.
    pub block: u32,
    /// p. 5.
    pub lanes: u32,
}

impl Default for ScryptCost {
    fn default() -> Self {
        Self { work: 1 << 14, block: 8, lanes: 5 }
    }
}

impl Default for Hasher {
    fn default() -> Self {
        Self::Pbkdf2Sha256 { iterations: 1_500_000 }
    }
}

impl Hasher {
    /// Argon2 at Django's cost.
    pub fn argon2() -> Self {
        Self::Argon2(Argon2Cost::default())
    }

    /// The column for a password under a salt. Slow by intent: not for async threads.
    ///
    /// `None` when the algorithm does not take the salt or the cost: a salt that is empty or holds a `$`, or for
    /// argon2 one under 8 bytes or less than 8 KiB of memory per lane; for bcrypt one under 22 characters.
    pub fn encode(&self, password: &str, salt: &str) -> Option<String> {
        if salt.is_empty() || salt.contains('$') {
            return None;
        }
        match *self {
            Self::Pbkdf2Sha256 { iterations } => Some(pbkdf2::encode(password, salt, iterations.max(1))),
            Self::Argon2(cost) => argon2::encode(password, salt, cost),
            Self::Scrypt(cost) => scrypt::encode(password, salt, cost),
            Self::BcryptSha256 { cost } => bcrypt::encode(password, salt, cost),
        }
    }
}
