//! Views: functions from a request to a response, async or blocking.

use std::any::Any;
use std::fmt;
use std::future::{Future, ready};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use ::http::header::ALLOW;
use ::http::{HeaderValue, Method, StatusCode};
use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::body::{Request, Response};
use super::respond::{IntoResponse, status};
use crate::blocking::panic_text;
use crate::websocket::Denial;
use crate::{Error, Scoped};

type Call = dyn Fn(Request) -> BoxFuture<'static, Result<Response, Error>> + Send + Sync;

/// A view of any kind, with the methods it takes. Cheap to clone.
#[derive(Clone)]
pub struct BoxedView {
    call: Arc<Call>,
    /// `None`: all methods, which the view then tells apart itself.
    methods: Option<Arc<[Method]>>,
}

/// What can be a view: an `async fn(Request)` that returns something with [`IntoResponse`], [`blocking`] around a
/// plain function, [`get`](super::get) and its siblings.
///
/// `M` tells the implementations apart and is always inferred.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a view",
    note = "a view is an `async fn(solent::http::Request) -> impl IntoResponse`, or `blocking(…)` around a function \
            that takes a `solent::http::BlockingRequest`"
)]
pub trait IntoView<M> {
    /// The view, boxed.
    fn into_view(self) -> BoxedView;
}

/// Marks [`IntoView`] for async functions.
#[derive(Debug)]
pub struct AsyncFunction;

impl<F, Fut> IntoView<AsyncFunction> for F
where
    F: Fn(Request) -> Fut + Send + Sync + 'static,
    Fut: Future<Output: IntoResponse> + Send + 'static,
{
    fn into_view(self) -> BoxedView {
        BoxedView::new(move |request| {
            let answer = self(request);
            Box::pin(async move { answer.await.into_response() })
        })
    }
}

impl IntoView<()> for BoxedView {
    fn into_view(self) -> BoxedView {
        self
    }
}

impl BoxedView {
    /// A view that is a closure from a request to the boxed future of its answer: for views that are made while a
    /// program runs, of what a file or a database says. Functions need no box, see [`IntoView`].
    ///
    /// ```
    /// use solent::http::{BoxedView, text};
    ///
    /// fn greeting(words: String) -> BoxedView {
    ///     BoxedView::new(move |_request| {
    ///         let words = words.clone();
    ///         Box::pin(async move { Ok(text(words)) })
    ///     })
    /// }
    ///
    /// let router = solent::routing::ViewRouter::new([solent::routing::path("", greeting("Hello!".to_owned()))]);
    /// assert!(router.is_ok());
    /// ```
    pub fn new(
        call: impl Fn(Request) -> BoxFuture<'static, Result<Response, Error>> + Send + Sync + 'static,
    ) -> Self {
        Self { call: Arc::new(call), methods: None }
    }

    /// The same view for these methods only. `GET` brings `HEAD` with it, and `OPTIONS` is answered from the list.
    ///
    ///
    ///
    /// ```
    /// use http::Method;
    /// use solent::http::{BoxedView, text};
    ///
    /// let view = BoxedView::new(|_| Box::pin(async { Ok(text("sent")) })).with_methods([Method::POST]);
    /// assert_eq!(view.methods(), [Method::POST]);
    /// ```
    #[must_use]
    pub fn with_methods(mut self, methods: impl IntoIterator<Item = Method>) -> Self {
        self.methods = Some(methods.into_iter().collect());
        self
    }

    /// The methods it takes; empty for all.
    pub fn methods(&self) -> &[Method] {
        self.methods.as_deref().unwrap_or_default()
    }

    /// Asks the view. Another method than it takes is an error with the status 405 and `Allow`; a panic is an error
    /// too.
    ///
    /// # Errors
    /// The view's.
    ///
    /// # Cancel safety
    /// Dropping the future drops the view's work where it stands; a blocking view runs on and its answer is lost.
    pub async fn call(&self, request: Request) -> Result<Response, Error> {
        caught(attempt(|| self.ask(request))).await
    }

    /// The same without a guard against panics: for those that have one around themselves.
    pub(crate) fn ask(&self, request: Request) -> BoxFuture<'static, Result<Response, Error>> {
        match &self.methods {
            Some(methods) if !takes(methods, request.method()) => {
                ready(answer_method(methods, request.method())).boxed()
            }
            _ => (self.call)(request),
        }
    }
}

