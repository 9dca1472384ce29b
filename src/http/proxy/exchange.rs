//! One request to a server behind, and its answer.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use ::http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use ::http::request::Parts;
use ::http::uri::PathAndQuery;
use ::http::{HeaderValue, Method, Request, StatusCode, Uri, Version};
use http_body::Body as _;
use hyper::body::Incoming;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout_at};

use super::backends::Backends;
use super::body::{Download, Progress, Upload};
use super::error::ProxyError;
use super::forwarded::Circle;
use super::lease::Lease;
use super::pool::Pool;
use super::{forwarded, headers};
use crate::Scope;
use crate::http::{Body, Departure, HttpError, Response, Watch, page, scope_of, wants_html};
use crate::metrics::class;

/// Asks a server behind; what none of them answers is answered with an error page.
pub(super) async fn answer(backends: &Arc<Backends>, mut request: super::Request) -> Response {
    let scope = request.extensions_mut().remove::<Box<Scope>>();
    let scope = scope.unwrap_or_else(|| Box::new(scope_of(&request)));
    let (mut head, body) = request.into_parts();
    if !headers::count_off(&head.method, &mut head.headers) {
        return last_station(&head.method);
    }
    match ask(backends, &scope, &head, body).await {
        Ok(response) => response,
        Err(error) => {
            let answer = error.answer();
            page(answer.status(), answer.text(), None, wants_html(&head.headers))
        }
    }
}

/// The answer of the last station that a request may reach. `TRACE` is reflected nowhere.
fn last_station(method: &Method) -> Response {
    let mut response = Response::default();
    if *method == Method::TRACE {
        *response.status_mut() = StatusCode::NOT_IMPLEMENTED;
    }
    response
}

/// Asks one server after the other, for as long as none of them can have seen the request, or seeing it twice does no
/// harm.
async fn ask(
    backends: &Arc<Backends>,
    scope: &Scope,
    head: &Parts,
    body: Body,
) -> Result<Response, ProxyError> {
    // Nothing is written before the answer's head, which is what else would tell.
    let presence = scope.departure.as_ref().map(Departure::watch);
    let mut body = Some(body);
    let mut order = backends.order().into_iter().peekable();
    let mut outcome = Err(ProxyError::Full);
    while let Some((backend, own_body)) = order.next().zip(body.take()) {
        let pool = &backend.pool;
        let start = Instant::now();
        let asked = tokio::select! {
            biased;
            () = left(presence.as_ref(), pool.settings().half_closed_time) => Err(ProxyError::Left.into()),
            asked = exchange(pool, scope, head, own_body) => asked,
        };
        let result =
            asked.as_ref().map_or_else(|failed| failed.error.label(), |response| class(response.status()));
        scope.env.metrics.upstream(pool.name()).count(result, start.elapsed());
        outcome = match asked {
            Ok(response) => {
                backend.is_well();
                return Ok(response);
            }
            Err(failed) => {
                if failed.error.is_unreachable() {
                    backend.has_failed(pool.settings().out_time);
                }
                log(pool, scope, &failed.error);
                body = failed.body.filter(|_| order.peek().is_some());
                Err(failed.error)
            }
        };
    }
    outcome
}

/// Waits until the client has left, as far as its connection tells.
async fn left(presence: Option<&Watch>, patience: Duration) {
    match presence {
        Some(presence) => presence.left(patience).await,
        None => std::future::pending().await,
    }
}

fn log(pool: &Pool, scope: &Scope, error: &ProxyError) {
    let (upstream, request, result) = (pool.name(), &scope.request_id, error.label());
    if matches!(error, ProxyError::Left) {
        tracing::debug!(upstream, %request, result, "the client has left before there was an answer");
    } else {
        let error = error.chain();
        tracing::warn!(upstream, %request, result, error, "a server behind has given no answer");
    }
}

/// Why there is no answer, and the body of a request that may be sent to another server.
struct Failed {
    error: ProxyError,
    body: Option<Body>,
}

impl From<ProxyError> for Failed {
    fn from(error: ProxyError) -> Self {
        Self { error, body: None }
    }
}

async fn exchange(pool: &Arc<Pool>, scope: &Scope, head: &Parts, body: Body) -> Result<Response, Failed> {
    let request = upstream_request(pool, head, scope, &body)?;
    let place = match pool.place().await {
        Ok(place) => place,
        Err(error) => return Err(Failed { error, body: Some(body) }),
    };
    let lease = match pool.lease(false).await {
        Ok(lease) => lease,
        Err(error) => return Err(Failed { error, body: Some(body) }),
    };
    let is_repeatable = is_repeatable(&head.method, &body);
    // Made anew from what has come: a copy of each request would cost more than all that are ever sent again.
    let make_again = || upstream_request(pool, head, scope, &Body::empty()).ok();
    let make_again = || is_repeatable.then(make_again).flatten();
    let (upload, progress) = Upload::new(body);
    match send(pool, lease, request.map(|()| upload), &progress, make_again).await {
        Ok((lease, response)) => Ok(download(pool, response, lease, progress, place).await?),
        Err(error) => {
            let again = is_repeatable && matches!(error, ProxyError::Exchange(_) | ProxyError::Connect(_));
            Err(Failed { error, body: again.then(Body::empty) })
        }
    }
}

