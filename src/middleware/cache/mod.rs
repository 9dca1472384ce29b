//! Whole pages from memory: the per-site cache, off until a site puts it around its views.
//!
//! It stands inside the middleware of sessions, users and CSRF and around the view router. Who is logged in always
//! gets a page of his own, and no page that was made for such a visitor, or that asked for a session or a CSRF token, is
//! ever kept.

mod page;
mod rules;
mod store;

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use ::http::{HeaderValue, Method, header};
use futures_util::future::BoxFuture;
use http_body::Body as _;
use tower::{Layer, Service};

pub use page::{CachePage, CachePageLayer, NeverCache, NeverCacheLayer, cache_page, never_cache};
use rules::{Visit, time_to_keep};
use store::{Kept, Store};

use super::pass_routes_on;
use crate::http::{Body, Request, Response, strip_body};

/// The bounds of a page cache.
///
/// ```
/// use solent::middleware::CacheSettings;
/// use std::time::Duration;
///
/// let mut settings = CacheSettings::default();
/// settings.page_time = Some(Duration::from_secs(600));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheSettings {
    /// How long a page is kept whose view says nothing else (`CACHE_MIDDLEWARE_SECONDS`). None: only those of
    /// [`cache_page`] are kept. Too long and visitors see yesterday's page, too short and it is made as often as without.
    pub page_time: Option<Duration>,
    /// Pages at once; beyond, the one that was not asked for the longest goes. 1,000.
    pub pages: usize,
    /// Bytes of all pages together, addresses included; beyond, as above. 16 MiB.
    pub bytes: usize,
    /// The largest page that is kept. 1 MiB; a larger one is made anew each time.
    pub page_bytes: usize,
}

impl Default for CacheSettings {
    fn default() -> Self {
        Self { page_time: None, pages: 1000, bytes: 16 << 20, page_bytes: 1 << 20 }
    }
}

/// Keeps pages that are the same for all anonymous visitors, in this process's memory.
///
/// Kept are complete 200 answers to GET, by address (scheme, host, path and query) and by the request headers that
/// their `Vary` names, for [`CacheSettings::page_time`] or what [`cache_page`] says. Not kept, and never given
/// instead of a fresh one: a page for a logged-in user, one that used the session or a CSRF token, one that sets
/// cookies, one whose `Cache-Control` forbids it ([`never_cache`]), one with `Vary: *` or `Vary: Cookie`, and a stream.
///
/// Put it inside the middleware of users and CSRF. Where no session middleware stands in front, a request with cookies
/// counts as somebody's and is neither answered from here nor kept.
///
/// ```
/// use solent::http::{Request, get};
/// use solent::middleware::{CacheLayer, CacheSettings, cache_page};
/// use solent::routing::{ViewRouter, path};
/// use std::time::Duration;
/// use tower::Layer;
///
/// async fn about(_: Request) -> &'static str {
///     "about this site"
/// }
/// let views = ViewRouter::new([path("about/", get(about)).layer(cache_page(Duration::from_secs(300)))])?;
/// let cached = CacheLayer::new(CacheSettings::default()).layer(views);
/// # Ok::<_, solent::routing::RouteError>(())
/// ```
#[derive(Debug, Clone)]
pub struct CacheLayer {
    settings: Arc<CacheSettings>,
    store: Arc<Store>,
}

impl CacheLayer {
    /// An empty cache. What one layer wraps shares it.
    pub fn new(settings: CacheSettings) -> Self {
        let store = Arc::new(Store::new(settings.pages, settings.bytes));
        Self { settings: Arc::new(settings), store }
    }

    /// Forgets all pages, after a change that they show.
    pub fn clear(&self) {
        self.store.clear();
    }
}

impl<S> Layer<S> for CacheLayer {
    type Service = PageCache<S>;

    fn layer(&self, inner: S) -> PageCache<S> {
        PageCache { inner, layer: self.clone() }
    }
}

/// The service of [`CacheLayer`].
#[derive(Debug, Clone)]
pub struct PageCache<S> {
    inner: S,
    layer: CacheLayer,
}

impl<S> Service<Request> for PageCache<S>
where
    S: Service<Request, Response = Response, Future: Send + 'static>,
{
    type Response = Response;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Response, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let Some(visit) = Visit::of(&request) else { return Box::pin(self.inner.call(request)) };
        if let Some((kept, age)) = self.layer.store.find(&visit.address, request.headers()) {
            let is_head = request.method() == Method::HEAD;
            return Box::pin(async move { Ok(from_memory(&kept, age, is_head)) });
        }
        let (layer, is_get) = (self.layer.clone(), request.method() == Method::GET);
        let asked = request.headers().clone();
        let answer = self.inner.call(request);
        Box::pin(async move {
            let response = answer.await?;
            match time_to_keep(&response, &visit, layer.settings.page_time) {
                Some(time) if is_get => Ok(layer.keep(visit, &asked, response, time).await),
                _ => Ok(response),
            }
        })
    }
}

pass_routes_on!(PageCache);

impl CacheLayer {
    /// Keeps a page, unless it is a stream or too large.
    async fn keep(
        &self,
        visit: Visit,
        asked: &::http::HeaderMap,
        response: Response,
        time: Duration,
    ) -> Response {
        let (mut parts, body) = response.into_parts();
        // Only a body that knows its length is at hand: a stream may never end.
        let fits = body.size_hint().exact().is_some_and(|length| length <= self.settings.page_bytes as u64);
        if !fits {
            return Response::from_parts(parts, body);
        }
        let Ok(bytes) = body.bytes().await else {
            return crate::http::status(::http::StatusCode::INTERNAL_SERVER_ERROR);
        };
        if let Ok(value) = HeaderValue::try_from(format!("max-age={}", time.as_secs())) {
            parts.headers.entry(header::CACHE_CONTROL).or_insert(value);
        }
        let kept = Kept { status: parts.status, headers: parts.headers.clone(), body: bytes.clone() };
        self.store.insert(visit.address, asked, kept, time);
        Response::from_parts(parts, Body::from(bytes))
    }
}

fn from_memory(kept: &Kept, age: Duration, is_head: bool) -> Response {
    let mut response = Response::new(Body::from(kept.body.clone()));
    *response.status_mut() = kept.status;
    *response.headers_mut() = kept.headers.clone();
    response.headers_mut().insert(header::AGE, age.as_secs().into());
    if !response.headers().contains_key(header::DATE) {
        let made = httpdate::fmt_http_date(SystemTime::now() - age);
        response.headers_mut().extend(HeaderValue::try_from(made).ok().map(|date| (header::DATE, date)));
    }
    if is_head { strip_body(response) } else { response }
}