/// Asks, and keeps a panic for [`caught`].
pub(crate) fn attempt<F>(ask: impl FnOnce() -> F) -> std::thread::Result<F> {
    std::panic::catch_unwind(AssertUnwindSafe(ask))
}

/// A panic as an error, so that it ends one request and no more.
pub(crate) async fn caught<T>(
    answer: std::thread::Result<impl Future<Output = Result<T, Error>>>,
) -> Result<T, Error> {
    let answer = AssertUnwindSafe(answer.map_err(panicked)?);
    answer.catch_unwind().await.unwrap_or_else(|panic| Err(panicked(panic)))
}

fn panicked(panic: Box<dyn Any + Send>) -> Error {
    Error::msg(format!("a view panicked: {}", panic_text(&*panic)))
}

fn takes(methods: &[Method], method: &Method) -> bool {
    methods.contains(method) || *method == Method::HEAD && methods.contains(&Method::GET)
}

fn answer_method(methods: &[Method], method: &Method) -> Result<Response, Error> {
    let mut allowed: Vec<&str> = methods.iter().map(Method::as_str).collect();
    for (implied, by) in [("HEAD", Some("GET")), ("OPTIONS", None)] {
        if !allowed.contains(&implied) && by.is_none_or(|by| allowed.contains(&by)) {
            allowed.push(implied);
        }
    }
    let allow = HeaderValue::try_from(allowed.join(", "))?;
    if *method == Method::OPTIONS {
        let mut response = status(StatusCode::OK);
        response.headers_mut().insert(ALLOW, allow);
        return Ok(response);
    }
    let text = "This address does not take this method.";
    Err(Denial::new(StatusCode::METHOD_NOT_ALLOWED, "method", text).with_header(ALLOW, allow).into())
}

impl fmt::Debug for BoxedView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoxedView").field("methods", &self.methods).finish_non_exhaustive()
    }
}

/// A request as blocking views take it: the body is read before, so that no thread waits for a slow client.
pub type BlockingRequest = ::http::Request<Bytes>;

/// A blocking function as a view. Made by [`blocking`].
#[derive(Debug, Clone)]
pub struct Blocking<F>(F);

/// A view from a function that blocks; it runs on the server's bounded pool of threads.
///
/// ```
/// use solent::http::{BlockingRequest, IntoResponse, blocking};
/// use solent::routing::{ViewRouter, path};
/// fn report(request: BlockingRequest) -> impl IntoResponse {
///     std::fs::read_to_string("report.txt")
/// }
/// let views = ViewRouter::new([path("report/", blocking(report))])?;
/// # Ok::<_, solent::routing::RouteError>(())
/// ```
pub fn blocking<F>(view: F) -> Blocking<F> {
    Blocking(view)
}

/// Marks [`IntoView`] for blocking functions.
#[derive(Debug)]
pub struct BlockingFunction;

impl<F, R> IntoView<BlockingFunction> for Blocking<F>
where
    F: Fn(BlockingRequest) -> R + Send + Sync + 'static,
    R: IntoResponse,
{
    fn into_view(self) -> BoxedView {
        let view = Arc::new(self.0);
        BoxedView::new(move |request| {
            let view = Arc::clone(&view);
            Box::pin(async move {
                let pool = request.scope().env.blocking().clone();
                let (head, body) = request.into_parts();
                let request = ::http::Request::from_parts(head, body.bytes().await?);
                pool.run(move || view(request).into_response()).await?
            })
        })
    }
}

/// A view, async or blocking, from a function that takes a state besides the request. The state is cloned for each
/// request: put what is large into an `Arc`.
///
/// ```
/// use solent::http::{Request, with_state};
/// use solent::routing::{ViewRouter, path};
/// async fn greet(greeting: &'static str, request: Request) -> String {
///     format!("{greeting}, {}", request.uri().path())
/// }
/// let views = ViewRouter::new([path("<name>/", with_state("hello", greet))])?;
/// # Ok::<_, solent::routing::RouteError>(())
/// ```
pub fn with_state<S: Clone, Q, R>(state: S, view: impl Fn(S, Q) -> R) -> impl Fn(Q) -> R {
    move |request| view(state.clone(), request)
}
