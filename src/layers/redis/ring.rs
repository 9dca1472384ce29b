//! [`Ring`]: which of several hosts a name belongs to.

/// Client-side sharding over a fixed list of hosts, as channels_redis does it. Every side needs the same list in the
/// same order.
///
/// ```
/// use solent::layers::redis::Ring;
///
/// let ring = Ring::new(3);
/// assert!(ring.index("chat_7") < 3);
/// assert_eq!(ring.index("chat_7"), ring.index("chat_7"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ring(usize);

impl Ring {
    /// A ring of that many hosts; at least one.
    pub fn new(hosts: usize) -> Self {
        Self(hosts.max(1))
    }

    /// The index of the host that `name` belongs to.
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    pub fn index(self, name: &str) -> usize {
        if self.0 == 1 {
            return 0;
        }
        let slot = f64::from(crc32fast::hash(name.as_bytes()) & 0xFFF);
        // Python divides floats here, and its rounding is part of the format.
        (slot / (4096.0 / self.0 as f64)) as usize
    }
}
