//! Where a request comes from: the peer itself, or what trusted proxies tell of the client behind them.

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};

use ::http::HeaderMap;
use ::http::header::{FORWARDED, HeaderName};

use super::Network;
use crate::scope::Passage;

static X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
static X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// What is known of a request's client, once trusted proxies have been heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin {
    /// The client's address; its port is 0 where only a proxy knew it. `None`: a Unix socket's.
    pub(super) client: Option<SocketAddr>,
    /// Whether the client's side is encrypted.
    pub(super) secure: bool,
    /// The way from the client to here.
    pub(super) passage: Passage,
}

/// One station as a proxy names it, with what the same proxy says of the scheme.
#[derive(Debug, Clone, Default)]
struct Station {
    address: Option<SocketAddr>,
    secure: Option<bool>,
}

impl Origin {
    /// Reads the forwarding fields from right to left, for as long as the one who wrote them is trusted.
    ///
    /// `X-Forwarded-For` wins over `Forwarded`: proxies that write only one of them pass a client's own other one on.
    pub(super) fn of(
        peer: Option<SocketAddr>,
        secure: bool,
        headers: &HeaderMap,
        trusted: &[Network],
    ) -> Self {
        let is_trusted = |address: Option<IpAddr>| trusted.iter().any(|network| network.contains(address));
        let mut origin = Self { client: peer, secure, passage: Passage::default() };
        if !is_trusted(peer.map(|peer| peer.ip())) {
            warn_once(headers);
            return origin;
        }
        origin.passage.trusted = true;
        let stations = stations(headers);
        if stations.is_empty() {
            origin.secure = last_scheme(headers).unwrap_or(secure);
        }
        for station in stations.into_iter().rev() {
            origin.secure = station.secure.unwrap_or(origin.secure);
            let Some(address) = station.address else { break };
            origin.passage.hops.insert(0, origin.client.map(|client| client.ip().to_canonical()));
            origin.client = Some(address);
            if !is_trusted(Some(address.ip())) {
                break;
            }
        }
        origin
    }
}

/// What the proxies tell, the client's end first.
fn stations(headers: &HeaderMap) -> Vec<Station> {
    let addresses = list(headers, &X_FORWARDED_FOR);
    if addresses.is_empty() {
        return if headers.contains_key(&X_FORWARDED_PROTO) { Vec::new() } else { forwarded(headers) };
    }
    let schemes = list(headers, &X_FORWARDED_PROTO);
    let count = addresses.len();
    let scheme_at = |index: usize| match schemes.as_slice() {
        schemes if schemes.len() == count => is_secure(schemes[index]),
        // Most proxies write one scheme alone; it is the nearest one's word on the client.
        schemes if index + 1 == count => schemes.last().and_then(|scheme| is_secure(scheme)),
        _ => None,
    };
    let station =
        |(index, text): (usize, &&str)| Station { address: address(text), secure: scheme_at(index) };
    addresses.iter().enumerate().map(station).collect()
}

fn last_scheme(headers: &HeaderMap) -> Option<bool> {
    list(headers, &X_FORWARDED_PROTO).last().and_then(|scheme| is_secure(scheme))
}

/// All values of a list field, in order; those that are not ASCII name nobody.
fn list<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Vec<&'h str> {
    let values = headers.get_all(name).iter();
    values.flat_map(|value| value.to_str().unwrap_or("?").split(',')).map(str::trim).collect()
}

fn is_secure(scheme: &str) -> Option<bool> {
    match scheme.to_ascii_lowercase().as_str() {
        "https" | "wss" => Some(true),
        "http" | "ws" => Some(false),
        _ => None,
    }
}

/// `192.0.2.1`, `192.0.2.1:8080`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:8080`.
fn address(text: &str) -> Option<SocketAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let found = bare.parse::<IpAddr>().map(|address| SocketAddr::new(address, 0));
    let found = found.or_else(|_| text.parse::<SocketAddr>()).ok()?;
    Some(SocketAddr::new(found.ip().to_canonical(), found.port()))
}

/// RFC 7239: elements of `for=…;proto=…`.
fn forwarded(headers: &HeaderMap) -> Vec<Station> {
    let values = headers.get_all(FORWARDED).iter().map(|value| value.to_str().unwrap_or("for=unknown"));
    values.flat_map(|value| split_unquoted(value, ',')).map(element).collect()
}

fn element(text: &str) -> Station {
    let mut station = Station::default();
    for pair in split_unquoted(text, ';') {
        let Some((name, value)) = pair.split_once('=') else { continue };
        let value = value.trim().trim_matches('"');
        match name.trim().to_ascii_lowercase().as_str() {
            "for" => station.address = address(value),
            "proto" => station.secure = is_secure(value),
            _ => {}
        }
    }
    station
}

/// The parts of `text` between signs that stand outside of quotation marks.
fn split_unquoted(text: &str, sign: char) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(move |character| {
        let separates = !quoted && character == sign;
        if character == '"' && !escaped {
            quoted = !quoted;
        }
        escaped = quoted && character == '\\' && !escaped;
        separates
    })
}

