//! The token's field in a form's body, which views read again behind the check.

use ::http::header;
use http_body_util::{BodyExt as _, Limited};

use crate::http::{Body, Form, HttpError, Request};
use crate::{Error, Scoped};

/// The field that holds the token.
const FIELD: &str = "csrfmiddlewaretoken";

/// The token of a form; `None` for other bodies, which are not touched, and for forms without one. The body is put
/// back as it was.
pub(super) async fn token_of(request: &mut Request) -> Result<Option<String>, Error> {
    let kind =
        request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let (kind, parameters) = kind.split_once(';').unwrap_or((kind, ""));
    let boundary = match &*kind.trim().to_ascii_lowercase() {
        "application/x-www-form-urlencoded" => None,
        "multipart/form-data" => match boundary(parameters) {
            Some(boundary) => Some(boundary.to_owned()),
            None => return Ok(None),
        },
        _ => return Ok(None),
    };
    let body = std::mem::take(request.body_mut());
    // The server bounds bodies anyway; inside another program nobody may have.
    let body = Limited::new(body, request.scope().env.limits.body_bytes).collect().await;
    let bytes = body.map_err(HttpError::from_body)?.to_bytes();
    let token = match boundary {
        Some(boundary) => multipart_field(&bytes, &boundary),
        None => Form::parse(&bytes)?.get(FIELD).map(str::to_owned),
    };
    *request.body_mut() = Body::from(bytes);
    Ok(token)
}

fn boundary(parameters: &str) -> Option<&str> {
    let mut parameters = parameters.split(';').filter_map(|parameter| parameter.split_once('='));
    let (_, value) = parameters.find(|(name, _)| name.trim().eq_ignore_ascii_case("boundary"))?;
    Some(value.trim().trim_matches('"')).filter(|boundary| !boundary.is_empty())
}

/// The text of the token's part (RFC 7578). What is not well-formed has none.
fn multipart_field(body: &[u8], boundary: &str) -> Option<String> {
    let delimiter = format!("\r\n--{boundary}");
    // The first delimiter has no line break in front.
    let mut rest = body.strip_prefix(&delimiter.as_bytes()[2..])?;
    loop {
        let end = find(rest, delimiter.as_bytes())?;
        let part = rest[..end].strip_prefix(b"\r\n")?;
        let head_end = find(part, b"\r\n\r\n")?;
        let head = std::str::from_utf8(&part[..head_end]).unwrap_or_default();
        if head.split("\r\n").any(names_the_field) {
            return String::from_utf8(part[head_end + 4..].to_vec()).ok();
        }
        rest = &rest[end + delimiter.len()..];
    }
}

fn names_the_field(line: &str) -> bool {
    let Some((name, value)) = line.split_once(':') else { return false };
    let wanted = format!("name=\"{FIELD}\"");
    name.trim().eq_ignore_ascii_case("content-disposition")
        && value.split(';').any(|item| item.trim() == wanted)
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_tokens_part_is_found_among_others() {
        let body =
            b"--XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"csrfmiddlewaretoken\"\r\n\
            Content-Type: text/plain\r\n\r\nnot this\r\n--XX\r\n\
            Content-Disposition: form-data; name=\"csrfmiddlewaretoken\"\r\n\r\nthe token\r\n--XX--\r\n";
        assert_eq!(multipart_field(body, "XX").as_deref(), Some("the token"));
        assert_eq!(multipart_field(body, "YY"), None);
        assert_eq!(boundary(" charset=utf-8; boundary=\"XX\""), Some("XX"));
    }

    proptest! {
        #[test]
        fn any_body_is_searched_without_a_panic(body: Vec<u8>, boundary in "[a-z-]{1,5}") {
            multipart_field(&body, &boundary);
        }
    }
}
