//! CSRF tokens: a secret of 32 characters, masked anew for every page so that compression leaks nothing of it.

use rand::RngExt as _;
use subtle::ConstantTimeEq;

/// The characters of secrets and tokens, in the order that masking counts in.
const ALPHABET: &[u8; 62] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/// Length of a secret; a masked token has twice as many characters.
const LENGTH: usize = 32;

/// The secret that a client's cookie or session holds.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret([u8; LENGTH]);

/// Why a token or secret was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TokenError {
    #[error("has incorrect length")]
    Length,
    #[error("has invalid characters")]
    Characters,
}

impl Secret {
    /// A new one.
    pub(crate) fn random() -> Self {
        Self(random_characters())
    }

    /// Reads a cookie's or session's value, bare or masked as Django masked it before 4.1.
    pub(crate) fn parse(text: &str) -> Result<Self, TokenError> {
        if text.chars().any(|c| !c.is_ascii_alphanumeric()) && matches!(text.chars().count(), 32 | 64) {
            return Err(TokenError::Characters);
        }
        match *text.as_bytes() {
            ref bytes if bytes.len() == LENGTH => Ok(Self(std::array::from_fn(|i| bytes[i]))),
            ref bytes if bytes.len() == 2 * LENGTH => {
                let (mask, cipher) = bytes.split_at(LENGTH);
                Ok(Self(std::array::from_fn(|i| character(position(cipher[i]) + 62 - position(mask[i])))))
            }
            _ => Err(TokenError::Length),
        }
    }

    /// The bare secret, as the cookie holds it.
    pub(crate) fn as_str(&self) -> &str {
        // Made of the alphabet alone.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// A token for one page: another one each time.
    pub(crate) fn token(&self) -> String {
        self.masked_with(&random_characters())
    }

    fn masked_with(&self, mask: &[u8; LENGTH]) -> String {
        let cipher =
            self.0.iter().zip(mask).map(|(&secret, &mask)| character(position(secret) + position(mask)));
        mask.iter().copied().chain(cipher).map(char::from).collect()
    }

    /// Whether a token from a form or header is a masking of this secret, or the secret itself.
    pub(crate) fn check(&self, token: &str) -> Result<bool, TokenError> {
        Ok(Self::parse(token)?.0.ct_eq(&self.0).into())
    }
}

fn random_characters() -> [u8; LENGTH] {
    let mut rng = rand::rng();
    std::array::from_fn(|_| ALPHABET[rng.random_range(0..ALPHABET.len())])
}

/// A character's place in the alphabet.
fn position(character: u8) -> usize {
    match character {
        b'a'..=b'z' => usize::from(character - b'a'),
        b'A'..=b'Z' => usize::from(character - b'A') + 26,
        _ => usize::from(character.wrapping_sub(b'0')) % 10 + 52,
    }
}

fn character(position: usize) -> u8 {
    ALPHABET[position % ALPHABET.len()]
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn cases(key: &str) -> Vec<Value> {
        let vectors: Value = serde_json::from_str(include_str!("../../../tests/vectors/csrf.json")).unwrap();
        vectors[key].as_array().unwrap().clone()
    }

    #[test]
    fn secrets_are_masked_and_unmasked_as_django_does() {
        let all = cases("mask");
        for case in &all {
            let text = |key: &str| case[key].as_str().unwrap();
            let secret = Secret::parse(text("secret")).unwrap();
            let mask: [u8; LENGTH] = text("mask").as_bytes().try_into().unwrap();
            assert_eq!(secret.masked_with(&mask), text("token"));
            assert_eq!(Secret::parse(text("token")).unwrap().as_str(), text("unmasked"));
        }
        assert_eq!(all.len(), 12);
    }

    #[test]
    fn tokens_are_checked_as_django_checks_them() {
        let all = cases("check");
        for case in &all {
            let secret = Secret::parse(case["secret"].as_str().unwrap()).unwrap();
            let found = secret.check(case["token"].as_str().unwrap());
            assert_eq!(found.unwrap_or(false), case["valid"] == true, "{}", case["note"]);
            let reason = found.err().map(|error| error.to_string());
            assert_eq!(reason.as_deref(), case["format_error"].as_str(), "{}", case["note"]);
        }
        assert_eq!(all.len(), 9);
    }

    #[test]
    fn two_tokens_of_one_secret_differ_and_both_fit() {
        let secret = Secret::random();
        let (first, second) = (secret.token(), secret.token());
        assert_ne!(first, second);
        assert!(secret.check(&first).unwrap() && secret.check(&second).unwrap());
    }
}
