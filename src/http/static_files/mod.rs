//! Files served as they are: style sheets, scripts, images; from a folder or from the program itself.

mod cache;
mod chunks;
mod conditions;
mod content;
mod embedded;
mod encoding;
mod folder;
mod names;
mod ranges;

use std::convert::Infallible;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use ::http::header;
use ::http::{HeaderMap, HeaderValue, Method, StatusCode};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use percent_encoding::percent_decode_str;
use tokio::task::spawn_blocking;
use tower::Service;

use super::{Body, Request, Response};
use crate::Scoped;
use crate::routing::Routes;
use cache::{Cache, Variant};
use content::Content;
use embedded::Embedded;
use encoding::Encoding;
use folder::Folder;
use names::Hashes;

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
///
/// Names with hashes, which browsers keep for good, in pages as well; and `base.css.br` in place of `base.css`:
///
/// ```
/// use solent::http::{StaticFiles, Templates};
///
/// let files = StaticFiles::embedded(&[("css/base.css", b"body { margin: 0 }")]).hashed_names();
/// assert!(files.name_of("css/base.css").starts_with("css/base."));
/// assert_eq!(files.name_of("css/other.css"), "css/other.css");
/// let templates = Templates::folder("templates").with_static_files("/static/", &files);
/// let elsewhere = Templates::folder("templates").with_static_url("https://static.example.com/");
/// let compressed = StaticFiles::folder("templates/static").precompressed().cache(64 * 1024 * 1024);
/// ```
#[derive(Debug, Clone)]
pub struct StaticFiles {
    source: Source,
    /// What `Cache-Control` says.
    kept_for: HeaderValue,
    hashes: Hashes,
    has_hashed_names: bool,
}

#[derive(Debug, Clone)]
enum Source {
    Folder(Arc<Cache>),
    Embedded(Embedded),
}

/// A browser never asks again for a file whose name holds its hash: a year is as long as caches count.
const FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// A file, and whether it was asked for by the name that holds the hash of its content; `None` when there is none.
type Found = Result<Option<(Arc<Content>, bool)>, Arc<io::Error>>;

impl StaticFiles {
    /// The files below a folder. It may be made later; until then everything is a 404.
    pub fn folder(folder: impl Into<PathBuf>) -> Self {
        let folder = Folder { path: folder.into(), has_variants: false };
        let hashes = Hashes::of_folder(folder.path.clone());
        Self::new(Source::Folder(Arc::new(Cache::new(folder, Self::CACHE))), hashes)
    }

    fn new(source: Source, hashes: Hashes) -> Self {
        Self { source, kept_for: kept_for(Self::MAX_AGE), hashes, has_hashed_names: false }
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
        if let Source::Folder(cache) = &mut self.source {
            let folder = Folder { has_variants: true, ..cache.folder().clone() };
            *cache = Arc::new(cache.of(folder));
        }
        self
    }

    /// What [`cache`](Self::cache) is unless told otherwise: 32 MiB.
    pub const CACHE: usize = 32 << 20;

    /// How many bytes of a folder's files are kept in memory: those of up to 256 KiB, and of them the ones that were
    /// asked for last. 32 MiB; with zero none is kept, and each request reads the disk. A kept file is looked at again
    /// once a second, so that a change is seen within that time; with debug on none is kept.
    #[must_use]
    pub fn cache(mut self, bytes: usize) -> Self {
        if let Source::Folder(cache) = &mut self.source {
            *cache = Arc::new(Cache::new(cache.folder().clone(), bytes));
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
        self.kept_for = kept_for(age);
        self
    }

    async fn answer(self, request: Request) -> Response {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return method_not_allowed();
        }
        let Some(path) = file_path(&request) else { return not_found() };
        let debug = request.scope().env.debug;
        let (head, _) = request.into_parts();
        match self.find(&path, self.wanted(&head.headers, debug), debug).await {
            Ok(Some((content, is_forever))) => {
                let mut response = content.answer(&head.method, &head.headers);
                if matches!(response.status().as_u16(), 200 | 206 | 304) {
                    let cache = self.cache_control(debug, is_forever);
                    response.headers_mut().insert(header::CACHE_CONTROL, cache);
                }
                response
            }
            Ok(None) => not_found(),
            Err(error) => {
                tracing::error!(path, %error, "a static file cannot be read");
                with_status(StatusCode::INTERNAL_SERVER_ERROR)
            }
        }
    }

