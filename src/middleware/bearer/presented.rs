//! The token that a request or a handshake shows.

use ::http::header::{AUTHORIZATION, SEC_WEBSOCKET_PROTOCOL};

use crate::{Protocol, Scoped};

/// What a subprotocol that is a token begins with.
const PREFIX: &str = "bearer.";

/// The token that was shown. It has no `Debug`, so that no log entry can hold it.
pub(super) enum Presented {
    Nothing,
    Token(String),
    /// More than one, of which none can be meant.
    Several,
}

/// Takes the token, and hides it from everything behind.
pub(super) fn presented(request: &mut impl Scoped) -> Presented {
    let headers = request.headers().get_all(AUTHORIZATION);
    let mut found: Vec<String> = headers.iter().filter_map(|value| bearer(value.as_bytes())).collect();
    let is_socket = request.scope().protocol == Protocol::WEBSOCKET;
    if is_socket {
        let scope = request.scope_mut();
        let tokens = scope.subprotocols.iter().filter_map(|offered| offered.strip_prefix(PREFIX));
        found.extend(tokens.map(str::to_owned));
        scope.subprotocols.retain(|offered| !offered.starts_with(PREFIX));
        for name in [AUTHORIZATION, SEC_WEBSOCKET_PROTOCOL] {
            hide(&mut scope.headers, &name);
        }
    }
    match found.len() {
        0 => Presented::Nothing,
        1 => found.pop().map_or(Presented::Nothing, Presented::Token),
        _ => Presented::Several,
    }
}

/// The token of an `Authorization`; `None` for another scheme. The scheme alone, and bytes that no token has, make it one
/// that no key knows.
fn bearer(value: &[u8]) -> Option<String> {
    let end = value.iter().position(|byte| *byte == b' ').unwrap_or(value.len());
    let (scheme, token) = value.split_at(end);
    scheme.eq_ignore_ascii_case(b"Bearer").then(|| String::from_utf8_lossy(token).trim().to_owned())
}

/// Headers that are marked show as `Sensitive` where a scope is printed.
fn hide(headers: &mut ::http::HeaderMap, name: &::http::HeaderName) {
    let values = headers.iter_mut().filter(|(found, _)| *found == name);
    values.for_each(|(_, value)| value.set_sensitive(true));
}
