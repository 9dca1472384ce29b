//! The fields that travel on: which are left behind, in either direction.

use ::http::header::{
    CONNECTION, CONTENT_LENGTH, EXPECT, HOST, HeaderName, MAX_FORWARDS, PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use ::http::{HeaderMap, HeaderValue, Method};

/// Fields that belong to one connection (RFC 9110 section 7.6.1), and those that are made anew.
const OWN: [HeaderName; 9] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRANSFER_ENCODING,
    UPGRADE,
    HeaderName::from_static("http2-settings"),
];

/// Removes what belongs to one connection, with all that `Connection` names.
fn remove_own(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = tokens(headers, &CONNECTION)
        .filter_map(|token| HeaderName::from_bytes(token.as_bytes()).ok())
        // Which site is asked is no matter of the connection, whatever it claims.
        .filter(|name| name != HOST)
        .collect();
    for name in named.iter().chain(&OWN) {
        headers.remove(name);
    }
}

/// Cleans a request's fields. `TE: trailers` is the one wish about the connection that is passed on.
pub(super) fn clean_request(headers: &mut HeaderMap) {
    let trailers = tokens(headers, &TE).any(|coding| coding.eq_ignore_ascii_case("trailers"));
    remove_own(headers);
    // The body is framed anew; a `100 Continue` is this server's to send; `Proxy` poisons CGI programs' environment.
    for name in [CONTENT_LENGTH, EXPECT, HeaderName::from_static("proxy")] {
        headers.remove(name);
    }
    // What many servers cannot tell from the same name with `-`, with which a client could forge it.
    let odd: Vec<_> = headers.keys().filter(|name| name.as_str().contains('_')).cloned().collect();
    for name in odd {
        headers.remove(name);
    }
    if trailers {
        headers.insert(TE, HeaderValue::from_static("trailers"));
        headers.insert(CONNECTION, HeaderValue::from_static("te"));
    }
}

/// Counts one station of the way off `Max-Forwards` (RFC 9110 section 7.6.2). `false` when the request may go no further.
pub(super) fn count_off(method: &Method, headers: &mut HeaderMap) -> bool {
    if !matches!(*method, Method::OPTIONS | Method::TRACE) {
        return true;
    }
    let left = headers.get(MAX_FORWARDS).and_then(|left| left.to_str().ok()?.parse::<u64>().ok());
    if let Some(left) = left.filter(|left| *left > 0) {
        headers.insert(MAX_FORWARDS, HeaderValue::from(left - 1));
    }
    left != Some(0)
}

/// Cleans an answer's fields.
///
/// # Errors
/// What in its framing could be read in two ways.
pub(super) fn clean_response(headers: &mut HeaderMap) -> Result<(), &'static str> {
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    let coding = codings.next();
    let is_chunked = coding.is_some_and(|coding| coding.as_bytes().eq_ignore_ascii_case(b"chunked"));
    if coding.is_some() && (!is_chunked || codings.next().is_some()) {
        return Err("its transfer coding is not a single “chunked”");
    }
    if coding.is_some() && headers.contains_key(CONTENT_LENGTH) {
        return Err("it has both Transfer-Encoding and Content-Length");
    }
    let lengths = headers.get_all(CONTENT_LENGTH).iter().count();
    if lengths > 1 || headers.get(CONTENT_LENGTH).is_some_and(|length| !is_number(length.as_bytes())) {
        return Err("its Content-Length is not one number");
    }
    remove_own(headers);
    Ok(())
}

fn is_number(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(u8::is_ascii_digit)
}

/// Trailers may bring nothing that the receiver would take for part of the head (RFC 9110 section 6.5.1).
pub(super) fn clean_trailers(trailers: &mut HeaderMap) {
    remove_own(trailers);
    for name in [CONTENT_LENGTH, HOST, TRAILER] {
        trailers.remove(name);
    }
    let odd: Vec<_> = trailers.keys().filter(|name| is_forged(name.as_str())).cloned().collect();
    for name in odd {
        trailers.remove(name);
    }
}

fn is_forged(name: &str) -> bool {
    name.contains('_') || name == "forwarded" || name.starts_with("x-forwarded-")
}

/// The elements of a list field.
pub(super) fn tokens<'h>(headers: &'h HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'h str> {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim).filter(|token| !token.is_empty())
}