/// Tells once per process that forwarding fields came from somebody who is not trusted.
fn warn_once(headers: &HeaderMap) {
    static TOLD: AtomicBool = AtomicBool::new(false);
    if TOLD.load(Ordering::Relaxed) {
        return;
    }
    // One look at all names is less than a search for each.
    let forwards =
        |name: &&HeaderName| **name == FORWARDED || **name == X_FORWARDED_FOR || **name == X_FORWARDED_PROTO;
    let Some(name) = headers.keys().find(forwards) else { return };
    if !TOLD.swap(true, Ordering::Relaxed) {
        tracing::warn!(
            header = %name,
            "forwarding headers from an address that is not among the trusted proxies are ignored; told once"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(peer: &str, trusted: &[&str], fields: &[(&'static str, &'static str)]) -> (String, bool) {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, ::http::HeaderValue::from_static(value));
        }
        let trusted: Vec<Network> = trusted.iter().map(|text| text.parse().unwrap()).collect();
        let peer = (peer != "unix").then(|| SocketAddr::new(peer.parse().unwrap(), 7));
        let origin = Origin::of(peer, false, &headers, &trusted);
        (origin.client.map_or("unix".to_owned(), |client| client.ip().to_string()), origin.secure)
    }

    #[test]
    fn fields_are_read_from_right_to_left_up_to_the_first_who_is_not_trusted() {
        const FOR: &str = "x-forwarded-for";
        const PROTO: &str = "x-forwarded-proto";
        let near = &["10.0.0.0/8", "unix"];
        type Case<'c> = (&'c str, &'c [(&'static str, &'static str)], &'c str, bool);
        let cases: &[Case<'_>] = &[
            ("10.0.0.1", &[], "10.0.0.1", false),
            ("192.0.2.9", &[(FOR, "1.1.1.1"), (PROTO, "https")], "192.0.2.9", false),
            ("10.0.0.1", &[(FOR, "1.1.1.1"), (PROTO, "https")], "1.1.1.1", true),
            ("10.0.0.1", &[(FOR, "6.6.6.6, 1.1.1.1")], "1.1.1.1", false),
            ("10.0.0.1", &[(FOR, "6.6.6.6"), (FOR, "1.1.1.1")], "1.1.1.1", false),
            ("10.0.0.1", &[(FOR, "6.6.6.6, 1.1.1.1, 10.0.0.2")], "1.1.1.1", false),
            ("10.0.0.1", &[(FOR, "10.0.0.3, 10.0.0.2")], "10.0.0.3", false),
            ("10.0.0.1", &[(FOR, "6.6.6.6, unknown, 10.0.0.2")], "10.0.0.2", false),
            ("10.0.0.1", &[(FOR, "6.6.6.6, ")], "10.0.0.1", false),
            ("10.0.0.1", &[(FOR, "1.1.1.1:4711")], "1.1.1.1", false),
            ("10.0.0.1", &[(FOR, "[2001:db8::1]:4711")], "2001:db8::1", false),
            ("10.0.0.1", &[(FOR, "::ffff:1.1.1.1")], "1.1.1.1", false),
            ("unix", &[(FOR, "1.1.1.1"), (PROTO, "HTTPS")], "1.1.1.1", true),
            ("10.0.0.1", &[(PROTO, "https")], "10.0.0.1", true),
            ("10.0.0.1", &[(PROTO, "http, https")], "10.0.0.1", true),
            ("10.0.0.1", &[(PROTO, "gopher")], "10.0.0.1", false),
            (
                "10.0.0.1",
                &[(FOR, "6.6.6.6, 1.1.1.1, 10.0.0.2"), (PROTO, "http, https, http")],
                "1.1.1.1",
                true,
            ),
            ("10.0.0.1", &[("forwarded", "for=6.6.6.6, for=1.1.1.1;proto=https")], "1.1.1.1", true),
            (
                "10.0.0.1",
                &[("forwarded", "for=\"[2001:db8::1]:47\";by=_x,for=10.2.2.2")],
                "2001:db8::1",
                false,
            ),
            ("10.0.0.1", &[("forwarded", "for=6.6.6.6;host=\"a,b;c\", for=_hidden")], "10.0.0.1", false),
            ("10.0.0.1", &[("forwarded", "for=6.6.6.6"), (FOR, "1.1.1.1")], "1.1.1.1", false),
        ];
        for (peer, fields, client, secure) in cases {
            assert_eq!(origin(peer, near, fields), ((*client).to_owned(), *secure), "{peer} {fields:?}");
        }
    }

    #[test]
    fn the_way_from_the_client_is_kept() {
        let mut headers = HeaderMap::new();
        headers
            .append(X_FORWARDED_FOR.clone(), ::http::HeaderValue::from_static("6.6.6.6, 1.1.1.1, 10.0.0.2"));
        let origin =
            Origin::of(None, false, &headers, &["10.0.0.0/8".parse().unwrap(), "unix".parse().unwrap()]);
        assert_eq!(origin.passage.hops, [Some("10.0.0.2".parse().unwrap()), None]);
    }
}
