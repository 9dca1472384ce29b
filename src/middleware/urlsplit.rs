//! A URL cut into its parts exactly as Python's `urllib.parse.urlsplit` cuts it, since Django's and Channels' rules
//! about origins and redirects are written in terms of those parts.

use std::borrow::Cow;
use std::net::Ipv6Addr;

/// The parts that the rules look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SplitUrl<'a> {
    /// In lower case; empty when there is none.
    pub(crate) scheme: String,
    /// User, host and port as written; empty when there is none.
    pub(crate) netloc: Cow<'a, str>,
    /// What stands between the network location and `?` or `#`.
    pub(crate) path: Cow<'a, str>,
    /// Without its `?`.
    pub(crate) query: Cow<'a, str>,
    /// Without its `#`.
    pub(crate) fragment: Cow<'a, str>,
}

/// What Python refuses to parse: unbalanced brackets, a bracketed host that is no IPv6 address, a port that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotAUrl;

impl<'a> SplitUrl<'a> {
    /// Cuts `url`. Leading blanks and control characters are dropped, and so is every tab and line break.
    ///
    /// A network location outside ASCII is refused: Python refuses some of them (after NFKC), and none that it takes
    /// can equal a host of ours.
    pub(crate) fn parse(url: &'a str) -> Result<Self, NotAUrl> {
        let url = url.trim_start_matches(|c: char| c <= ' ');
        if url.contains(['\t', '\r', '\n']) {
            let url: String = url.chars().filter(|c| !matches!(c, '\t' | '\r' | '\n')).collect();
            return Ok(SplitUrl::cut(&url)?.into_owned());
        }
        Self::cut(url)
    }

    fn cut(url: &'a str) -> Result<Self, NotAUrl> {
        let (scheme, rest) = cut_scheme(url);
        let (netloc, rest) = match rest.strip_prefix("//") {
            Some(rest) => rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len())),
            None => ("", rest),
        };
        check_netloc(netloc)?;
        let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        Ok(Self {
            scheme,
            netloc: netloc.into(),
            path: path.into(),
            query: query.into(),
            fragment: fragment.into(),
        })
    }

    fn into_owned(self) -> SplitUrl<'static> {
        SplitUrl {
            scheme: self.scheme,
            netloc: Cow::Owned(self.netloc.into_owned()),
            path: Cow::Owned(self.path.into_owned()),
            query: Cow::Owned(self.query.into_owned()),
            fragment: Cow::Owned(self.fragment.into_owned()),
        }
    }

    /// The host in lower case, without brackets, user and port.
    pub(crate) fn hostname(&self) -> Option<String> {
        let (host, _) = self.host_and_port();
        // A zone (`fe80::1%Eth0`) keeps its case.
        let (name, zone) = host.split_at(host.find('%').unwrap_or(host.len()));
        (!host.is_empty()).then(|| name.to_lowercase() + zone)
    }

    /// The port that is written down.
    pub(crate) fn port(&self) -> Result<Option<u16>, NotAUrl> {
        let (_, port) = self.host_and_port();
        if port.is_empty() {
            return Ok(None);
        }
        if !port.bytes().all(|digit| digit.is_ascii_digit()) {
            return Err(NotAUrl);
        }
        // Python counts in whole numbers, so leading zeros do not make a port too large.
        match port.trim_start_matches('0') {
            "" => Ok(Some(0)),
            digits => digits.parse().map(Some).map_err(|_| NotAUrl),
        }
    }

    fn host_and_port(&self) -> (&str, &str) {
        let host = self.netloc.rsplit_once('@').map_or(&*self.netloc, |(_, host)| host);
        match host.split_once('[') {
            Some((_, bracketed)) => {
                let (name, rest) = bracketed.split_once(']').unwrap_or((bracketed, ""));
                (name, rest.split_once(':').map_or("", |(_, port)| port))
            }
            None => host.split_once(':').unwrap_or((host, "")),
        }
    }
}

/// A scheme is what stands before the first colon, if that begins with a letter and has only scheme characters.
fn cut_scheme(url: &str) -> (String, &str) {
    let Some((scheme, rest)) = url.split_once(':') else { return (String::new(), url) };
    let fits = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
    if fits { (scheme.to_ascii_lowercase(), rest) } else { (String::new(), url) }
}

fn check_netloc(netloc: &str) -> Result<(), NotAUrl> {
    if !netloc.is_ascii() || netloc.contains('[') != netloc.contains(']') {
        return Err(NotAUrl);
    }
    if !netloc.contains('[') {
        return Ok(());
    }
    let host = netloc.rsplit_once('@').map_or(netloc, |(_, host)| host);
    let name = match host.split_once('[') {
        Some((before, bracketed)) => {
            let (name, after) = bracketed.split_once(']').unwrap_or((bracketed, ""));
            if !before.is_empty() || !(after.is_empty() || after.starts_with(':')) {
                return Err(NotAUrl);
            }
            name
        }
        None => host.split_once(':').map_or(host, |(name, _)| name),
    };
    if is_bracketed_host(name) { Ok(()) } else { Err(NotAUrl) }
}

/// An IPv6 address, with or without a zone, or an address of a future version (`v1.x`).
fn is_bracketed_host(name: &str) -> bool {
    if let Some(future) = name.strip_prefix('v') {
        return future.split_once('.').is_some_and(|(version, address)| {
            !version.is_empty() && version.bytes().all(|b| b.is_ascii_hexdigit()) && !address.is_empty()
        });
    }
    let (address, zone) = name.split_once('%').unwrap_or((name, "zone"));
    address.parse::<Ipv6Addr>().is_ok() && !zone.is_empty() && !zone.contains('%')
}
