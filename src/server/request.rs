//! One request: its scope is made, it is handed to the application, and its line is logged.

use std::borrow::Cow;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use ::http::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, UPGRADE};
use ::http::{HeaderValue, Method, Request, StatusCode, Version};
use bytes::Bytes;
use futures_util::future::Either;
use http_body::Body as HttpBody;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tracing::Instrument;

use super::access_log::{AccessLog, Client};
use super::activity::{Activity, RequestGuard};
use super::body::bounded;
use super::drain::Phase;
use super::network::Network;
use super::origin::Origin;
use super::permits::{Full, Permit, Share};
use super::target::{self, Malformed, Target};
use crate::http::{Body, BodyError, Response};
use crate::routing::ProtocolTypeRouter;
use crate::websocket::handshake;
use crate::{Environment, Protocol, RequestId, Scope, trace_context};

/// What answers requests: one per server.
#[derive(Debug, Clone)]
pub(super) struct Handler {
    pub(super) app: ProtocolTypeRouter,
    pub(super) env: Arc<Environment>,
    pub(super) log: AccessLog,
    pub(super) phase: watch::Receiver<Phase>,
    /// Whose word on a client counts.
    pub(super) trusted: Arc<[Network]>,
}

/// The two ends of a connection, and its place.
#[derive(Debug)]
pub(super) struct Peer {
    pub(super) client: Option<SocketAddr>,
    pub(super) server: Option<SocketAddr>,
    pub(super) secure: bool,
    pub(super) permit: Arc<Permit>,
    pub(super) activity: Arc<Activity>,
}

/// What is known of a request before anything in it is judged.
#[derive(Debug)]
pub(super) struct Arrival {
    pub(super) start: Instant,
    pub(super) origin: Origin,
    pub(super) id: RequestId,
    pub(super) raw_path: Arc<str>,
}

/// What a request holds until its answer is sent, or until the WebSocket that it became has ended.
#[derive(Debug)]
pub(super) struct Hold {
    request: Option<RequestGuard>,
    _share: Option<Share>,
}

impl Hold {
    /// Of an HTTP/1.1 connection that becomes a WebSocket nothing is left whose activity would matter.
    pub(super) fn end_request(&mut self) {
        self.request = None;
    }
}

impl Handler {
    /// Answers one request. `T` is the stream under it, which an upgrade gets back.
    pub(super) async fn handle<T, B>(
        self: Arc<Self>,
        mut request: Request<B>,
        peer: Arc<Peer>,
    ) -> Result<Response, Infallible>
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        B: HttpBody<Data = Bytes, Error: Into<BodyError>> + Unpin + Send + 'static,
    {
        join_cookies(&mut request);
        let arrival = self.arrival(&request, &peer);
        let span = trace_context::request_span(&request, &arrival.id, arrival.origin.passage.trusted);
        let id = arrival.id.header_value();
        let answer = self.answer::<T, B>(request, peer, arrival);
        // Where nobody listens there is no span to enter and leave.
        let answer = match span.is_disabled() {
            true => Either::Left(answer),
            false => Either::Right(answer.instrument(span.clone())),
        };
        let mut response = answer.await;
        trace_context::answered(&span, response.status());
        response.headers_mut().insert(RequestId::HEADER, id);
        Ok(response)
    }

    fn arrival<B>(&self, request: &Request<B>, peer: &Peer) -> Arrival {
        let headers = request.headers();
        let origin = Origin::of(peer.client, peer.secure, headers, &self.trusted);
        let given = origin.passage.trusted.then(|| RequestId::from_proxy(headers)).flatten();
        let id = given.unwrap_or_else(RequestId::new);
        Arrival { start: Instant::now(), origin, id, raw_path: request.uri().path().into() }
    }

    async fn answer<T, B>(&self, mut request: Request<B>, peer: Arc<Peer>, arrival: Arrival) -> Response
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        B: HttpBody<Data = Bytes, Error: Into<BodyError>> + Unpin + Send + 'static,
    {
        let guard = peer.activity.begin(request.version());
        let (method, version) = (request.method().clone(), request.version());
        let share = share(&peer, &arrival.origin);
        let checked = target::check(&mut request, self.env.limits.header_bytes)
            .and_then(|target| Ok((target, share?, self.scope(&request, &peer, &arrival)?)));
        let (mut response, hold) = match checked {
            Ok((_, share, scope)) if wants_websocket(&request) => {
                let hold = Hold { request: Some(guard), _share: share };
                // Boxed, or every request would have room for a handshake.
                return Box::pin(self.upgrade::<T, B>(&mut request, *scope, peer, hold)).await;
            }
            Ok((target, share, mut scope)) => {
                // In HTTP/2 a reset stream drops its request's work.
                scope.departure = (request.version() < Version::HTTP_2).then(|| peer.activity.departure());
                (self.ask(target, request, scope).await, Hold { request: Some(guard), _share: share })
            }
            Err(malformed) => (refused(malformed), Hold { request: Some(guard), _share: None }),
        };
        if version == Version::HTTP_10 && has_no_length(&response) {
            response = closing(response);
        }
        if !response.body().is_end_stream() {
            response.body_mut().keep(hold);
        }
        let (client, time) = (Client(arrival.origin.client), arrival.start.elapsed());
        self.env.metrics.count_request(response.status(), time);
        self.log.http(&method, &arrival.raw_path, response.status(), time, &client, &arrival.id);
        response
    }

