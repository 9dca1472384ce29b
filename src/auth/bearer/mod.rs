//! Bearer tokens: what clients that are no browsers show in place of a session, and how it is verified.
//!
//! [`BearerLayer`](crate::middleware::BearerLayer) takes them from requests and handshakes.

mod claims;
mod error;
#[cfg(feature = "jwt")]
mod jwt;
#[cfg(feature = "jwt")]
mod jwt_key;
mod signed;

use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;

pub use claims::BearerClaims;
pub use error::TokenError;
#[cfg(feature = "jwt")]
pub use jwt::JwtTokens;
#[cfg(feature = "jwt")]
pub use jwt_key::{JwtKey, JwtKeyError};
pub use signed::{BEARER_SALT, SignedTokens};

/// Finds out what a token says, and whether it may be believed. A service with tokens of its own kind implements it.
///
/// # Cancel safety
/// A verification is dropped when its client leaves.
///
/// Tokens that are looked up in a list:
///
/// ```
/// use std::collections::HashMap;
/// use futures_util::future::{BoxFuture, FutureExt as _, ready};
/// use solent::auth::{BearerClaims, TokenError, TokenVerifier};
/// use solent::middleware::BearerLayer;
///
/// #[derive(Debug)]
/// struct Listed(HashMap<String, BearerClaims>);
///
/// impl TokenVerifier for Listed {
///     fn verify<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<BearerClaims, TokenError>> {
///         ready(self.0.get(token).cloned().ok_or(TokenError::Signature)).boxed()
///     }
/// }
///
/// let camera = ("a long random text".to_owned(), BearerClaims::new("7").with_username("camera"));
/// let layer = BearerLayer::claims_only(Listed(HashMap::from([camera]))).required();
/// ```
pub trait TokenVerifier: fmt::Debug + Send + Sync + 'static {
    /// What the token says.
    ///
    /// # Errors
    /// Why it is not believed; [`TokenError::Unavailable`] when that cannot be found out now, which is a 503.
    fn verify<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<BearerClaims, TokenError>>;
}

impl<T: TokenVerifier + ?Sized> TokenVerifier for Arc<T> {
    fn verify<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<BearerClaims, TokenError>> {
        T::verify(self, token)
    }
}
