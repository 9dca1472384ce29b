//! `pbkdf2_sha256$iterations$salt$base64` and its SHA-1 sibling.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pbkdf2::{Algorithm, Params, pbkdf2_hmac, pbkdf2_hmac_with_params};
use sha1::Sha1;
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// More than this is no cost but a hanging thread; a column that asks for it does not match.
const MAX_ITERATIONS: u32 = 50_000_000;

/// The hash under PBKDF2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Digest {
    Sha1,
    Sha256,
}

/// A column, cut into its fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pbkdf2<'a> {
    pub(super) digest: Digest,
    pub(super) iterations: u32,
    pub(super) salt: &'a str,
    hash: &'a str,
}

impl<'a> Pbkdf2<'a> {
    /// Reads what stands behind the algorithm's name.
    pub(super) fn parse(digest: Digest, fields: &'a str) -> Option<Self> {
        let mut fields = fields.splitn(3, '$');
        let iterations = fields.next()?.parse().ok().filter(|n| (1..=MAX_ITERATIONS).contains(n))?;
        Some(Self { digest, iterations, salt: fields.next()?, hash: fields.next()? })
    }

    pub(super) fn verify(&self, password: &str) -> bool {
        let made = hash(self.digest, password, self.salt, self.iterations);
        made.as_bytes().ct_eq(self.hash.as_bytes()).into()
    }

    /// Spends the time of `iterations` and throws the result away.
    pub(super) fn burn(password: &str, salt: &str, iterations: u32) {
        std::hint::black_box(hash(Digest::Sha256, password, salt, iterations));
    }
}

/// A whole SHA-256 column.
pub(super) fn encode(password: &str, salt: &str, iterations: u32) -> String {
    format!("pbkdf2_sha256${iterations}${salt}${}", hash(Digest::Sha256, password, salt, iterations))
}

fn hash(digest: Digest, password: &str, salt: &str, iterations: u32) -> String {
    let (password, salt) = (password.as_bytes(), salt.as_bytes());
    match digest {
        Digest::Sha1 => {
            let mut out = [0; 20];
            pbkdf2_hmac::<Sha1>(password, salt, iterations, &mut out);
            STANDARD.encode(out)
        }
        Digest::Sha256 => {
            let mut out = [0; 32];
            match Params::new(iterations) {
                Ok(params) => {
                    pbkdf2_hmac_with_params(password, salt, Algorithm::Pbkdf2Sha256, params, &mut out);
                }
                // The crate's parameters begin at 1,000 iterations, Django's columns do not.
                Err(_) => pbkdf2_hmac::<Sha256>(password, salt, iterations, &mut out),
            }
            STANDARD.encode(out)
        }
    }
}
