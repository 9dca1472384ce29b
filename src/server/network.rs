//! A network of addresses, as trusted proxies are named.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// A network of addresses: `10.0.0.0/8`, `::1`, or `unix` for clients of Unix sockets.
///
/// ```
/// use solent::server::Network;
///
/// let network: Network = "10.0.0.0/8".parse()?;
/// assert!(network.contains(Some("10.1.2.3".parse().unwrap())));
/// assert!(!network.contains(None));
/// # Ok::<(), solent::server::NetworkError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network(Kind);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Unix,
    Addresses { base: IpAddr, bits: u8 },
}

/// A text that names no network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected an address, a network such as 10.0.0.0/8, or unix; found {0:?}")]
pub struct NetworkError(String);

impl Network {
    /// Whether an address is part of it; `None` is a client of a Unix socket. An IPv4 address may come as IPv6.
    pub fn contains(self, address: Option<IpAddr>) -> bool {
        match (self.0, address.map(|address| address.to_canonical())) {
            (Kind::Unix, None) => true,
            (Kind::Addresses { base: IpAddr::V4(base), bits }, Some(IpAddr::V4(address))) => {
                shares(base.to_bits().into(), address.to_bits().into(), 32 - u32::from(bits))
            }
            (Kind::Addresses { base: IpAddr::V6(base), bits }, Some(IpAddr::V6(address))) => {
                shares(base.to_bits(), address.to_bits(), 128 - u32::from(bits))
            }
            _ => false,
        }
    }
}

/// Whether two addresses are the same but for their last bits.
fn shares(a: u128, b: u128, but: u32) -> bool {
    a.checked_shr(but).unwrap_or(0) == b.checked_shr(but).unwrap_or(0)
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        if text == "unix" {
            return Ok(Self(Kind::Unix));
        }
        let wrong = || NetworkError(text.to_owned());
        let (base, bits) = text.split_once('/').map_or((text, None), |(base, bits)| (base, Some(bits)));
        let base: IpAddr = base.parse().map_err(|_| wrong())?;
        let most = if base.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(most), str::parse).map_err(|_| wrong())?;
        if bits > most {
            return Err(wrong());
        }
        Ok(Self(Kind::Addresses { base, bits }))
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Kind::Unix => f.write_str("unix"),
            Kind::Addresses { base, bits } if bits == if base.is_ipv4() { 32 } else { 128 } => base.fmt(f),
            Kind::Addresses { base, bits } => write!(f, "{base}/{bits}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Network;

    #[test]
    fn networks_hold_their_addresses() {
        for (network, inside, outside) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.1"),
            ("127.0.0.1", "127.0.0.1", "127.0.0.2"),
            ("127.0.0.1", "::ffff:127.0.0.1", "::1"),
            ("0.0.0.0/0", "255.1.2.3", "::1"),
            ("2001:db8::/32", "2001:db8:1::1", "2001:db9::1"),
            ("::/0", "::1", "127.0.0.1"),
            ("::1", "::1", "::2"),
        ] {
            let parsed: Network = network.parse().unwrap();
            assert_eq!(parsed.to_string(), network);
            assert!(parsed.contains(Some(inside.parse().unwrap())), "{network} {inside}");
            assert!(!parsed.contains(Some(outside.parse().unwrap())), "{network} {outside}");
            assert!(!parsed.contains(None));
        }
        assert!("unix".parse::<Network>().unwrap().contains(None));
        for text in ["", "10.0.0.0/33", "10.0.0/8", "::/129", "10.0.0.0/-1", "localhost", "unix/8"] {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
    }
}
