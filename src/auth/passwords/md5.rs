//! `md5$salt$hex`: fast, hence for tests alone; read so that their databases can be used.

use md5::{Digest, Md5};
use subtle::ConstantTimeEq;

/// Whether `password` is the one behind the fields `salt$hex`.
pub(super) fn verify(password: &str, fields: &str) -> bool {
    let Some((salt, hex)) = fields.split_once('$') else { return false };
    let made = Md5::new().chain_update(salt).chain_update(password).finalize();
    let made: String = made.iter().map(|byte| format!("{byte:02x}")).collect();
    made.as_bytes().ct_eq(hex.as_bytes()).into()
}
