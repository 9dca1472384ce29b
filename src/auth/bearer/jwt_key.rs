//! A key of JWTs, with the one algorithm that it is for.

use std::fmt;

use jsonwebtoken::{Algorithm, DecodingKey};

/// What RFC 7518 asks of HS256's secrets: as long as the hash.
const SHORTEST_SECRET: usize = 32;

/// The shortest modulus of RS256, in bytes of the key's DER form: 2048 bits.
const SHORTEST_MODULUS: usize = 256;

/// An uncompressed point on P-256.
const P256_POINT: usize = 65;

/// A key that JWTs are verified with. Its algorithm is its own: what a token says of it decides nothing. Never shows
/// in logs.
///
/// ```
/// use solent::auth::JwtKey;
///
/// let key = JwtKey::hs256("a secret of at least thirty-two bytes")?.with_id("2026-11");
/// assert!(JwtKey::hs256("too short").is_err());
/// # Ok::<(), solent::auth::JwtKeyError>(())
/// ```
///
/// An identity provider has a pair of keys, of which it publishes one:
///
/// ```
/// # fn keys() -> solent::Result<()> {
/// use solent::auth::{JwtKey, JwtTokens};
///
/// let rsa = JwtKey::rs256(std::fs::read("login-2026.pem")?)?;
/// let curve = JwtKey::es256(std::fs::read("login-2027.pem")?)?;
/// let tokens = JwtTokens::new([rsa, curve]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct JwtKey {
    pub(super) algorithm: Algorithm,
    pub(super) key: DecodingKey,
    pub(super) id: Option<String>,
}

/// Why a text is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected {0}")]
pub struct JwtKeyError(pub(super) &'static str);

impl JwtKey {
    /// A secret that both sides know.
    ///
    /// # Errors
    /// One of less than 32 bytes, and one that is a key in PEM form: everybody may know a public one.
    pub fn hs256(secret: impl AsRef<[u8]>) -> Result<Self, JwtKeyError> {
        let secret = secret.as_ref();
        if secret.trim_ascii_start().starts_with(b"-----BEGIN") {
            return Err(JwtKeyError(
                "a secret for HS256, found a key in PEM form, which is for RS256 or ES256",
            ));
        }
        if secret.len() < SHORTEST_SECRET {
            return Err(JwtKeyError("a secret of at least 32 bytes for HS256"));
        }
        let key = DecodingKey::from_secret(secret);
        Self::new(Algorithm::HS256, key, |_| true, "a secret of at least 32 bytes for HS256")
    }

    /// An RSA public key in PEM form.
    ///
    /// # Errors
    /// Something else, or a key of less than 2048 bits.
    pub fn rs256(pem: impl AsRef<[u8]>) -> Result<Self, JwtKeyError> {
        let expected = "an RSA public key of at least 2048 bits in PEM form for RS256";
        let key = DecodingKey::from_rsa_pem(pem.as_ref());
        Self::new(Algorithm::RS256, key, |bytes| bytes.len() >= SHORTEST_MODULUS, expected)
    }

    /// A public key on the curve P-256 in PEM form.
    ///
    /// # Errors
    /// Something else.
    pub fn es256(pem: impl AsRef<[u8]>) -> Result<Self, JwtKeyError> {
        let expected = "a public key on the curve P-256 in PEM form for ES256";
        let key = DecodingKey::from_ec_pem(pem.as_ref());
        Self::new(Algorithm::ES256, key, |bytes| bytes.len() == P256_POINT, expected)
    }

    /// The key is for tokens with this `kid`, and for those without any.
    #[must_use]
    pub fn with_id(self, id: impl Into<String>) -> Self {
        Self { id: Some(id.into()), ..self }
    }

    fn new(
        algorithm: Algorithm,
        key: Result<DecodingKey, jsonwebtoken::errors::Error>,
        fits: impl Fn(&[u8]) -> bool,
        expected: &'static str,
    ) -> Result<Self, JwtKeyError> {
        let key = key.map_err(|_| JwtKeyError(expected))?;
        let is_right = key.try_get_as_bytes().is_ok_and(fits);
        if is_right { Ok(Self { algorithm, key, id: None }) } else { Err(JwtKeyError(expected)) }
    }

    /// Whether a token with this `kid` may have been made by this key.
    pub(super) fn may_be(&self, kid: Option<&str>) -> bool {
        match (&self.id, kid) {
            (Some(id), Some(kid)) => id == kid,
            _ => true,
        }
    }
}

impl fmt::Debug for JwtKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JwtKey({:?}, {:?})", self.algorithm, self.id)
    }
}
