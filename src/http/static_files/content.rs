//! One version of a file, and what is answered to whoever asks for it.

use std::fs::File;
use std::ops::Range;
use std::sync::Arc;
use std::time::SystemTime;

use ::http::header;
use ::http::{HeaderMap, HeaderValue, Method, StatusCode};
use bytes::Bytes;
use httpdate::HttpDate;

use super::chunks::Chunks;
use super::conditions::Verdict;
use super::encoding::Encoding;
use super::ranges::{self, Wanted};
use super::with_status;
use crate::http::{Body, Response};

/// The fields of an answer, and some of whoever passes it on.
const FIELDS: usize = 24;

/// A file as it is sent: what is told of it, and its bytes.
#[derive(Debug)]
pub(super) struct Content {
    /// The fields of an answer with the whole.
    head: HeaderMap,
    tag: String,
    modified: Option<HttpDate>,
    length: u64,
    /// Its bytes up to some place; of a small file, all of them.
    start: Bytes,
    /// Where the others are read from.
    rest: Option<Arc<File>>,
}

impl Content {
    /// What begins with these bytes. The path tells its kind.
    pub(super) fn new(path: &str, tag: String, length: u64, start: Bytes) -> Self {
        // Room for what each answer adds, so that no copy of it has to grow.
        let mut head = HeaderMap::with_capacity(FIELDS);
        head.insert(header::CONTENT_TYPE, kind_of(path));
        head.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        head.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        head.extend(HeaderValue::try_from(&tag).ok().map(|tag| (header::ETAG, tag)));
        head.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        Self { head, tag, modified: None, length, start, rest: None }
    }

    /// Says when it was changed.
    pub(super) fn with_time(mut self, modified: SystemTime) -> Self {
        let date = HttpDate::from(modified);
        self.head
            .extend(HeaderValue::try_from(date.to_string()).ok().map(|date| (header::LAST_MODIFIED, date)));
        self.modified = Some(date);
        self
    }

    /// Says how it is compressed.
    pub(super) fn with_encoding(mut self, encoding: Encoding) -> Self {
        self.head
            .extend(encoding.name().map(|name| (header::CONTENT_ENCODING, HeaderValue::from_static(name))));
        self
    }

    /// Says that others may get another variant.
    pub(super) fn with_variants(mut self) -> Self {
        self.head.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        self
    }

    /// Says where the bytes after its beginning are.
    pub(super) fn with_rest(mut self, file: File) -> Self {
        self.rest = Some(Arc::new(file));
        self
    }

    /// All its bytes, when they are in memory.
    pub(super) fn whole(&self) -> Option<&Bytes> {
        self.rest.is_none().then_some(&self.start)
    }

    pub(super) fn answer(&self, method: &Method, asked: &HeaderMap) -> Response {
        match Verdict::of(asked, &self.tag, self.modified) {
            Verdict::Failed => return with_status(StatusCode::PRECONDITION_FAILED),
            Verdict::Unchanged => return self.unchanged(),
            Verdict::Passed => {}
        }
        match Wanted::of(method, asked, &self.head, self.length) {
            Wanted::Whole if *method == Method::HEAD => self.with_body(Body::empty()),
            Wanted::Whole => self.with_body(self.part(&(0..self.length))),
            Wanted::Nothing => ranges::unsatisfiable(&self.head, self.length),
            Wanted::Parts(parts) => {
                let bodies = parts.iter().map(|part| self.part(part)).collect();
                ranges::partial(self.head.clone(), self.length, &parts, bodies)
            }
        }
    }

    fn with_body(&self, body: Body) -> Response {
        let mut response = Response::new(body);
        *response.headers_mut() = self.head.clone();
        response
    }

    fn unchanged(&self) -> Response {
        let mut response = with_status(StatusCode::NOT_MODIFIED);
        let told = [header::ETAG, header::LAST_MODIFIED, header::VARY, header::X_CONTENT_TYPE_OPTIONS];
        let fields = told.into_iter().filter_map(|name| Some((name.clone(), self.head.get(name)?.clone())));
        response.headers_mut().extend(fields);
        response
    }

    fn part(&self, part: &Range<u64>) -> Body {
        let known = in_memory(part.start, &self.start)..in_memory(part.end, &self.start);
        let known = self.start.slice(known);
        match &self.rest {
            Some(file) if part.end > self.start.len() as u64 => {
                Body::new(Chunks::new(Arc::clone(file), part.clone(), known))
            }
            _ => Body::from(known),
        }
    }
}

/// A place in a file, or the end of what is in memory.
fn in_memory(place: u64, bytes: &Bytes) -> usize {
    usize::try_from(place).unwrap_or(usize::MAX).min(bytes.len())
}

/// The kind of file, with the encoding of text: without it a browser reads a script in the page's encoding, and a style
/// sheet opened by itself in its own.
fn kind_of(path: &str) -> HeaderValue {
    let kind = mime_guess::from_path(path).first_or_octet_stream();
    let charset = if kind.type_() == "text" { "; charset=utf-8" } else { "" };
    HeaderValue::try_from(format!("{kind}{charset}"))
        .unwrap_or(HeaderValue::from_static("application/octet-stream"))
}