    /// The application's answer.
    async fn ask<B>(&self, target: Target, request: Request<B>, scope: Box<Scope>) -> Response
    where
        B: HttpBody<Data = Bytes, Error: Into<BodyError>> + Unpin + Send + 'static,
    {
        let Target::Path { close } = target else { return Response::default() };
        let mut request = request.map(|body| bounded(body, &self.env.limits));
        request.extensions_mut().insert(scope);
        let upgrading = request.headers().contains_key(UPGRADE);
        let response = lawful(self.app.answer(request).await, upgrading);
        if close { closing(response) } else { response }
    }

    /// The request's scope.
    fn scope<B>(
        &self,
        request: &Request<B>,
        peer: &Peer,
        arrival: &Arrival,
    ) -> Result<Box<Scope>, Malformed> {
        let path = target::decode(&arrival.raw_path)?;
        let raw_path = Arc::clone(&arrival.raw_path);
        let mut scope = Box::new(Scope::within(Arc::clone(&self.env), Protocol::HTTP, raw_path, path));
        scope.method = request.method().clone();
        scope.scheme = Cow::Borrowed(if arrival.origin.secure { "https" } else { "http" });
        scope.query_string = request.uri().query().unwrap_or_default().to_owned();
        scope.client = arrival.origin.client;
        scope.server = peer.server;
        scope.request_id = arrival.id.clone();
        scope.passage = arrival.origin.passage.clone();
        trace_context::keep(&mut scope);
        Ok(scope)
    }
}

/// Behind a trusted proxy every request counts for its own client; others were counted when they connected.
fn share(peer: &Peer, origin: &Origin) -> Result<Option<Share>, Malformed> {
    let Some(client) = origin.client.filter(|_| origin.passage.trusted) else { return Ok(None) };
    peer.permit.share(client.ip()).map_err(|Full| Malformed {
        status: StatusCode::TOO_MANY_REQUESTS,
        text: "Too many connections from this address.",
    })
}

/// Whether a request asks for the WebSocket protocol: by an upgrade in HTTP/1.1 (HTTP/1.0 knows none), by an extended
/// CONNECT in HTTP/2 (RFC 8441).
fn wants_websocket<B>(request: &Request<B>) -> bool {
    if request.version() == Version::HTTP_11 {
        return handshake::wants_websocket(request.headers());
    }
    let protocol = request.extensions().get::<hyper::ext::Protocol>();
    request.method() == Method::CONNECT && protocol.is_some_and(|protocol| protocol.as_str() == "websocket")
}

/// HTTP/2 may split cookies; what comes behind knows HTTP/1.1's form (RFC 9113 section 8.2.3).
fn join_cookies<B>(request: &mut Request<B>) {
    if request.version() != Version::HTTP_2 {
        return;
    }
    let cookies: Vec<_> = request.headers().get_all(COOKIE).iter().map(HeaderValue::as_bytes).collect();
    if cookies.len() > 1
        && let Ok(joined) = HeaderValue::from_bytes(&cookies.join(&b"; "[..]))
    {
        request.headers_mut().insert(COOKIE, joined);
    }
}

/// What an application may answer by mistake and HTTP does not allow: content in a 205, a switch of protocols that
/// nobody asked for (RFC 9110 sections 15.3.6 and 15.2.2).
fn lawful(mut response: Response, upgrading: bool) -> Response {
    match response.status() {
        StatusCode::RESET_CONTENT => *response.body_mut() = Body::empty(),
        StatusCode::SWITCHING_PROTOCOLS if !upgrading => {
            tracing::error!("a view answered 101 to a request without Upgrade");
            response = Response::default();
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        }
        _ => {}
    }
    response
}

/// Whether only the connection's end could tell an HTTP/1.0 client where the body ends, whatever it wants kept alive.
fn has_no_length(response: &Response) -> bool {
    response.body().size_hint().exact().is_none() && !response.headers().contains_key(CONTENT_LENGTH)
}

/// The answer to what never reaches the application; the connection is closed behind it.
fn refused(malformed: Malformed) -> Response {
    let mut response = Response::new(Body::from(malformed.text));
    *response.status_mut() = malformed.status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    closing(response)
}

/// The same answer, as the last one of its connection.
fn closing(mut response: Response) -> Response {
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}
