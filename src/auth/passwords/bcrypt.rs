//! `bcrypt_sha256$$2b$12$…`, and plain `bcrypt$$2b$12$…`: bcrypt's own text behind the algorithm's name.

use base64::Engine as _;
use base64::alphabet::BCRYPT;
use base64::engine::GeneralPurpose;
use base64::engine::general_purpose::NO_PAD;
use sha2::{Digest, Sha256};

/// 2²⁰ rounds take minutes; a column that asks for more does not match.
const MAX_COST: u32 = 20;

/// A salt's 22 characters hold two bits more than its 16 bytes.
const SALT: GeneralPurpose = GeneralPurpose::new(&BCRYPT, NO_PAD.with_decode_allow_trailing_bits(true));

/// A column, cut into its fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bcrypt<'a> {
    /// Whether the password goes through SHA-256 first, so that bcrypt's 72 bytes hold every password.
    pub(super) prehashed: bool,
    pub(super) cost: u32,
    text: &'a str,
}

impl<'a> Bcrypt<'a> {
    /// Reads what stands behind the algorithm's name.
    pub(super) fn parse(prehashed: bool, text: &'a str) -> Option<Self> {
        let (_, rest) = text.strip_prefix("$2")?.split_once('$')?;
        let cost = rest.split_once('$')?.0.parse().ok().filter(|cost| (4..=MAX_COST).contains(cost))?;
        Some(Self { prehashed, cost, text })
    }

    pub(super) fn verify(&self, password: &str) -> bool {
        let matches = if self.prehashed {
            bcrypt::verify(sha256_hex(password), self.text)
        } else {
            // Old libraries cut passwords at 72 bytes, and so did who made such a column.
            bcrypt::verify(password, self.text)
        };
        matches.unwrap_or(false)
    }
}

/// A whole `bcrypt_sha256` column; `None` for a salt or cost that bcrypt does not take.
pub(super) fn encode(password: &str, salt: &str, cost: u32) -> Option<String> {
    let salt: [u8; 16] = SALT.decode(salt.get(..22)?).ok()?.try_into().ok()?;
    let parts = bcrypt::hash_with_salt(sha256_hex(password), cost, salt).ok()?;
    Some(format!("bcrypt_sha256${}", parts.format_for_version(bcrypt::Version::TwoB)))
}

fn sha256_hex(password: &str) -> String {
    Sha256::digest(password).iter().map(|byte| format!("{byte:02x}")).collect()
}
