//! Django's signatures: values that a client may hold but not change.
//!
//! Sessions, signed cookies and the session's hash over a user's password are made with these. The formats are
//! Django's byte for byte, so that both sides can read what the other wrote.

mod base62;
mod dumps;
mod keys;
mod salted_hmac;
mod salted_keys;
mod signer;

pub use dumps::{DUMPS_SALT, dumps, loads};
pub(crate) use dumps::{dumps_json, unpack};
pub use keys::SecretKeys;
pub(crate) use salted_hmac::SaltedKey;
pub use salted_hmac::{Algorithm, salted_hmac};
pub(crate) use salted_keys::SaltedKeys;
pub use signer::{Signer, SigningError, TimestampSigner};
