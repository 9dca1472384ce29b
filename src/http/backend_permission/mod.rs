//! Only for whom a server behind says yes to: it is asked with the client's cookies.

mod answers;
mod question;

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use ::http::{StatusCode, header};
use futures_util::future::BoxFuture;
use http_body_util::{BodyExt, Limited};
use tokio::time::timeout;
use tower::{Layer, Service};

use self::answers::{Answer, Answers};
use self::question::Question;
use super::proxy::Proxy;
use crate::auth::{Ask, Permission, guard};
use crate::middleware::{Outcome, pass_routes_on, take_ready};
use crate::websocket::Denial;
use crate::{Error, Scope, Scoped};

type Path = dyn Fn(&Scope) -> Option<String> + Send + Sync;

/// The bytes of an answer's body that are read, so that its connection can be used again.
const BODY: usize = 16 << 10;

/// Lets only those in to whom a server behind says yes: each request and handshake is asked about there by a `GET`,
/// which carries the client's `Cookie` and `Authorization`, its `Host`, the `Forwarded` fields and, in
/// `X-Original-Method` and `X-Original-URI`, what the client wants.
///
/// An answer of 2xx lets pass. One of 401 or 403 refuses with that status, and with its `WWW-Authenticate`. Whatever else
/// is said, and no answer in time, is a 503: who cannot be asked about does not come in.
///
/// Answers of both kinds are kept for [`cache_time`](Self::cache_time), for each pair of cookies and asked path. It
/// stands behind the router, where the route's captures are known. While a socket is open the question is asked again, as
/// for every permission, and the socket closed with 4403 once the answer is no.
///
/// ```
/// use std::time::Duration;
///
/// use solent::http::proxy::Proxy;
/// use solent::http::BackendPermissionLayer;
///
/// let django = Proxy::new("http://127.0.0.1:9000".parse()?);
/// let may_chat = BackendPermissionLayer::new(django, |scope| {
///     Some(format!("/may-chat/{}/", scope.url_route.kwargs.text("course_id")?))
/// })
/// .cache_time(Duration::from_secs(30))
/// .cache_entries(1_000)
/// .recheck_interval(Duration::from_secs(60));
/// # Ok::<_, solent::http::proxy::UpstreamError>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct BackendPermissionLayer(Arc<Asked>);

/// Whom to ask, for what, and what was answered.
struct Asked {
    proxy: Proxy,
    path: Arc<Path>,
    time: Duration,
    recheck: Duration,
    answers: Arc<Answers>,
}

impl BackendPermissionLayer {
    /// Asks the server behind `proxy` for the path, with its query if it has one, that `path` makes of a connection's
    /// scope. A connection for which there is none is “not found”.
    pub fn new(proxy: Proxy, path: impl Fn(&Scope) -> Option<String> + Send + Sync + 'static) -> Self {
        let answers = Arc::new(Answers::new(Duration::from_secs(10), 10_000));
        let (time, recheck) = (Duration::from_secs(5), Duration::from_secs(30));
        Self(Arc::new(Asked { proxy, path: Arc::new(path), time, recheck, answers }))
    }

    /// How long an answer holds for the same cookies and path. Default: 10 s; zero asks each time. Too long and people
    /// stay who should go, too short and the server behind is asked for every page.
    pub fn cache_time(self, time: Duration) -> Self {
        let entries = self.0.answers.most();
        self.with(|asked| asked.answers = Arc::new(Answers::new(time, entries)))
    }

    /// How many answers are kept at once; beyond, the oldest goes. Default: 10,000, of about 100 bytes each.
    pub fn cache_entries(self, most: usize) -> Self {
        let time = self.0.answers.time();
        self.with(|asked| asked.answers = Arc::new(Answers::new(time, most)))
    }

    /// How long an answer may take as a whole. Default: 5 s; then 503.
    pub fn time(self, time: Duration) -> Self {
        self.with(|asked| asked.time = time)
    }

    /// How soon the question about an open socket is asked again where no [`AuthLayer`](crate::middleware::AuthLayer)
    /// stands around it, whose settings say so otherwise. Default: 30 s.
    pub fn recheck_interval(self, interval: Duration) -> Self {
        self.with(|asked| asked.recheck = interval)
    }

    fn with(self, change: impl FnOnce(&mut Asked)) -> Self {
        let mut asked = Asked {
            proxy: self.0.proxy.clone(),
            path: Arc::clone(&self.0.path),
            time: self.0.time,
            recheck: self.0.recheck,
            answers: Arc::clone(&self.0.answers),
        };
        change(&mut asked);
        Self(Arc::new(asked))
    }
}

