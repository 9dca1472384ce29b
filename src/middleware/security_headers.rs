//! Headers that tell browsers to be careful, as Django's security and clickjacking middleware set them.

use std::sync::Arc;
use std::task::{Context, Poll};

use ::http::header::{
    CONTENT_SECURITY_POLICY, HeaderName, InvalidHeaderValue, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use ::http::{HeaderValue, Request, Response};
use futures_util::future::{FutureExt, Map};
use tower::{Layer, Service};

use super::pass_routes_on;

const COOP: HeaderName = HeaderName::from_static("cross-origin-opener-policy");

/// Adds to every response what it does not say itself: `X-Content-Type-Options: nosniff`,
/// `Referrer-Policy: same-origin`, `Cross-Origin-Opener-Policy: same-origin` and `X-Frame-Options: DENY`; with a
/// policy, `Content-Security-Policy` too.
///
/// ```
/// use solent::middleware::SecurityHeadersLayer;
///
/// let layer = SecurityHeadersLayer::new().content_security_policy("default-src 'self'")?;
/// # Ok::<(), http::header::InvalidHeaderValue>(())
/// ```
#[derive(Debug, Clone)]
pub struct SecurityHeadersLayer(Headers);

type Headers = Arc<Vec<(HeaderName, HeaderValue)>>;

impl SecurityHeadersLayer {
    /// Django's defaults, without a content security policy.
    pub fn new() -> Self {
        let fixed = [
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (REFERRER_POLICY, "same-origin"),
            (COOP, "same-origin"),
            (X_FRAME_OPTIONS, "DENY"),
        ];
        Self(Arc::new(fixed.map(|(name, value)| (name, HeaderValue::from_static(value))).to_vec()))
    }

    /// The `Content-Security-Policy`. None by default: a policy that does not fit a site's pages breaks them.
    ///
    /// # Errors
    /// For a text that a header cannot hold.
    pub fn content_security_policy(mut self, policy: &str) -> Result<Self, InvalidHeaderValue> {
        Arc::make_mut(&mut self.0).push((CONTENT_SECURITY_POLICY, HeaderValue::from_str(policy)?));
        Ok(self)
    }
}

impl Default for SecurityHeadersLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl<S> Layer<S> for SecurityHeadersLayer {
    type Service = SecurityHeaders<S>;

    fn layer(&self, inner: S) -> Self::Service {
        SecurityHeaders { inner, headers: Arc::clone(&self.0) }
    }
}

/// The service of [`SecurityHeadersLayer`].
#[derive(Debug, Clone)]
pub struct SecurityHeaders<S> {
    inner: S,
    headers: Headers,
}

impl<S, A, B> Service<Request<A>> for SecurityHeaders<S>
where
    S: Service<Request<A>, Response = Response<B>>,
{
    type Response = Response<B>;
    type Error = S::Error;
    type Future = Map<S::Future, Add<Response<B>, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<A>) -> Self::Future {
        let headers = Arc::clone(&self.headers);
        self.inner.call(request).map(Box::new(move |answer| answer.map(|response| add(&headers, response))))
    }
}

type Add<T, E> = Box<dyn FnOnce(Result<T, E>) -> Result<T, E> + Send>;

pass_routes_on!(SecurityHeaders);

fn add<B>(headers: &[(HeaderName, HeaderValue)], mut response: Response<B>) -> Response<B> {
    for (name, value) in headers {
        response.headers_mut().entry(name).or_insert_with(|| value.clone());
    }
    response
}
