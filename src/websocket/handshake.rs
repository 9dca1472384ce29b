//! The opening handshake (RFC 6455 section 4.2, RFC 8441): what a request must have, and the two answers.

use std::borrow::Cow;

use ::http::header::{
    ALLOW, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, SEC_WEBSOCKET_ACCEPT,
    SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION,
    TRANSFER_ENCODING, UPGRADE,
};
use ::http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use tungstenite::handshake::derive_accept_key;

use super::deflate::{self, Agreed};
use super::{Acceptance, Compression, Denial};
use crate::Error;
use crate::http::Body;

/// A well-formed request for an upgrade.
#[derive(Debug)]
pub(crate) struct Handshake {
    /// The value of `Sec-WebSocket-Accept`; HTTP/2 has none.
    pub(crate) accept: Option<HeaderValue>,
    /// The subprotocols on offer, in the client's order.
    pub(crate) subprotocols: Vec<String>,
    /// What is agreed on compression.
    pub(crate) agreed: Option<Agreed>,
}

/// Whether a request asks for the WebSocket protocol. Other upgrades, `h2c` among them, are ignored, as section 7.8
/// of RFC 9110 allows.
pub(crate) fn wants_websocket(headers: &HeaderMap) -> bool {
    has_token(headers, &CONNECTION, "upgrade") && has_token(headers, &UPGRADE, "websocket")
}

/// Checks a request that asks for an upgrade.
///
/// # Errors
/// The answer: 405 for a method other than GET, 426 for another version, 400 for a missing, repeated or malformed
/// key and for a body.
pub(crate) fn check(
    method: &Method,
    headers: &HeaderMap,
    compression: &Compression,
) -> Result<Handshake, Denial> {
    if method != Method::GET {
        let denial = denial(StatusCode::METHOD_NOT_ALLOWED, "method", "A WebSocket handshake is a GET.");
        return Err(with(denial, ALLOW, "GET"));
    }
    check_version(headers)?;
    let has_body = headers.contains_key(TRANSFER_ENCODING)
        || headers.get(CONTENT_LENGTH).is_some_and(|length| length.as_bytes() != b"0");
    if has_body {
        return Err(denial(StatusCode::BAD_REQUEST, "body", "A WebSocket handshake has no body."));
    }
    let key = single(headers, &SEC_WEBSOCKET_KEY)?.filter(|key| is_key(key.as_bytes())).ok_or_else(|| {
        denial(StatusCode::BAD_REQUEST, "key", "Sec-WebSocket-Key must be 16 bytes in base 64.")
    })?;
    let accept = HeaderValue::try_from(derive_accept_key(key.as_bytes()))
        .map_err(|_| denial(StatusCode::BAD_REQUEST, "key", "Sec-WebSocket-Key is malformed."))?;
    Ok(Handshake::new(Some(accept), headers, compression))
}

/// Checks an extended CONNECT (RFC 8441 section 5): no key is exchanged, everything else is as in HTTP/1.1.
///
/// # Errors
/// 426 for another version, 400 for a repeated one.
pub(crate) fn check_http2(headers: &HeaderMap, compression: &Compression) -> Result<Handshake, Denial> {
    check_version(headers)?;
    Ok(Handshake::new(None, headers, compression))
}

impl Handshake {
    fn new(accept: Option<HeaderValue>, headers: &HeaderMap, compression: &Compression) -> Self {
        Self { accept, subprotocols: subprotocols(headers), agreed: deflate::negotiate(headers, compression) }
    }
}

fn check_version(headers: &HeaderMap) -> Result<(), Denial> {
    if single(headers, &SEC_WEBSOCKET_VERSION)?.is_some_and(|version| version.as_bytes() == b"13") {
        return Ok(());
    }
    let text = "This server speaks version 13 of the WebSocket protocol.";
    let denial = denial(StatusCode::UPGRADE_REQUIRED, "version", text);
    Err(with(with(denial, SEC_WEBSOCKET_VERSION, "13"), UPGRADE, "websocket"))
}

/// The subprotocols on offer: all fields, split at commas.
pub(crate) fn subprotocols(headers: &HeaderMap) -> Vec<String> {
    let values = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .collect()
}

/// The answer to an accepted handshake: 101, or 200 in HTTP/2.
///
/// # Errors
/// When the subprotocol can't stand in a header.
pub(crate) fn accepted(handshake: &Handshake, acceptance: Acceptance) -> Result<Response<Body>, Error> {
    let mut response = Response::new(Body::empty());
    if let Some(accept) = &handshake.accept {
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(SEC_WEBSOCKET_ACCEPT, accept.clone());
    }
    add_acceptance(response.headers_mut(), acceptance, handshake.agreed.as_ref())?;
    Ok(response)
}

/// What the extension and the consumer's accept add.
fn add_acceptance(
    headers: &mut HeaderMap,
    acceptance: Acceptance,
    agreed: Option<&Agreed>,
) -> Result<(), Error> {
    if let Some(agreed) = agreed {
        headers.insert(SEC_WEBSOCKET_EXTENSIONS, HeaderValue::try_from(&agreed.answer)?);
    }
    if let Some(name) = acceptance.subprotocol {
        headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::try_from(name)?);
    }
    for (name, value) in &acceptance.headers {
        headers.append(name, value.clone());
    }
    Ok(())
}

/// The answer to a refused handshake; the connection is closed behind it.
pub(crate) fn refused(denial: &Denial) -> Response<Body> {
    let text = match &denial.text {
        Cow::Borrowed(text) => Body::from(*text),
        Cow::Owned(text) => Body::from(text.clone()),
    };
    let mut response = Response::new(text);
    *response.status_mut() = denial.status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    for (name, value) in &denial.headers {
        headers.append(name, value.clone());
    }
    // Who sends Upgrade names it in Connection too (RFC 9110 section 7.8).
    let options = if headers.contains_key(UPGRADE) { "close, upgrade" } else { "close" };
    headers.insert(CONNECTION, HeaderValue::from_static(options));
    response
}

fn denial(status: StatusCode, rule: &'static str, text: &'static str) -> Denial {
    Denial::new(status, rule, text)
}

fn with(mut denial: Denial, name: HeaderName, value: &'static str) -> Denial {
    denial.headers.insert(name, HeaderValue::from_static(value));
    denial
}

/// A field that may stand only once.
fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a HeaderValue>, Denial> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (_, Some(_)) => Err(denial(StatusCode::BAD_REQUEST, "repeated", "A handshake field is repeated.")),
        (value, None) => Ok(value),
    }
}

fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|found| found.trim().eq_ignore_ascii_case(token))
}

/// Whether this is the base 64 of 16 bytes: 22 digits and two signs of padding.
fn is_key(key: &[u8]) -> bool {
    let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    matches!(key.split_at_checked(22), Some((digits, b"==")) if digits.iter().all(is_digit))
}
