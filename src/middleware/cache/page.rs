//! What a view says about keeping its page: `cache_page` and `never_cache`, around one route.

use std::task::{Context, Poll};
use std::time::Duration;

use ::http::{HeaderValue, header};
use futures_util::future::{FutureExt, Map};
use tower::{Layer, Service};

use super::pass_routes_on;
use crate::http::Response;

/// In a response's extensions: how long its view wants it kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct PageTime(pub(super) Duration);

type Said<E> = Box<dyn FnOnce(Result<Response, E>) -> Result<Response, E> + Send>;

/// The pages of this route may be kept so long by a [`CacheLayer`](super::CacheLayer) around the router; those that
/// are tell browsers so with `Cache-Control: max-age`. What the view says itself in `Cache-Control` stands.
///
/// ```
/// use solent::http::{Request, get};
/// use solent::middleware::cache_page;
/// use solent::routing::{ViewRouter, path};
/// use std::time::Duration;
///
/// async fn about(_: Request) -> &'static str {
///     "about this site"
/// }
/// let views = ViewRouter::new([path("about/", get(about)).layer(cache_page(Duration::from_secs(300)))])?;
/// # Ok::<_, solent::routing::RouteError>(())
/// ```
pub fn cache_page(time: Duration) -> CachePageLayer {
    CachePageLayer(time)
}

/// The layer of [`cache_page`].
#[derive(Debug, Clone, Copy)]
pub struct CachePageLayer(Duration);

impl<S> Layer<S> for CachePageLayer {
    type Service = CachePage<S>;

    fn layer(&self, inner: S) -> CachePage<S> {
        CachePage { inner, time: self.0 }
    }
}

/// The service of [`cache_page`].
#[derive(Debug, Clone)]
pub struct CachePage<S> {
    inner: S,
    time: Duration,
}

impl<S, R> Service<R> for CachePage<S>
where
    S: Service<R, Response = Response>,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Map<S::Future, Said<S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let time = self.time;
        self.inner
            .call(request)
            .map(Box::new(move |answer| answer.map(|response| may_be_kept(response, time))))
    }
}

pass_routes_on!(CachePage);

fn may_be_kept(mut response: Response, time: Duration) -> Response {
    if response.status() == ::http::StatusCode::OK && !response.headers().contains_key(header::CACHE_CONTROL)
    {
        response.extensions_mut().insert(PageTime(time));
    }
    response
}

/// Nobody may keep the pages of this route: neither a [`CacheLayer`](super::CacheLayer), nor a proxy, nor the browser.
/// For pages that show what is so at this moment, such as a chat room.
pub fn never_cache() -> NeverCacheLayer {
    NeverCacheLayer {}
}

/// The layer of [`never_cache`].
#[derive(Debug, Clone, Copy)]
pub struct NeverCacheLayer {}

impl<S> Layer<S> for NeverCacheLayer {
    type Service = NeverCache<S>;

    fn layer(&self, inner: S) -> NeverCache<S> {
        NeverCache { inner }
    }
}

/// The service of [`never_cache`].
#[derive(Debug, Clone)]
pub struct NeverCache<S> {
    inner: S,
}

impl<S, R> Service<R> for NeverCache<S>
where
    S: Service<R, Response = Response>,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Map<S::Future, Said<S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: R) -> Self::Future {
        self.inner.call(request).map(Box::new(|answer| answer.map(must_not_be_kept)))
    }
}

pass_routes_on!(NeverCache);

fn must_not_be_kept(mut response: Response) -> Response {
    let value = HeaderValue::from_static("max-age=0, no-cache, no-store, must-revalidate, private");
    response.headers_mut().insert(header::CACHE_CONTROL, value);
    response
}