    /// Which variants of a file will do, the best first. With debug on none of the compressed: an old one must not hide
    /// a change.
    fn wanted(&self, headers: &HeaderMap, debug: bool) -> Vec<Encoding> {
        if self.has_variants() && !debug { Encoding::accepted(headers) } else { vec![Encoding::Identity] }
    }

    fn has_variants(&self) -> bool {
        matches!(&self.source, Source::Folder(cache) if cache.folder().has_variants)
    }

    async fn find(&self, path: &str, wanted: Vec<Encoding>, debug: bool) -> Found {
        match &self.source {
            Source::Embedded(files) => {
                let (path, is_forever) = self.meant_by(path);
                Ok(files.find(&path).map(|content| (content, is_forever)))
            }
            Source::Folder(cache) if debug || cache.is_off() => self.find_on_disk(cache, path, wanted).await,
            Source::Folder(cache) => self.find_in_memory(cache, path, wanted).await,
        }
    }

    async fn find_in_memory(&self, cache: &Arc<Cache>, path: &str, wanted: Vec<Encoding>) -> Found {
        let hashed = if self.has_hashed_names { names::split(path) } else { None };
        let mut entry = None;
        if let Some((plain, hash)) = &hashed {
            entry = cache.find(plain).await?.map(|entry| (entry.has_hash(hash), entry));
        }
        if entry.is_none() {
            entry = cache.find(path).await?.map(|entry| (false, entry));
        }
        let Some((is_forever, entry)) = entry else { return Ok(None) };
        match entry.best(&wanted) {
            Some(Variant::Kept(content)) => Ok(Some((Arc::clone(content), is_forever))),
            Some(Variant::TooLarge) => self.find_on_disk(cache, path, wanted).await,
            None => Ok(None),
        }
    }

    /// One change of threads, whatever there is to look at and to read.
    async fn find_on_disk(&self, cache: &Arc<Cache>, path: &str, wanted: Vec<Encoding>) -> Found {
        let (files, cache, path) = (self.clone(), Arc::clone(cache), path.to_owned());
        let finding = spawn_blocking(move || {
            let (path, is_forever) = files.meant_by(&path);
            let found = cache.folder().open_best(&path, &wanted)?;
            Ok(found.map(|content| (Arc::new(content), is_forever)))
        });
        finding.await.unwrap_or_else(|panic| Err(panic.into())).map_err(Arc::new)
    }

    /// The file behind a name that may hold a hash, and whether this is the hash of what the file has now.
    fn meant_by(&self, path: &str) -> (String, bool) {
        let meant = if self.has_hashed_names { self.hashes.meant_by(path) } else { None };
        meant.unwrap_or_else(|| (path.to_owned(), false))
    }

    fn cache_control(&self, debug: bool, is_forever: bool) -> HeaderValue {
        match (debug, is_forever) {
            (true, _) => HeaderValue::from_static("no-cache"),
            (false, true) => FOREVER,
            (false, false) => self.kept_for.clone(),
        }
    }
}

fn kept_for(age: Duration) -> HeaderValue {
    let value = HeaderValue::try_from(format!("public, max-age={}", age.as_secs()));
    value.expect("digits are a header value")
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

fn with_status(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

fn not_found() -> Response {
    let mut response = Response::new(Body::from("Not found."));
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

fn method_not_allowed() -> Response {
    let mut response = with_status(StatusCode::METHOD_NOT_ALLOWED);
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET,HEAD"));
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
