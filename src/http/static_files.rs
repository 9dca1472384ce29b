//! Files served as they are: style sheets, scripts, images; from a folder or from the program itself.

use std::convert::Infallible;
use std::ops::Range;
use std::path::PathBuf;
use std::task::{Context, Poll};
use std::time::Duration;

use ::http::header::{self, HeaderName};
use ::http::{HeaderMap, HeaderValue, StatusCode};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http_body_util::Empty as NoBody;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use tower::Service;
use tower_http::services::ServeDir;

use super::embedded::Embedded;
use super::ranges::{self, Wanted};
use super::static_names::Hashes;
use super::{Body, Request, Response};
use crate::Scoped;
use crate::routing::Routes;

/// A `tower` service that serves files under the path that a router left for it.
///
/// Answers GET and HEAD with `ETag`, `Cache-Control` and `Content-Type`, conditional requests with 304 and 412, one
/// range or several with 206 or 416, other methods with 405. What is not a plain file below the folder is a 404: directories, paths
/// with `..` or NUL, and everything whose name starts with a dot. Symbolic links are followed, since only the
/// owner of the folder can make them.
///
/// With [`Environment::debug`](crate::Environment::debug) on, browsers are told to ask again each time, so that a
/// changed file is live at once.
///
/// ```
/// use solent::http::StaticFiles;
/// use std::time::Duration;
///
/// let files = StaticFiles::folder("templates/static").max_age(Duration::from_secs(3600));
/// let inside = StaticFiles::embedded(&[("css/base.css", b"body { margin: 0 }")]);
/// ```
#[derive(Debug, Clone)]
pub struct StaticFiles {
    source: Source,
    max_age: Duration,
    hashes: Hashes,
    has_hashed_names: bool,
}

#[derive(Debug, Clone)]
enum Source {
    // The error case of `ServeDir::call` is a log line and a 500, which is right for an unreadable disk.
    Folder(ServeDir, Variants),
    Embedded(Embedded),
}

/// Whether compressed variants stand beside the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Variants {
    None,
    Compressed,
}

/// A browser never asks again for a file whose name holds its hash: a year is as long as caches count.
const FOREVER: &str = "public, max-age=31536000, immutable";

/// What must be escaped in a path's segment to get the same text back by decoding once.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

impl StaticFiles {
    /// The files below a folder. It may be made later; until then everything is a 404.
    pub fn folder(folder: impl Into<PathBuf>) -> Self {
        let folder = folder.into();
        let files =
            ServeDir::new(&folder).append_index_html_on_directories(false).redirect_to_trailing_slash(false);
        Self::new(Source::Folder(files, Variants::None), Hashes::of_folder(folder))
    }

    fn new(source: Source, hashes: Hashes) -> Self {
        Self { source, max_age: Self::MAX_AGE, hashes, has_hashed_names: false }
    }

    /// Files that are part of the program, such as by `include_bytes!`, each with its path.
    pub fn embedded(files: &[(&'static str, &'static [u8])]) -> Self {
        Self::new(Source::Embedded(Embedded::new(files)), Hashes::of_files(files))
    }

    /// Serves `base.css.br`, `base.css.zst` or `base.css.gz` in place of `base.css` to browsers that take them, where such
    /// a file stands beside it in the folder. Make them anew whenever the file changes; with debug on they are left
    /// out.
    #[must_use]
    pub fn precompressed(mut self) -> Self {
        if let Source::Folder(files, variants) = &mut self.source {
            *files = files.clone().precompressed_br().precompressed_zstd().precompressed_gzip();
            *variants = Variants::Compressed;
        }
        self
    }

    /// Serves each file also under a name with a hash of its content, such as `css/base.55e7cbb9ba48.css`, which
    /// browsers keep for good. [`Templates::with_static_files`](super::Templates::with_static_files) writes these names
    /// into pages.
    #[must_use]
    pub fn hashed_names(self) -> Self {
        Self { has_hashed_names: true, ..self }
    }

    /// A file's name as pages should write it: with its hash, where names have one and there is such a file.
    pub fn name_of(&self, path: &str) -> String {
        let hashed = if self.has_hashed_names { self.hashes.name_of(path) } else { None };
        hashed.unwrap_or_else(|| path.to_owned())
    }

    /// How long a browser may use a file before it asks whether it has changed, unless told otherwise: short, since
    /// the names do not change with the content. Asking costs a 304.
    pub const MAX_AGE: Duration = Duration::from_secs(60);

    /// How long a browser may use a file before it asks whether it has changed. 60 s; too long and visitors keep
    /// yesterday's style sheet, zero and each page costs a question per file.
    #[must_use]
    pub fn max_age(mut self, age: Duration) -> Self {
        self.max_age = age;
        self
    }

    async fn answer(self, request: Request) -> Response {
        let Some(mut path) = file_path(&request) else { return not_found() };
        let debug = request.scope().env.debug;
        let meant = self.meant_by(&path).await;
        let is_forever = meant.as_ref().is_some_and(|(_, is_current)| *is_current);
        if let Some((plain, _)) = meant {
            path = plain;
        }
        let mut response = match &self.source {
            Source::Folder(files, variants) => {
                let plain = debug && *variants == Variants::Compressed;
                from_folder(files.clone(), &path, request, plain).await
            }
            Source::Embedded(files) => files.answer(&path, &request),
        };
        if matches!(response.status().as_u16(), 200 | 206 | 304) {
            self.describe(&mut response, debug, is_forever);
        }
        response
    }

    /// The file behind a name with a hash. Files are looked at off the async threads.
    async fn meant_by(&self, path: &str) -> Option<(String, bool)> {
        if !self.has_hashed_names {
            return None;
        }
        let (hashes, path) = (self.hashes.clone(), path.to_owned());
        tokio::task::spawn_blocking(move || hashes.meant_by(&path)).await.ok().flatten()
    }

