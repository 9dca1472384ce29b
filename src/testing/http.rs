//! `HttpCommunicator`: one request and its answer, in process.

use std::future::Future;
use std::panic::Location;
use std::time::Duration;

use ::http::{HeaderMap, Method, StatusCode};
use bytes::Bytes;
use http_body_util::BodyExt;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::setup::{Setup, setup_methods};
use super::transcript::Transcript;
use super::websocket::PATIENCE;
use crate::Protocol;
use crate::http::{Body, BodyError, BoxedHttp, HttpApplication, Request};

/// One HTTP request in process: it drives an application, from a whole
/// [`ProtocolTypeRouter`](crate::routing::ProtocolTypeRouter) down to a single service, without a socket.
///
/// An expectation that is not met panics with the conversation so far.
///
/// Channels: `HttpCommunicator`.
///
/// # Examples
/// ```
/// use solent::routing::{ViewRouter, path};
/// use solent::testing::HttpCommunicator;
///
/// async fn hello(_: solent::http::Request) -> &'static str {
///     "Hello"
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), solent::routing::RouteError> {
/// let views = ViewRouter::new([path("hello/", hello)])?;
/// let answer = HttpCommunicator::get(views, "/hello/").response().await;
/// assert_eq!((answer.status.as_u16(), answer.text()), (200, "Hello"));
/// # Ok(())
/// # }
/// ```
///
/// An answer that comes in pieces, under time that passes by itself (`start_paused` in a test):
///
/// ```
/// use std::time::Duration;
/// use bytes::Bytes;
/// use solent::consumer::{HttpConsumer, HttpContext, http_consumer};
/// use solent::layers::Value;
/// use solent::routing::{ViewRouter, path};
/// use solent::testing::HttpCommunicator;
/// # use solent::Result;
///
/// struct News;
///
/// impl HttpConsumer for News {
///     type Event = Value;
///
///     async fn handle(ctx: &mut HttpContext, _: Bytes) -> Result<Self> {
///         ctx.start_event_stream()?;
///         ctx.send_data(None, "hello").await?;
///         Ok(Self)
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// # tokio::time::pause();
/// let views = ViewRouter::new([path("news/", http_consumer::<News>())])?;
/// let mut request = HttpCommunicator::get(views, "/news/").patience(Duration::from_secs(20));
/// assert_eq!(request.start().await.status.as_u16(), 200);
/// assert_eq!(request.receive_piece().await.as_deref(), Some(&b"data: hello\n\n"[..]));
/// request.receive_nothing_for(Duration::from_secs(14)).await;
/// assert!(request.receive_piece().await.is_some(), "a comment after 15 s");
/// request.disconnect();
/// assert!(request.transcript().lines().len() > 2);
/// # Ok(())
/// # }
/// ```
#[must_use]
pub struct HttpCommunicator {
    app: BoxedHttp,
    setup: Setup,
    method: Method,
    body: Bytes,
    patience: Duration,
    transcript: Transcript,
    answer: Option<Body>,
}

/// A whole answer.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TestResponse {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// All pieces of the body, joined.
    pub body: Bytes,
}

/// The head of an answer whose body is still coming.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TestHead {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
}

impl TestResponse {
    /// The body as text.
    ///
    /// # Panics
    /// When it is not UTF-8.
    #[track_caller]
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("the body is text")
    }

    /// The body as JSON that fits `T`.
    ///
    /// # Panics
    /// When it is something else.
    #[track_caller]
    pub fn json<T: DeserializeOwned>(&self) -> T {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| {
            panic!("expected JSON: {error}: {:?}", String::from_utf8_lossy(&self.body))
        })
    }

    /// A header's text; `None` when there is none of that name, or it is not text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

impl HttpCommunicator {
    /// A request of `app` for `path`, which may have a query and percent-encoded parts.
    pub fn new<B>(app: impl HttpApplication<B>, method: Method, path: &str) -> Self
    where
        B: http_body::Body<Data = Bytes, Error: Into<BodyError>> + Send + 'static,
    {
        Self {
            setup: Setup::new(path, &app),
            app: BoxedHttp::new(app),
            method,
            body: Bytes::new(),
            patience: PATIENCE,
            transcript: Transcript::new(),
            answer: None,
        }
    }

    /// A GET.
    pub fn get<B>(app: impl HttpApplication<B>, path: &str) -> Self
    where
        B: http_body::Body<Data = Bytes, Error: Into<BodyError>> + Send + 'static,
    {
        Self::new(app, Method::GET, path)
    }

    /// A POST.
    pub fn post<B>(app: impl HttpApplication<B>, path: &str) -> Self
    where
        B: http_body::Body<Data = Bytes, Error: Into<BodyError>> + Send + 'static,
    {
        Self::new(app, Method::POST, path)
    }

    setup_methods!();

    /// The request's body.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// A value as the request's JSON body, with its content type.
    ///
    /// # Panics
    /// When it has no JSON form.
    #[track_caller]
    pub fn json<T: Serialize + ?Sized>(self, value: &T) -> Self {
        let json = serde_json::to_vec(value).unwrap_or_else(|error| panic!("no JSON: {error}"));
        self.header("content-type", "application/json").body(json)
    }