impl Asked {
    /// The answer: one that is known, or the server's.
    async fn answer(&self, question: &Question) -> Answer {
        let key = question.key();
        if let Some(answer) = self.answers.find(&key) {
            return answer;
        }
        let answer = match timeout(self.time, self.ask(question)).await {
            Ok(answer) => answer,
            Err(_) => Answer::Unknown("no answer in time".to_owned()),
        };
        self.answers.keep(key, &answer);
        answer
    }

    async fn ask(&self, question: &Question) -> Answer {
        let Some(request) = question.request() else {
            return Answer::Unknown("the path cannot be asked for".to_owned());
        };
        let response = match self.proxy.clone().call(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        let (head, body) = response.into_parts();
        // What it says does not matter, and a body that goes on costs its connection alone.
        drop(Limited::new(body, BODY).collect().await);
        match head.status {
            status if status.is_success() => Answer::Allowed,
            status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
                Answer::Refused(status, head.headers.get(header::WWW_AUTHENTICATE).cloned())
            }
            status => Answer::Unknown(format!("it answered {status}")),
        }
    }
}

impl fmt::Debug for BackendPermissionLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BackendPermissionLayer").field("proxy", &self.0.proxy).finish_non_exhaustive()
    }
}

impl<S> Layer<S> for BackendPermissionLayer {
    type Service = BackendPermission<S>;

    fn layer(&self, inner: S) -> BackendPermission<S> {
        BackendPermission { inner, asked: Arc::clone(&self.0) }
    }
}

/// The service of [`BackendPermissionLayer`].
#[derive(Clone)]
pub struct BackendPermission<S> {
    inner: S,
    asked: Arc<Asked>,
}

impl<S: fmt::Debug> fmt::Debug for BackendPermission<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BackendPermission").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl<S, R> Service<R> for BackendPermission<S>
where
    R: Scoped + Send + 'static,
    S: Service<R, Response: Outcome<S::Error>, Future: Send> + Clone + Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<S::Response, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: R) -> Self::Future {
        let mut inner = take_ready(&mut self.inner);
        let asked = Arc::clone(&self.asked);
        let question =
            (asked.path)(request.scope()).map(|path| Question::new(path, request.scope(), request.headers()));
        Box::pin(async move {
            let Some(question) = question else {
                return S::Response::refused(Denial::new(StatusCode::NOT_FOUND, RULE, "Not found."));
            };
            if let Some(denial) = denial_of(asked.answer(&question).await) {
                return S::Response::refused(denial);
            }
            guard(request.scope_mut(), Arc::new(Again { asked, question }));
            inner.call(request).await
        })
    }
}

pass_routes_on!(BackendPermission);

/// The rule of refusals.
const RULE: &str = "permission";

/// The refusal in an answer that is no yes.
fn denial_of(answer: Answer) -> Option<Denial> {
    Some(match answer {
        Answer::Allowed => return None,
        Answer::Refused(status, challenge) => {
            let text = if status == StatusCode::UNAUTHORIZED {
                "Authentication required."
            } else {
                "Access denied."
            };
            let denial = Denial::new(status, RULE, text)
                .with_detail(format!("the server behind answered {}", status.as_u16()));
            match challenge {
                Some(challenge) => denial.with_header(header::WWW_AUTHENTICATE, challenge),
                None => denial,
            }
        }
        Answer::Unknown(why) => {
            tracing::error!(permission = NAME, error = why, "a permission could not be asked");
            Denial::new(StatusCode::SERVICE_UNAVAILABLE, RULE, "Service unavailable.").with_detail(why)
        }
    })
}

/// What logs call it.
const NAME: &str = "allow.http";

/// The question about an open socket, which is asked again while it is open.
struct Again {
    asked: Arc<Asked>,
    question: Question,
}

impl fmt::Debug for Again {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("permission").field(&NAME).finish()
    }
}

impl Permission for Again {
    fn name(&self) -> &str {
        NAME
    }

    fn recheck_interval(&self) -> Duration {
        self.asked.recheck
    }

    /// The question is this socket's own, so that there is one answer however often it is asked for.
    fn allowed<'a>(&'a self, asks: &'a [Ask]) -> BoxFuture<'a, Result<Vec<bool>, Error>> {
        Box::pin(async move {
            match self.asked.answer(&self.question).await {
                Answer::Allowed => Ok(vec![true; asks.len()]),
                Answer::Refused(..) => Ok(vec![false; asks.len()]),
                Answer::Unknown(why) => Err(Error::msg(why)),
            }
        })
    }
}
