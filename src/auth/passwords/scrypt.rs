//! `scrypt$N$salt$r$p$base64`: mind the place of the salt.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use scrypt::Params;
use subtle::ConstantTimeEq;

use super::hasher::ScryptCost;

/// What a column may ask for: 1 GiB and 64 lanes. Beyond it, it does not match.
const MAX_BYTES: u64 = 1 << 30;
const MAX_LANES: u32 = 64;

/// A column, cut into its fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scrypt<'a> {
    pub(super) cost: ScryptCost,
    salt: &'a str,
    hash: &'a str,
}

impl<'a> Scrypt<'a> {
    /// Reads what stands behind the algorithm's name.
    pub(super) fn parse(fields: &'a str) -> Option<Self> {
        let mut fields = fields.splitn(5, '$');
        let work = fields.next()?.parse().ok()?;
        let salt = fields.next()?;
        let (block, lanes) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
        Some(Self { cost: ScryptCost { work, block, lanes }, salt, hash: fields.next()? })
    }

    pub(super) fn verify(&self, password: &str) -> bool {
        hash(password, self.salt, self.cost)
            .is_some_and(|made| made.as_bytes().ct_eq(self.hash.as_bytes()).into())
    }
}

/// A whole column; `None` for a cost that scrypt does not take.
pub(super) fn encode(password: &str, salt: &str, cost: ScryptCost) -> Option<String> {
    let ScryptCost { work, block, lanes } = cost;
    Some(format!("scrypt${work}${salt}${block}${lanes}${}", hash(password, salt, cost)?))
}

fn hash(password: &str, salt: &str, cost: ScryptCost) -> Option<String> {
    let bytes = u64::from(cost.work) * u64::from(cost.block) * 128;
    if !cost.work.is_power_of_two() || bytes > MAX_BYTES || cost.lanes > MAX_LANES {
        return None;
    }
    let params = Params::new(u8::try_from(cost.work.ilog2()).ok()?, cost.block, cost.lanes).ok()?;
    let mut out = [0; 64];
    scrypt::scrypt(password.as_bytes(), salt.as_bytes(), &params, &mut out).ok()?;
    Some(STANDARD.encode(out))
}
