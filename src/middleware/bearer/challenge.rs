//! 401, and what it asks for: RFC 6750.

use ::http::{HeaderValue, StatusCode, header};

use crate::auth::TokenError;
use crate::websocket::Denial;

/// The answer to who should bear a token, or another one.
pub(crate) fn challenge(rule: &'static str, error: Option<&TokenError>) -> Denial {
    let challenge = error.map_or_else(
        || "Bearer".to_owned(),
        // A quote would end the text. None of the errors' own texts has one, but a claim's name may.
        |error| {
            let text = error.to_string().replace(['"', '\\'], "'");
            format!("Bearer error=\"invalid_token\", error_description=\"{text}\"")
        },
    );
    let challenge = HeaderValue::try_from(challenge);
    let value = challenge.unwrap_or_else(|_| HeaderValue::from_static("Bearer error=\"invalid_token\""));
    let denial = Denial::new(StatusCode::UNAUTHORIZED, rule, "Unauthorized.");
    let denial = denial.with_header(header::WWW_AUTHENTICATE, value);
    match error {
        Some(error) => denial.with_detail(error.to_string()),
        None => denial.with_detail("no token"),
    }
}
