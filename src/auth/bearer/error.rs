//! Why a token is not believed.

/// Why a token is not believed. None of them holds any part of the token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// Not what a token looks like here.
    #[error("expected {0}")]
    Malformed(&'static str),
    /// None of the keys made its signature.
    #[error("the signature is not valid")]
    Signature,
    /// Made by another algorithm than its key's, or by none.
    #[error("the token was not made by the algorithm that is expected here")]
    Algorithm,
    /// Its time is over.
    #[error("the token has expired")]
    Expired,
    /// Its time is to come.
    #[error("the token is not valid yet")]
    NotYet,
    /// Made for somebody else.
    #[error("the token was made for another audience")]
    Audience,
    /// Made by somebody else.
    #[error("the token was made by another issuer")]
    Issuer,
    /// Something that it must say is missing.
    #[error("the token does not say its {0}")]
    Missing(String),
    /// Whether it may be believed cannot be found out now: 503.
    #[error("the token cannot be verified now")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}
