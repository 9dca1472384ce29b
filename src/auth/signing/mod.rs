//! Django's signatures: values that a client may hold but not change.
//!
//! Sessions, signed cookies and the session's hash over a user's password are made with these. The formats are
//! Django's byte for byte, so that both sides can read what the other wrote.

mod base62;
mod dumps;
mod keys;
mod salted_hmac;
mod signer;

pub use dumps::{DUMPS_SALT, dumps, loads};
pub(crate) use dumps::{dumps_json, loads_json};
pub use keys::SecretKeys;
pub use salted_hmac::{Algorithm, salted_hmac};
pub use signer::{Signer, SigningError, TimestampSigner};
