//! `argon2$argon2id$v=19$m=…,t=…,p=…$salt$hash`: argon2's own text behind the algorithm's name.

use argon2::{Algorithm, Argon2 as Context, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use subtle::ConstantTimeEq;

use super::hasher::Argon2Cost;

/// What a column may ask for: 1 GiB, 64 passes, 64 lanes. Beyond it, it does not match.
const MAX_COST: Argon2Cost = Argon2Cost { memory_kib: 1 << 20, passes: 64, lanes: 64 };

/// Length of the hashes that are made here.
const HASH_BYTES: usize = 32;

/// A column, cut into its fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Argon2 {
    algorithm: Algorithm,
    version: Version,
    pub(super) cost: Argon2Cost,
    /// The salt's text, as Django hands it to argon2.
    pub(super) salt: Vec<u8>,
    hash: Vec<u8>,
}

impl Argon2 {
    /// Reads what stands behind the algorithm's name.
    pub(super) fn parse(fields: &str) -> Option<Self> {
        let (variety, rest) = fields.split_once('$')?;
        let (version, rest) = match rest.strip_prefix("v=") {
            Some(rest) => rest.split_once('$')?,
            // The first version did not write itself down.
            None => ("16", rest),
        };
        let mut rest = rest.split('$');
        let cost = parse_cost(rest.next()?)?;
        let (salt, hash) =
            (STANDARD_NO_PAD.decode(rest.next()?).ok()?, STANDARD_NO_PAD.decode(rest.next()?).ok()?);
        let algorithm = match variety {
            "argon2d" => Algorithm::Argon2d,
            "argon2i" => Algorithm::Argon2i,
            "argon2id" => Algorithm::Argon2id,
            _ => return None,
        };
        let version = Version::try_from(version.parse::<u32>().ok()?).ok()?;
        rest.next().is_none().then_some(Self { algorithm, version, cost, salt, hash })
    }

    pub(super) fn verify(&self, password: &str) -> bool {
        compute(self.algorithm, self.version, self.cost, password, &self.salt, self.hash.len())
            .is_some_and(|made| made.ct_eq(&self.hash).into())
    }

    /// Whether it is of the kind that is made here, at this cost.
    pub(super) fn is_current(&self, cost: Argon2Cost) -> bool {
        self.cost == cost && self.is_modern() && self.hash.len() == HASH_BYTES
    }

    /// Argon2id of the current version.
    pub(super) fn is_modern(&self) -> bool {
        self.algorithm == Algorithm::Argon2id && self.version == Version::V0x13
    }
}

/// A whole column; `None` for a cost that argon2 does not take.
pub(super) fn encode(password: &str, salt: &str, cost: Argon2Cost) -> Option<String> {
    let hash = compute(Algorithm::Argon2id, Version::V0x13, cost, password, salt.as_bytes(), HASH_BYTES)?;
    let Argon2Cost { memory_kib, passes, lanes } = cost;
    let (salt, hash) = (STANDARD_NO_PAD.encode(salt), STANDARD_NO_PAD.encode(hash));
    Some(format!("argon2$argon2id$v=19$m={memory_kib},t={passes},p={lanes}${salt}${hash}"))
}

fn compute(
    algorithm: Algorithm,
    version: Version,
    cost: Argon2Cost,
    password: &str,
    salt: &[u8],
    length: usize,
) -> Option<Vec<u8>> {
    let within = cost.memory_kib <= MAX_COST.memory_kib
        && cost.passes <= MAX_COST.passes
        && cost.lanes <= MAX_COST.lanes
        && length <= 128;
    let params =
        Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(length)).ok().filter(|_| within)?;
    let mut hash = vec![0; length];
    Context::new(algorithm, version, params).hash_password_into(password.as_bytes(), salt, &mut hash).ok()?;
    Some(hash)
}

/// `m=102400,t=2,p=8`, in this order.
fn parse_cost(text: &str) -> Option<Argon2Cost> {
    let mut fields = text.split(',');
    let mut field = |name| fields.next()?.strip_prefix(name)?.parse().ok();
    let cost = Argon2Cost { memory_kib: field("m=")?, passes: field("t=")?, lanes: field("p=")? };
    fields.next().is_none().then_some(cost)
}
