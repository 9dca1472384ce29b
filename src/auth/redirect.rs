//! Where a login leads: Django's rule for safe `next` addresses, and the way to the login page and back.

use std::fmt::Write;
use std::sync::LazyLock;

use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use regex::Regex;

use crate::middleware::is_blank;
use crate::middleware::urlsplit::SplitUrl;

/// Longer addresses are never followed.
const MAX_CHARACTERS: usize = 2048;

/// Whether a redirect to `url` stays on one of `allowed_hosts` (with their ports, compared exactly) or on the page's
/// own host: Django's `url_has_allowed_host_and_scheme`.
///
/// Browsers take `\` for `/`, so the address must pass with either. With `require_https` an absolute address must be
/// `https`.
///
/// ```
/// use solent::auth::url_has_allowed_host_and_scheme as is_safe;
///
/// assert!(is_safe("/courses/1/", &["example.com"], false));
/// assert!(is_safe("http://example.com/", &["example.com"], false));
/// assert!(!is_safe("//evil.example", &["example.com"], false));
/// assert!(!is_safe("javascript:alert(1)", &["example.com"], false));
/// ```
pub fn url_has_allowed_host_and_scheme(url: &str, allowed_hosts: &[&str], require_https: bool) -> bool {
    let url = url.trim_matches(is_blank);
    !url.is_empty()
        && is_safe(url, allowed_hosts, require_https)
        && is_safe(&url.replace('\\', "/"), allowed_hosts, require_https)
}

fn is_safe(url: &str, allowed_hosts: &[&str], require_https: bool) -> bool {
    // Browsers skip control and format characters where Python does not.
    static CONTROL: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"\A\p{C}").expect("a fixed pattern is valid"));
    // Browsers skip tabs and line breaks wherever they stand, and any number of slashes before a host.
    let slashes = url.chars().filter(|c| !matches!(c, '\t' | '\r' | '\n')).take_while(|c| *c == '/').count();
    if slashes > 2 || url.chars().count() > MAX_CHARACTERS || CONTROL.is_match(url) {
        return false;
    }
    let Ok(parts) = SplitUrl::parse(url) else { return false };
    let scheme = match (&*parts.scheme, &*parts.netloc) {
        ("", "") => return true,
        (_, "") => return false,
        // A browser completes `//host` with its page's scheme; taking the weaker one is the careful reading.
        ("", _) => "http",
        (scheme, _) => scheme,
    };
    allowed_hosts.contains(&&*parts.netloc) && (scheme == "https" || (scheme == "http" && !require_https))
}

/// The login page's address with `next` in its query; what stands in the query already stays.
///
/// ```
/// use solent::auth::login_redirect;
///
/// assert_eq!(login_redirect("/accounts/login/", "/a?x=1"), "/accounts/login/?next=/a%3Fx%3D1");
/// ```
pub fn login_redirect(login_url: &str, next: &str) -> String {
    let (rest, fragment) =
        login_url.split_once('#').map_or((login_url, None), |(rest, end)| (rest, Some(end)));
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let mut pairs: Vec<(String, String)> =
        query.split('&').filter(|pair| !pair.is_empty()).map(decode_pair).collect();
    match pairs.iter_mut().find(|(name, _)| name == NEXT) {
        Some((_, value)) => next.clone_into(value),
        None => pairs.push((NEXT.to_owned(), next.to_owned())),
    }
    let mut url = iri_to_uri(path);
    for (index, (name, value)) in pairs.iter().enumerate() {
        let separator = if index == 0 { '?' } else { '&' };
        // Writing to a string cannot fail.
        let _ = write!(url, "{separator}{}={}", quote(name), quote(value));
    }
    if let Some(fragment) = fragment {
        url.push('#');
        url.push_str(&iri_to_uri(fragment));
    }
    url
}

/// The query parameter and form field that says where a login leads.
pub const NEXT: &str = "next";

fn decode_pair(pair: &str) -> (String, String) {
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    let decode = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    (decode(name), decode(value))
}

fn quote(text: &str) -> impl std::fmt::Display + '_ {
    /// What Python's `quote(safe="/")` leaves as it is.
    const ESCAPED: &AsciiSet =
        &NON_ALPHANUMERIC.remove(b'_').remove(b'.').remove(b'-').remove(b'~').remove(b'/');
    utf8_percent_encode(text, ESCAPED)
}

/// An address as a header can carry it: what is not ASCII, blanks and control characters are percent-encoded, all
/// that has a meaning in addresses stays.
///
/// ```
/// use solent::auth::iri_to_uri;
///
/// assert_eq!(iri_to_uri("/räume/?q=tea time"), "/r%C3%A4ume/?q=tea%20time");
/// ```
pub fn iri_to_uri(address: &str) -> String {
    const ESCAPED: &AsciiSet = &CONTROLS
        .add(b' ')
        .add(b'"')
        .add(b'<')
        .add(b'>')
        .add(b'\\')
        .add(b'^')
        .add(b'`')
        .add(b'{')
        .add(b'|')
        .add(b'}');
    utf8_percent_encode(address, ESCAPED).to_string()
}

/// A path of one's own making, safe to redirect to: `//x`, which a browser takes for another host, becomes `/%2Fx`.
///
/// ```
/// use solent::auth::escape_leading_slashes;
///
/// assert_eq!(escape_leading_slashes("//evil.example/"), "/%2Fevil.example/");
/// assert_eq!(escape_leading_slashes("/courses/"), "/courses/");
/// ```
pub fn escape_leading_slashes(path: &str) -> String {
    match path.strip_prefix("//") {
        Some(rest) => format!("/%2F{rest}"),
        None => path.to_owned(),
    }
}
