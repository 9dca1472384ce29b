//! A request's target, Host and framing: what is malformed is refused before any application sees it, and what may be
//! said in several ways is made uniform.

use std::net::Ipv6Addr;

use ::http::header::{CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use ::http::uri::Authority;
use ::http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Version};
use percent_encoding::percent_decode_str;

/// Why a request never reaches the application.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed {
    pub(super) status: StatusCode,
    pub(super) text: &'static str,
}

/// What is to be done with a well-formed request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// The application answers.
    Path {
        /// The connection must end behind the answer: its framing could be read in two ways.
        close: bool,
    },
    /// `OPTIONS *`: a question about the server itself.
    Server,
}

/// Checks a request and makes it uniform: `Host` is the authority that the target names, if it names one, and there is
/// one framing. `header_bytes`: what all fields together may take.
///
/// # Errors
/// [`Malformed`], with the status to answer with.
pub(super) fn check<B>(request: &mut Request<B>, header_bytes: usize) -> Result<Target, Malformed> {
    check_size(request.headers(), header_bytes)?;
    let close = check_framing(request)?;
    check_host(request)?;
    // Only an extended CONNECT (RFC 8441) names a resource here, and only for the one protocol that is spoken.
    let protocol = request.extensions().get::<hyper::ext::Protocol>().map(hyper::ext::Protocol::as_str);
    if *request.method() == Method::CONNECT && protocol != Some("websocket") {
        return Err(Malformed { status: StatusCode::NOT_IMPLEMENTED, text: "No tunnels are opened here." });
    }
    match request.uri().path() {
        "*" if *request.method() == Method::OPTIONS => Ok(Target::Server),
        path if path.starts_with('/') => Ok(Target::Path { close }),
        _ => Err(bad("The request target has no path.")),
    }
}

/// Decodes a path once, as a whole.
///
/// # Errors
/// [`Malformed`] when it is not UTF-8, holds NUL, or has a `%` without its two digits.
pub(super) fn decode(raw_path: &str) -> Result<String, Malformed> {
    if !raw_path.contains('%') {
        return Ok(raw_path.to_owned());
    }
    let is_escape =
        |rest: &str| matches!(rest.as_bytes(), [a, b, ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit());
    if !raw_path.split('%').skip(1).all(is_escape) {
        return Err(bad("The path has a % without two hexadecimal digits."));
    }
    let path = percent_decode_str(raw_path).decode_utf8().map_err(|_| bad("The path is not UTF-8."))?;
    if path.contains('\0') {
        return Err(bad("The path contains NUL."));
    }
    Ok(path.into_owned())
}

/// hyper bounds its buffer, which grows in steps; the limit itself is kept here. Every field counts with its `: ` and
/// its line's end.
fn check_size(headers: &HeaderMap, limit: usize) -> Result<(), Malformed> {
    let bytes: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    if bytes <= limit {
        return Ok(());
    }
    let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
    Err(Malformed { status, text: "The request's header fields are too large." })
}

/// hyper frames the body by the last coding; one that it does not undo would reach the application as data. A length
/// beside a coding is removed (RFC 9112 section 6.3), and the connection must end. Whether it must.
fn check_framing<B>(request: &mut Request<B>) -> Result<bool, Malformed> {
    let mut codings = request.headers().get_all(TRANSFER_ENCODING).iter();
    let Some(coding) = codings.next() else { return Ok(false) };
    if codings.next().is_some() || !coding.as_bytes().eq_ignore_ascii_case(b"chunked") {
        let text = "The only transfer coding that is understood is a single “chunked”.";
        return Err(Malformed { status: StatusCode::NOT_IMPLEMENTED, text });
    }
    Ok(request.headers_mut().remove(CONTENT_LENGTH).is_some())
}

/// Host must stand once in HTTP/1.1 and be well-formed wherever it stands (RFC 9112 section 3.2). A target with an
/// authority wins over it; in HTTP/2 one of the two must be there, and they must agree (RFC 9113 section 8.3.1).
fn check_host<B>(request: &mut Request<B>) -> Result<(), Malformed> {
    let mut hosts = request.headers().get_all(HOST).iter();
    let host = hosts.next();
    if hosts.next().is_some() {
        return Err(bad("The Host field is repeated."));
    }
    let needs_host = match request.version() {
        Version::HTTP_11 => true,
        version => version >= Version::HTTP_2 && request.uri().authority().is_none(),
    };
    if host.is_none() && needs_host {
        return Err(bad("The Host field is missing."));
    }
    if host.is_some_and(|host| !is_host(host.as_bytes())) {
        return Err(bad("The Host field is malformed."));
    }
    let Some(target) = request.uri().authority() else { return Ok(()) };
    if !is_host(target.as_str().as_bytes()) {
        return Err(bad("The request target's host is malformed."));
    }
    let differs = host.is_some_and(|host| !host.as_bytes().eq_ignore_ascii_case(target.as_str().as_bytes()));
    if differs && request.version() >= Version::HTTP_2 {
        return Err(bad("The Host field contradicts the request target."));
    }
    let target =
        HeaderValue::try_from(target.as_str()).map_err(|_| bad("The request target is malformed."))?;
    request.headers_mut().insert(HOST, target);
    Ok(())
}

/// Whether this is a host with an optional port. Empty is fine: a target without authority, such as a Unix socket's,
/// has an empty Host.
fn is_host(host: &[u8]) -> bool {
    if host.is_empty() || is_plain_name(host) {
        return true;
    }
    let Ok(authority) = Authority::try_from(host) else { return false };
    let port = authority.as_str().strip_prefix(authority.host());
    is_name_or_address(authority.host())
        && match port.and_then(|port| port.strip_prefix(':')) {
            // The port may be left empty (RFC 3986 section 3.2.3).
            Some(port) => {
                port.bytes().all(|byte| byte.is_ascii_digit())
                    && (port.is_empty() || port.parse::<u16>().is_ok())
            }
            None => port == Some(""),
        }
}

/// Most hosts, which are not taken apart: letters, digits, dots and hyphens.
fn is_plain_name(host: &[u8]) -> bool {
    host.iter().all(|&byte| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-')
}

/// A comma is allowed in a name by RFC 3986 and stands in none; it tells of two Host fields that somebody joined.
fn is_name_or_address(host: &str) -> bool {
    match host.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']').is_some_and(|inner| inner.parse::<Ipv6Addr>().is_ok()),
        None => !host.is_empty() && !host.contains(','),
    }
}

fn bad(text: &'static str) -> Malformed {
    Malformed { status: StatusCode::BAD_REQUEST, text }
}
