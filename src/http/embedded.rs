//! Static files that are part of the program: answered from memory.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hasher};
use std::ops::Range;
use std::sync::Arc;

use ::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use bytes::Bytes;

use super::static_files::not_found;
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
        let asked = request.headers().get(header::IF_NONE_MATCH);
        let unchanged = asked.is_some_and(|asked| names_tag(asked.as_bytes(), &file.tag));
        if !unchanged
            && *request.method() == Method::GET
            && let Some(part) = Part::of(request, &file.tag, file.bytes.len())
        {
            return part.answer(file, path);
        }
        let mut response = match (unchanged, request.method()) {
            (true, _) => with_status(StatusCode::NOT_MODIFIED),
            (false, &Method::HEAD) => with_status(StatusCode::OK),
            (false, _) => Response::new(Body::from(file.bytes.clone())),
        };
        let headers = response.headers_mut();
        file.describe(headers);
        if !unchanged {
            describe_kind(headers, path);
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(file.bytes.len()));
        }
        response
    }
}

fn describe_kind(headers: &mut HeaderMap, path: &str) {
    let kind = mime_guess::from_path(path).first_or_octet_stream();
    if let Ok(kind) = HeaderValue::try_from(kind.as_ref()) {
        headers.insert(header::CONTENT_TYPE, kind);
    }
}

/// The part of a file that a request asks for, or one that the file does not have.
struct Part(Option<Range<usize>>);

impl Part {
    /// `None` when the whole file is asked for: no range, several of them, one of another version, or nonsense.
    fn of(request: &Request, tag: &str, length: usize) -> Option<Self> {
        let headers = request.headers();
        if headers.get(header::IF_RANGE).is_some_and(|version| version.as_bytes() != tag.as_bytes()) {
            return None;
        }
        let asked = headers.get(header::RANGE)?.to_str().ok()?.strip_prefix("bytes=")?;
        let (first, last) = asked.trim().split_once('-')?;
        let number =
            |text: &str| text.bytes().all(|digit| digit.is_ascii_digit()).then(|| text.parse::<usize>().ok());
        let range = match (first, last) {
            ("", last) => length.saturating_sub(number(last)??)..length,
            (first, "") => number(first)??..length,
            (first, last) => {
                let (first, last) = (number(first)??, number(last)??);
                if last < first {
                    return None;
                }
                first..length.min(last.saturating_add(1))
            }
        };
        Some(Self((range.start < length && range.start < range.end).then_some(range)))
    }

    fn answer(self, file: &File, path: &str) -> Response {
        let length = file.bytes.len();
        let (status, text, body) = match self.0 {
            None => (StatusCode::RANGE_NOT_SATISFIABLE, format!("bytes */{length}"), Bytes::new()),
            Some(range) => (
                StatusCode::PARTIAL_CONTENT,
                format!("bytes {}-{}/{length}", range.start, range.end - 1),
                file.bytes.slice(range),
            ),
        };
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        file.describe(headers);
        describe_kind(headers, path);
        headers.extend(HeaderValue::try_from(text).ok().map(|text| (header::CONTENT_RANGE, text)));
        response
    }
}

impl File {
    fn new(bytes: &'static [u8]) -> Self {
        // The hash has fixed keys: every process of one program gives a file the same tag.
        let mut hasher = DefaultHasher::new();
        hasher.write(bytes);
        let tag = format!("\"{:016x}-{:x}\"", hasher.finish(), bytes.len());
        Self { bytes: Bytes::from_static(bytes), tag }
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