/// The request as the server behind gets it.
fn upstream_request(
    pool: &Pool,
    head: &Parts,
    scope: &Scope,
    body: &Body,
) -> Result<Request<()>, ProxyError> {
    let refuse = |status, text| ProxyError::Client(HttpError::new(status, text));
    if head.method == Method::CONNECT {
        return Err(refuse(StatusCode::NOT_IMPLEMENTED, "No tunnels are opened here."));
    }
    let mut fields = head.headers.clone();
    headers::clean_request(&mut fields);
    forwarded::write(&mut fields, scope, head.version, pool.upstream(), &pool.settings().host)
        .map_err(|Circle| refuse(StatusCode::LOOP_DETECTED, "This request goes in a circle."))?;
    if body.is_end_stream() {
        if !has_no_content(&head.method) {
            fields.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
    } else if body.size_hint().exact().is_none() {
        // hyper would send a GET's body of unknown length as none.
        fields.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    }
    let mut request = Request::new(());
    *request.method_mut() = head.method.clone();
    *request.uri_mut() = target(&scope.raw_path, head.uri.query())
        .ok_or_else(|| refuse(StatusCode::BAD_REQUEST, "The request target is malformed."))?;
    *request.headers_mut() = fields;
    Ok(request)
}

/// The target as it stood in the request line: routes may have taken parts of its path off.
pub(super) fn target(raw_path: &str, query: Option<&str>) -> Option<Uri> {
    let target = match query {
        Some(query) => PathAndQuery::try_from(format!("{raw_path}?{query}")),
        None => PathAndQuery::try_from(raw_path),
    };
    target.ok().map(Uri::from)
}

/// Methods whose requests need no length to say that they have no content (RFC 9110 section 8.6).
fn has_no_content(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE | Method::DELETE)
}

/// Sends a request and waits for the answer's head. One that may be repeated is sent again when a kept connection
/// turns out to be closed; one of which nothing was written, always.
async fn send(
    pool: &Arc<Pool>,
    mut lease: Lease,
    mut request: Request<Upload>,
    progress: &Progress,
    make_again: impl Fn() -> Option<Request<()>>,
) -> Result<(Lease, hyper::Response<Incoming>), ProxyError> {
    loop {
        let sent = within(pool.settings().response_time, progress, lease.send(request)).await?;
        let mut error = match sent {
            Ok(response) => return Ok((lease, response)),
            Err(error) => error,
        };
        let make_again = || Some(make_again()?.map(|()| Upload::empty(progress.clone())));
        match error.take_message().or_else(make_again).filter(|_| lease.reused) {
            Some(again) => request = again,
            None => return Err(ProxyError::from_exchange(error.into_error())),
        }
        lease = pool.lease(true).await?;
    }
}

/// RFC 9110 section 9.2.2, without those whose body is on its way.
fn is_repeatable(method: &Method, body: &Body) -> bool {
    let idempotent = has_no_content(method) || *method == Method::PUT;
    idempotent && body.is_end_stream()
}

/// Waits for an answer's head for as long as the server owes it. While the client owes more of its body, its own time
/// limit counts.
async fn within<T>(
    time: Duration,
    progress: &Progress,
    sending: impl Future<Output = T>,
) -> Result<T, ProxyError> {
    let mut sending = pin!(sending);
    loop {
        let owing_since = progress.since().unwrap_or_else(Instant::now);
        if let Ok(sent) = timeout_at(owing_since + time, &mut sending).await {
            return Ok(sent);
        }
        if progress.since().is_some_and(|since| since.elapsed() >= time) {
            return Err(ProxyError::ResponseTime);
        }
    }
}

/// The answer as the client gets it.
async fn download(
    pool: &Pool,
    response: hyper::Response<Incoming>,
    lease: Lease,
    progress: Progress,
    place: OwnedSemaphorePermit,
) -> Result<Response, ProxyError> {
    let (mut head, body) = response.into_parts();
    if head.status == StatusCode::SWITCHING_PROTOCOLS {
        return Err(ProxyError::Unlawful("a switch of protocols that nobody asked for"));
    }
    headers::clean_response(&mut head.headers).map_err(ProxyError::Unlawful)?;
    head.extensions.clear();
    // The version is each connection's own matter.
    head.version = Version::HTTP_11;
    let body = Download::new(body, lease, progress, pool.settings().idle_time, place);
    Ok(Response::from_parts(head, body.beginning().await))
}
