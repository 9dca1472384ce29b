//! Static files that are part of the program: answered from memory.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hasher};
use std::sync::Arc;

use ::http::{HeaderValue, Method, StatusCode, header};
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
        let mut response = match (unchanged, request.method()) {
            (true, _) => with_status(StatusCode::NOT_MODIFIED),
            (false, &Method::HEAD) => with_status(StatusCode::OK),
            (false, _) => Response::new(Body::from(file.bytes.clone())),
        };
        let headers = response.headers_mut();
        if let Ok(tag) = HeaderValue::try_from(&file.tag) {
            headers.insert(header::ETAG, tag);
        }
        if !unchanged {
            let kind = mime_guess::from_path(path).first_or_octet_stream();
            if let Ok(kind) = HeaderValue::try_from(kind.as_ref()) {
                headers.insert(header::CONTENT_TYPE, kind);
            }
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(file.bytes.len()));
        }
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
