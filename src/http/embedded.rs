//! Static files that are part of the program: answered from memory.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hasher};
use std::ops::Range;
use std::sync::Arc;

use ::http::header::{self, HeaderName};
use ::http::{HeaderMap, HeaderValue, Method, StatusCode};
use bytes::Bytes;

use super::ranges::{self, Wanted};
use super::static_files::{add_charset, not_found};
use super::{Body, Request, Response};

/// Files by path, each with its tag.
#[derive(Debug, Clone)]
pub(super) struct Embedded(Arc<BTreeMap<&'static str, File>>);

#[derive(Debug)]
struct File {
    bytes: Bytes,
    tag: String,
}

impl Embedded {
    pub(super) fn new(files: &[(&'static str, &'static [u8])]) -> Self {
        Self(Arc::new(files.iter().map(|&(path, bytes)| (path, File::new(bytes))).collect()))
    }

    pub(super) fn answer(&self, path: &str, request: &Request) -> Response {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return method_not_allowed();
        }
        let Some(file) = self.0.get(path) else { return not_found() };
        if !passes(request.headers(), &file.tag) {
            return with_status(StatusCode::PRECONDITION_FAILED);
        }
        if fields(request.headers(), &header::IF_NONE_MATCH).any(|list| names_tag(list, &file.tag)) {
            let mut response = with_status(StatusCode::NOT_MODIFIED);
            file.describe(response.headers_mut());
            return response;
        }
        let mut head = HeaderMap::new();
        file.describe(&mut head);
        describe_kind(&mut head, path);
        head.insert(header::CONTENT_LENGTH, HeaderValue::from(file.bytes.len()));
        let length = file.bytes.len() as u64;
        match Wanted::of(request.method(), request.headers(), &head, length) {
            Wanted::Whole => file.whole(head, request.method()),
            Wanted::Nothing => ranges::unsatisfiable(&head, length),
            Wanted::Parts(parts) => {
                let bodies = parts.iter().map(|part| Body::from(file.bytes.slice(in_memory(part)))).collect();
                ranges::partial(head, length, &parts, bodies)
            }
        }
    }
}

/// A part of what is in memory: its places fit.
fn in_memory(part: &Range<u64>) -> Range<usize> {
    let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
    place(part.start)..place(part.end)
}

/// All lines of a field.
fn fields<'h>(headers: &'h HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'h [u8]> {
    headers.get_all(name).iter().map(HeaderValue::as_bytes)
}

/// Whether the tag is among those that `If-Match` asks for, by strong comparison (RFC 9110 section 13.1.1).
fn passes(headers: &HeaderMap, tag: &str) -> bool {
    let has_tag = |list: &[u8]| {
        list.split(|byte| *byte == b',')
            .map(<[u8]>::trim_ascii)
            .any(|listed| listed == b"*" || listed == tag.as_bytes())
    };
    !headers.contains_key(header::IF_MATCH) || fields(headers, &header::IF_MATCH).any(has_tag)
}

fn describe_kind(headers: &mut HeaderMap, path: &str) {
    let kind = mime_guess::from_path(path).first_or_octet_stream();
    if let Ok(kind) = HeaderValue::try_from(kind.as_ref()) {
        headers.insert(header::CONTENT_TYPE, kind);
    }
    add_charset(headers);
}

impl File {
    fn new(bytes: &'static [u8]) -> Self {
        // The hash has fixed keys: every process of one program gives a file the same tag.
        let mut hasher = DefaultHasher::new();
        hasher.write(bytes);
        let tag = format!("\"{:016x}-{:x}\"", hasher.finish(), bytes.len());
        Self { bytes: Bytes::from_static(bytes), tag }
    }

    fn whole(&self, head: HeaderMap, method: &Method) -> Response {
        let body = if *method == Method::HEAD { Body::empty() } else { Body::from(self.bytes.clone()) };
        let mut response = Response::new(body);
        *response.headers_mut() = head;
        response
    }

    fn describe(&self, headers: &mut HeaderMap) {
        headers.extend(HeaderValue::try_from(&self.tag).ok().map(|tag| (header::ETAG, tag)));
        headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    }
}

fn with_status(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

fn method_not_allowed() -> Response {
    let mut response = with_status(StatusCode::METHOD_NOT_ALLOWED);
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET,HEAD"));
    response
}

/// Whether an `If-None-Match` list names the tag, by weak comparison. Our tags hold no comma.
fn names_tag(list: &[u8], tag: &str) -> bool {
    list.split(|byte| *byte == b',')
        .map(<[u8]>::trim_ascii)
        .any(|listed| listed == b"*" || listed.strip_prefix(b"W/").unwrap_or(listed) == tag.as_bytes())
}