    fn describe(&self, response: &mut Response, debug: bool, is_forever: bool) {
        let seconds = self.max_age.as_secs();
        let cache = match (debug, is_forever) {
            (true, _) => "no-cache".to_owned(),
            (false, true) => FOREVER.to_owned(),
            (false, false) => format!("public, max-age={seconds}"),
        };
        let headers = response.headers_mut();
        if matches!(self.source, Source::Folder(_, Variants::Compressed)) {
            headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        }
        headers
            .insert(header::CACHE_CONTROL, HeaderValue::try_from(cache).expect("digits are a header value"));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    }
}

/// Adds the encoding to a text's kind: without it a browser reads a script in the page's encoding, and a style sheet
/// opened by itself in its own.
pub(super) fn add_charset(headers: &mut HeaderMap) {
    if let Some(kind) = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok())
        && kind.starts_with("text/")
        && !kind.contains(';')
        && let Ok(kind) = HeaderValue::try_from(format!("{kind}; charset=utf-8"))
    {
        headers.insert(header::CONTENT_TYPE, kind);
    }
}

/// The path of the file that is asked for, when it can name one.
fn file_path(request: &Request) -> Option<String> {
    let path = match &request.scope().path_remaining {
        Some(rest) => rest.clone(),
        None => percent_decode_str(request.uri().path()).decode_utf8().ok()?.into_owned(),
    };
    let path = path.strip_prefix('/').unwrap_or(&path);
    (path.len() <= MAX_PATH && path.split('/').all(is_plain_name)).then(|| path.to_owned())
}

// Names that no file system holds would come back from it as errors, not as “there is no such file”.
const MAX_PATH: usize = 2048;
const MAX_NAME: usize = 255;

fn is_plain_name(segment: &str) -> bool {
    (1..=MAX_NAME).contains(&segment.len())
        && !segment.starts_with('.')
        && !segment.contains(['\0', '\\', ':'])
}

/// With `plain`, compressed variants are left out.
async fn from_folder(mut files: ServeDir, path: &str, request: Request, plain: bool) -> Response {
    let mut question = ::http::Request::new(NoBody::<bytes::Bytes>::new());
    *question.method_mut() = request.method().clone();
    *question.headers_mut() = request.headers().clone();
    // `ServeDir` reads no `If-Range`, refuses several ranges, and does not say in a 416 how long the file is: it is
    // asked for the whole first, and then for each part.
    question.headers_mut().remove(header::RANGE);
    // It reads the first line of a list alone.
    join_lines(question.headers_mut(), header::IF_MATCH);
    join_lines(question.headers_mut(), header::IF_NONE_MATCH);
    if plain {
        question.headers_mut().remove(header::ACCEPT_ENCODING);
    }
    // `ServeDir` decodes the path itself; it is encoded here so that it is decoded once in all.
    match format!("/{}", utf8_percent_encode(path, SEGMENT)).parse() {
        Ok(uri) => *question.uri_mut() = uri,
        Err(_) => return not_found(),
    }
    let Ok(mut whole) = files.call(question.clone()).await;
    add_charset(whole.headers_mut());
    let length = match whole.status() {
        StatusCode::NOT_FOUND => return not_found(),
        StatusCode::OK => length(whole.headers()),
        _ => return whole.map(Body::new),
    };
    let wanted = Wanted::of(request.method(), request.headers(), whole.headers(), length);
    match wanted {
        Wanted::Whole => whole.map(Body::new),
        Wanted::Nothing => ranges::unsatisfiable(whole.headers(), length),
        Wanted::Parts(parts) => match read_parts(files, &question, whole.headers(), &parts).await {
            Some(bodies) => ranges::partial(whole.headers().clone(), length, &parts, bodies),
            None => whole.map(Body::new),
        },
    }
}

/// The parts' bytes; `None` when the file has changed since `whole` was made, whose own bytes are still those of the
/// file as it was.
async fn read_parts(
    mut files: ServeDir,
    question: &::http::Request<NoBody<bytes::Bytes>>,
    whole: &HeaderMap,
    parts: &[Range<u64>],
) -> Option<Vec<Body>> {
    let mut bodies = Vec::with_capacity(parts.len());
    for part in parts {
        let mut question = question.clone();
        let range = HeaderValue::try_from(format!("bytes={}-{}", part.start, part.end - 1)).ok()?;
        question.headers_mut().insert(header::RANGE, range);
        let Ok(answer) = files.call(question).await;
        let is_part = answer.status() == StatusCode::PARTIAL_CONTENT
            && answer.headers().get(header::ETAG) == whole.get(header::ETAG)
            && length(answer.headers()) == part.end - part.start;
        bodies.push(is_part.then(|| Body::new(answer.into_body()))?);
    }
    Some(bodies)
}

/// One line of all lines of a list field (RFC 9110 section 5.3).
fn join_lines(headers: &mut HeaderMap, name: HeaderName) {
    let lines: Vec<_> = headers.get_all(&name).iter().map(HeaderValue::as_bytes).collect();
    if lines.len() > 1
        && let Ok(list) = HeaderValue::from_bytes(&lines.join(&b", "[..]))
    {
        headers.insert(name, list);
    }
}

fn length(headers: &HeaderMap) -> u64 {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    length.and_then(|length| length.parse().ok()).unwrap_or_default()
}

pub(super) fn not_found() -> Response {
    let mut response = Response::new(Body::from("Not found."));
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

impl Service<Request> for StaticFiles {
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        self.clone().answer(request).map(Ok).boxed()
    }
}

impl Routes for StaticFiles {}
