//! Ranges (RFC 9110 section 14): which parts of a file a request asks for, and the answers that hold them.

use std::ops::Range;

use ::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};

use crate::http::{Body, Response};

/// More parts than this, or parts that together are longer than the file, cost more than the file itself: they are
/// answered with the whole (section 14.2 allows it, section 17.15 says why).
const MAX_PARTS: usize = 16;

/// What a request wants of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wanted {
    /// No range, one that is not understood, or one of another version.
    Whole,
    /// These parts, none of them empty, in the order of the request.
    Parts(Vec<Range<u64>>),
    /// Parts that the file does not have.
    Nothing,
}

impl Wanted {
    /// What the request asks for, given the head of the answer with the whole file.
    pub(super) fn of(method: &Method, asked: &HeaderMap, whole: &HeaderMap, length: u64) -> Self {
        let mut fields = asked.get_all(header::RANGE).iter();
        let (Some(field), None, &Method::GET) = (fields.next(), fields.next(), method) else {
            return Self::Whole;
        };
        if !is_same_version(asked, whole) {
            return Self::Whole;
        }
        let parts = field.to_str().ok().and_then(|field| parts(field, length));
        let Some(mut parts) = parts else { return Self::Whole };
        let is_cheap = parts.len() <= MAX_PARTS;
        parts.retain(|part| part.start < part.end);
        let bytes = parts.iter().fold(0_u64, |sum, part| sum.saturating_add(part.end - part.start));
        match parts.len() {
            0 => Self::Nothing,
            1 => Self::Parts(parts),
            _ if is_cheap && bytes <= length => Self::Parts(parts),
            _ => Self::Whole,
        }
    }
}

/// Whether the client's other parts, which it names by `If-Range`, are of the file as it is (section 13.1.5): the same
/// strong tag, or the very same date.
fn is_same_version(asked: &HeaderMap, whole: &HeaderMap) -> bool {
    let Some(version) = asked.get(header::IF_RANGE) else { return true };
    let current = match version.as_bytes().first() {
        Some(b'"') => whole.get(header::ETAG),
        // A weak tag says nothing about bytes, and looks like no date.
        _ => whole.get(header::LAST_MODIFIED),
    };
    current == Some(version)
}

/// The parts that the field names; those that the file does not have are empty. `None` when it can't be read.
fn parts(field: &str, length: u64) -> Option<Vec<Range<u64>>> {
    let (unit, set) = field.split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    let specs = set.split(',').map(|spec| spec.trim_matches([' ', '\t'])).filter(|spec| !spec.is_empty());
    let parts: Vec<_> = specs.map(|spec| part(spec, length)).collect::<Option<_>>()?;
    // The end of nothing is nothing; a part of no bytes can't be told of, so that such a file is served whole.
    let is_end_of_nothing = length == 0 && set.trim().starts_with('-');
    (!parts.is_empty() && !is_end_of_nothing).then_some(parts)
}

fn part(spec: &str, length: u64) -> Option<Range<u64>> {
    match spec.split_once('-')? {
        ("", suffix) => Some(length.saturating_sub(number(suffix)?)..length),
        (first, "") => Some(number(first)?..length),
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            (first <= last).then_some(first..last.saturating_add(1).min(length))
        }
    }
}

/// Digits; more of them than fit are beyond the end of every file.
fn number(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(u64::MAX))
}

/// 416, which tells the length.
pub(super) fn unsatisfiable(whole: &HeaderMap, length: u64) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::RANGE_NOT_SATISFIABLE;
    let kept = [header::ETAG, header::LAST_MODIFIED, header::ACCEPT_RANGES];
    let fields = kept.into_iter().filter_map(|name| Some((name.clone(), whole.get(name)?.clone())));
    response.headers_mut().extend(fields);
    set(response.headers_mut(), header::CONTENT_RANGE, format!("bytes */{length}"));
    response
}

/// 206 with `bodies`, the bytes of `parts`. `whole` is the head of the answer with the whole file.
///
/// One part comes as it is, several as `multipart/byteranges`.
pub(super) fn partial(
    mut whole: HeaderMap,
    length: u64,
    parts: &[Range<u64>],
    bodies: Vec<Body>,
) -> Response {
    let content_range = |part: &Range<u64>| format!("bytes {}-{}/{length}", part.start, part.end - 1);
    let body = match (parts, bodies.len()) {
        ([part], 1) => {
            set(&mut whole, header::CONTENT_RANGE, content_range(part));
            set(&mut whole, header::CONTENT_LENGTH, (part.end - part.start).to_string());
            bodies.into_iter().next().unwrap_or_default()
        }
        _ => {
            let boundary = format!("{:032x}", rand::random::<u128>());
            let kind =
                whole.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
            let kind = if kind.is_empty() { String::new() } else { format!("Content-Type: {kind}\r\n") };
            let heads = parts.iter().map(|part| {
                format!("\r\n--{boundary}\r\n{kind}Content-Range: {}\r\n\r\n", content_range(part))
            });
            let heads: Vec<_> = heads.collect();
            let end = format!("\r\n--{boundary}--\r\n");
            let text = heads.iter().map(String::len).sum::<usize>() + end.len();
            let bytes = text as u64 + parts.iter().map(|part| part.end - part.start).sum::<u64>();
            set(&mut whole, header::CONTENT_LENGTH, bytes.to_string());
            set(&mut whole, header::CONTENT_TYPE, format!("multipart/byteranges; boundary={boundary}"));
            let parts = heads.into_iter().zip(bodies).flat_map(|(head, body)| [Body::from(head), body]);
            one_behind_another(parts.chain([Body::from(end)]).collect())
        }
    };
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    *response.headers_mut() = whole;
    response
}

fn one_behind_another(bodies: Vec<Body>) -> Body {
    let data = stream::iter(bodies).flat_map(BodyExt::into_data_stream);
    Body::new(StreamBody::new(data.map_ok(Frame::<Bytes>::data)))
}

fn set(headers: &mut HeaderMap, name: header::HeaderName, text: String) {
    headers.insert(name, HeaderValue::try_from(text).expect("digits and letters are a header value"));
}