    /// A form as the request's body, with its content type.
    ///
    /// # Panics
    /// When it has no form.
    #[track_caller]
    pub fn form<T: Serialize + ?Sized>(self, value: &T) -> Self {
        let form = serde_urlencoded::to_string(value).unwrap_or_else(|error| panic!("no form: {error}"));
        self.header("content-type", "application/x-www-form-urlencoded").body(form)
    }

    /// The whole answer. Channels: `get_response`.
    ///
    /// # Panics
    /// When the answer does not end in time, or breaks off.
    #[track_caller]
    pub fn response(mut self) -> impl Future<Output = TestResponse> + Send {
        let at = Location::caller();
        async move {
            let TestHead { status, headers } = self.send(at).await;
            let mut body = Vec::new();
            while let Some(piece) = self.next_piece(at, self.patience).await {
                match piece {
                    Some(piece) => body.extend_from_slice(&piece),
                    None => return TestResponse { status, headers, body: body.into() },
                }
            }
            self.transcript.fail(at, format!("the answer did not end within {:?}", self.patience))
        }
    }

    /// The answer's head; its body comes by [`receive_piece`](Self::receive_piece).
    ///
    /// # Panics
    /// When it does not come in time, or when called a second time.
    #[track_caller]
    pub fn start(&mut self) -> impl Future<Output = TestHead> + Send + '_ {
        let at = Location::caller();
        async move { self.send(at).await }
    }

    async fn send(&mut self, at: &Location<'_>) -> TestHead {
        if self.setup.target.is_empty() {
            self.transcript.fail(at, "the request was sent already");
        }
        let setup = std::mem::replace(&mut self.setup, Setup::empty());
        let target = setup.target.clone();
        self.transcript.note(format!("-> {} {target} ({} bytes)", self.method, self.body.len()));
        let (mut scope, headers) = setup.into_scope(Protocol::HTTP, &self.transcript);
        scope.method = self.method.clone();
        let mut request = Request::new(Body::from(std::mem::take(&mut self.body)));
        *request.method_mut() = self.method.clone();
        *request.headers_mut() = headers;
        match target.parse() {
            Ok(uri) => *request.uri_mut() = uri,
            Err(error) => {
                self.transcript.fail(at, format!("{target:?} can't be a request's target: {error}"))
            }
        }
        request.extensions_mut().insert(Box::new(scope));
        let Ok(response) = timeout(self.patience, self.app.call(request)).await else {
            self.transcript.fail(at, format!("no answer came within {:?}", self.patience))
        };
        let (head, body) = response.into_parts();
        self.transcript.note(format!("<- {}", head.status));
        self.answer = Some(body);
        TestHead { status: head.status, headers: head.headers }
    }

    /// The next piece of the body: `Some(None)` at its end, `None` when nothing comes in time.
    async fn next_piece(&mut self, at: &Location<'_>, time: Duration) -> Option<Option<Bytes>> {
        let Some(body) = &mut self.answer else {
            self.transcript.fail(at, "the request was not sent: call `start`")
        };
        let mut deadline = std::pin::pin!(tokio::time::sleep(time));
        loop {
            let frame = tokio::select! {
                biased;
                frame = body.frame() => frame,
                () = &mut deadline => return None,
            };
            match frame {
                None => {
                    self.transcript.note("<- the end");
                    return Some(None);
                }
                Some(Ok(frame)) => {
                    if let Ok(piece) = frame.into_data() {
                        self.transcript.note(format!("<- {:?}", String::from_utf8_lossy(&piece)));
                        return Some(Some(piece));
                    }
                }
                Some(Err(error)) => self.transcript.fail(at, format!("the answer broke off: {error}")),
            }
        }
    }

    /// The next piece of the body, `None` at its end.
    ///
    /// # Panics
    /// Before [`start`](Self::start), and when none comes in time.
    #[track_caller]
    pub fn receive_piece(&mut self) -> impl Future<Output = Option<Bytes>> + Send + '_ {
        let at = Location::caller();
        async move {
            match self.next_piece(at, self.patience).await {
                Some(piece) => piece,
                None => {
                    self.transcript.fail(at, format!("no more of the body came within {:?}", self.patience))
                }
            }
        }
    }

    /// Checks that no more of the body comes for a time.
    ///
    /// # Panics
    /// Before [`start`](Self::start), and when more comes, or the end.
    #[track_caller]
    pub fn receive_nothing_for(&mut self, time: Duration) -> impl Future<Output = ()> + Send + '_ {
        let at = Location::caller();
        async move {
            if let Some(piece) = self.next_piece(at, time).await {
                self.transcript.fail(at, format!("expected nothing for {time:?}, and there came {piece:?}"));
            }
        }
    }

    /// Leaves before the answer's end, as a closed browser does.
    pub fn disconnect(&mut self) {
        self.transcript.note("-- leaves");
        self.answer = None;
    }

    /// The conversation so far.
    pub fn transcript(&self) -> &Transcript {
        &self.transcript
    }
}

impl std::fmt::Debug for HttpCommunicator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpCommunicator").field("transcript", &self.transcript).finish_non_exhaustive()
    }
}
