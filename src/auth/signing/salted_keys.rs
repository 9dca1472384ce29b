//! The secret keys for one purpose, ready to hash: made when the purpose is known, not with every signature.

use std::sync::Arc;

use super::SecretKeys;
use super::salted_hmac::{Algorithm, SaltedKey};

/// What [`SecretKeys`] become for one salt. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct SaltedKeys(Arc<Salted>);

#[derive(Debug)]
struct Salted {
    signing: SaltedKey,
    fallbacks: Vec<SaltedKey>,
}

impl SaltedKeys {
    pub(crate) fn new(keys: &SecretKeys, key_salt: &str, algorithm: Algorithm) -> Self {
        let salted = |secret| SaltedKey::new(key_salt, secret, algorithm);
        let fallbacks = keys.fallbacks().map(salted).collect();
        Self(Arc::new(Salted { signing: salted(keys.signing()), fallbacks }))
    }

    /// The key that signs.
    pub(crate) fn signing(&self) -> &SaltedKey {
        &self.0.signing
    }

    /// The keys that verify, the one that signs first.
    pub(crate) fn verifying(&self) -> impl Iterator<Item = &SaltedKey> {
        std::iter::once(&self.0.signing).chain(self.fallbacks())
    }

    pub(crate) fn fallbacks(&self) -> impl Iterator<Item = &SaltedKey> {
        self.0.fallbacks.iter()
    }
}
