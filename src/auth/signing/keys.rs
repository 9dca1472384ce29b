//! The secret keys: one that signs, and old ones that still verify.

use std::fmt;
use std::sync::Arc;

/// Django's `SECRET_KEY` and `SECRET_KEY_FALLBACKS`. Cheap to clone; never shows in logs.
///
/// ```
/// use solent::auth::SecretKeys;
///
/// let keys = SecretKeys::new("a long and random text").with_fallbacks(["the key before it"]);
/// assert_eq!(format!("{keys:?}"), "SecretKeys(1 fallback)");
/// ```
#[derive(Clone)]
pub struct SecretKeys {
    key: Arc<str>,
    fallbacks: Arc<[String]>,
}

impl SecretKeys {
    /// Signs and verifies with `key`.
    pub fn new(key: impl Into<Arc<str>>) -> Self {
        Self { key: key.into(), fallbacks: Arc::default() }
    }

    /// Verifies with older keys too, so that a change of keys ends no session.
    #[must_use]
    pub fn with_fallbacks<K: Into<String>>(self, keys: impl IntoIterator<Item = K>) -> Self {
        Self { fallbacks: keys.into_iter().map(Into::into).collect(), ..self }
    }

    /// The key that signs.
    pub(crate) fn signing(&self) -> &str {
        &self.key
    }

    /// The keys that verify, the one that signs first.
    pub(crate) fn verifying(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&*self.key).chain(self.fallbacks())
    }

    pub(crate) fn fallbacks(&self) -> impl Iterator<Item = &str> {
        self.fallbacks.iter().map(String::as_str)
    }
}

impl fmt::Debug for SecretKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.fallbacks.len() {
            1 => f.write_str("SecretKeys(1 fallback)"),
            n => write!(f, "SecretKeys({n} fallbacks)"),
        }
    }
}
