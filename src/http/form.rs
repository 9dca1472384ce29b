//! `application/x-www-form-urlencoded`: the fields of a form, and of a query, which has the same shape.

use std::borrow::Cow;

use ::http::{StatusCode, header};
use percent_encoding::percent_decode;

use super::{HttpError, Request};
use crate::Result;

/// The fields of a urlencoded form or query, in order. Names may repeat.
///
/// Read as Django reads them: `+` is a blank, bytes that are not UTF-8 become U+FFFD, a piece without `=` is a
/// field without text.
///
/// ```
/// # use solent::http::Form;
/// let form = Form::parse(b"username=alice&next=%2Fcourses%2F&next=/")?;
/// assert_eq!(form.get("next"), Some("/"));
/// assert_eq!(form.all("next").count(), 2);
/// assert_eq!(form.get("password"), None);
/// # Ok::<(), solent::http::HttpError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Form(Vec<(String, String)>);

impl Form {
    /// The most fields that a form may have: Django's own bound. It keeps a small body from becoming a large list.
    pub const MAX_FIELDS: usize = 1000;

    /// Reads a body's or a query's bytes.
    ///
    /// # Errors
    /// 400 when there are more than [`MAX_FIELDS`](Self::MAX_FIELDS) fields.
    pub fn parse(bytes: &[u8]) -> Result<Self, HttpError> {
        let mut fields = Vec::new();
        for piece in bytes.split(|byte| *byte == b'&').filter(|piece| !piece.is_empty()) {
            if fields.len() == Self::MAX_FIELDS {
                return Err(HttpError::bad_request("The form has too many fields."));
            }
            let end = piece.iter().position(|byte| *byte == b'=').unwrap_or(piece.len());
            fields.push((decode(&piece[..end]), decode(piece.get(end + 1..).unwrap_or_default())));
        }
        Ok(Self(fields))
    }

    /// Reads a request's body, which is taken out of it; its size is bounded by
    /// [`Limits::body_bytes`](crate::Limits::body_bytes).
    ///
    /// # Errors
    /// 415 when the body is something else than a urlencoded form, 413 and 408 when a limit is passed, 400 when
    /// the client left or there are too many fields.
    ///
    /// # Cancel safety
    /// Not cancel safe: the body is lost.
    pub async fn read(request: &mut Request) -> Result<Self> {
        let kind = request.headers().get(header::CONTENT_TYPE).map_or(&b""[..], |value| value.as_bytes());
        let kind = kind.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
        if !kind.eq_ignore_ascii_case(b"application/x-www-form-urlencoded") {
            let text = "Expected a form (application/x-www-form-urlencoded).";
            return Err(HttpError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, text).into());
        }
        let body = std::mem::take(request.body_mut()).bytes().await?;
        Ok(Self::parse(&body)?)
    }

    /// A field's text; the last one of a name that repeats, as Django has it.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(key, _)| key == name).map(|(_, text)| text.as_str())
    }

    /// All texts of a name, in order.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, text)| text.as_str())
    }

    /// All fields, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, text)| (name.as_str(), text.as_str()))
    }
}

fn decode(piece: &[u8]) -> String {
    let spaced: Cow<'_, [u8]> = if piece.contains(&b'+') {
        piece.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect()
    } else {
        Cow::Borrowed(piece)
    };
    percent_decode(&spaced).decode_utf8_lossy().into_owned()
}
