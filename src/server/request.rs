//! One request: its scope is made, it is handed to the application, and its line is logged.

use std::borrow::Cow;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use ::http::header::{COOKIE, HOST};
use ::http::uri::Authority;
use ::http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Version};
use http_body::Body as _;
use hyper::body::Incoming;
use percent_encoding::percent_decode_str;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;

use super::access_log::{AccessLog, Client};
use super::activity::Activity;
use super::body::bounded;
use super::drain::Phase;
use super::permits::Permit;
use crate::http::{Body, Response};
use crate::routing::ProtocolTypeRouter;
use crate::websocket::handshake;
use crate::{Environment, Protocol, Scope};

/// What answers requests: one per server, cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Handler {
    pub(super) app: ProtocolTypeRouter,
    pub(super) env: Arc<Environment>,
    pub(super) log: AccessLog,
    pub(super) phase: watch::Receiver<Phase>,
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

impl Handler {
    /// Answers one request. `T` is the stream under it, which an upgrade gets back.
    pub(super) async fn handle<T>(
        self,
        mut request: Request<Incoming>,
        peer: Arc<Peer>,
    ) -> Result<Response, Infallible>
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let start = Instant::now();
        unfold_http2(&mut request);
        let guard = peer.activity.begin();
        let method = request.method().clone();
        let raw_path = request.uri().path().to_owned();
        let mut response = match self.scope(&request, &peer) {
            Ok(scope) if wants_websocket(&request) => {
                return Ok(self.upgrade::<T>(&mut request, scope, peer).await);
            }
            Ok(scope) => {
                let mut request = request.map(|body| bounded(body, &self.env.limits));
                request.extensions_mut().insert(Box::new(scope));
                self.app.call_http(request).await
            }
            Err(text) => bad_request(text),
        };
        if !response.body().is_end_stream() {
            response.body_mut().keep(guard);
        }
        self.log.http(&method, &raw_path, response.status(), start.elapsed(), &Client(peer.client));
        Ok(response)
    }

    /// The request's scope.
    fn scope(&self, request: &Request<Incoming>, peer: &Peer) -> Result<Scope, &'static str> {
        check_host(request)?;
        let raw_path = request.uri().path();
        let path = decode(raw_path)?;
        let mut scope = Scope::new(Protocol::HTTP, path);
        scope.raw_path = raw_path.to_owned();
        scope.method = request.method().clone();
        scope.scheme = Cow::Borrowed(if peer.secure { "https" } else { "http" });
        scope.query_string = request.uri().query().unwrap_or_default().to_owned();
        scope.client = peer.client;
        scope.server = peer.server;
        scope.env = Arc::clone(&self.env);
        Ok(scope)
    }
}

/// Whether a request asks for the WebSocket protocol: by an upgrade in HTTP/1.1, by an extended CONNECT in HTTP/2
/// (RFC 8441).
fn wants_websocket<B>(request: &Request<B>) -> bool {
    if request.version() < Version::HTTP_2 {
        return handshake::wants_websocket(request.headers());
    }
    let protocol = request.extensions().get::<hyper::ext::Protocol>();
    request.method() == Method::CONNECT && protocol.is_some_and(|protocol| protocol.as_str() == "websocket")
}

/// HTTP/2 carries the host in a field of its own and may split cookies; what comes behind knows HTTP/1.1's form
/// (RFC 9113 sections 8.2.3 and 8.3.1).
fn unfold_http2<B>(request: &mut Request<B>) {
    if request.version() < Version::HTTP_2 {
        return;
    }
    let authority = request.uri().authority().and_then(|host| HeaderValue::try_from(host.as_str()).ok());
    if let Some(host) = authority {
        request.headers_mut().insert(HOST, host);
    }
    let cookies: Vec<_> = request.headers().get_all(COOKIE).iter().map(HeaderValue::as_bytes).collect();
    if cookies.len() > 1
        && let Ok(joined) = HeaderValue::from_bytes(&cookies.join(&b"; "[..]))
    {
        request.headers_mut().insert(COOKIE, joined);
    }
}

/// Decodes a path once, as a whole.
fn decode(raw_path: &str) -> Result<String, &'static str> {
    if !raw_path.contains('%') {
        return Ok(raw_path.to_owned());
    }
    let path = percent_decode_str(raw_path).decode_utf8().map_err(|_| "The path is not UTF-8.")?;
    if path.contains('\0') {
        return Err("The path contains NUL.");
    }
    Ok(path.into_owned())
}

/// Host must stand once in HTTP/1.1 and be well-formed wherever it stands (RFC 9112 section 3.2).
fn check_host<B>(request: &Request<B>) -> Result<(), &'static str> {
    let mut hosts = request.headers().get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (_, Some(_)) => Err("The Host field is repeated."),
        (None, None) if request.version() == Version::HTTP_11 => Err("The Host field is missing."),
        (None, None) => Ok(()),
        (Some(host), None) => check_authority(host),
    }
}

fn check_authority(host: &HeaderValue) -> Result<(), &'static str> {
    // A target without authority, such as a Unix socket's, has an empty Host.
    if host.is_empty() {
        return Ok(());
    }
    match Authority::try_from(host.as_bytes()) {
        Ok(authority) if !authority.as_str().contains('@') => Ok(()),
        _ => Err("The Host field is malformed."),
    }
}

/// A 400 for what never reaches the application; the connection is closed behind it.
fn bad_request(text: &'static str) -> Response {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = StatusCode::BAD_REQUEST;
    let headers: &mut HeaderMap = response.headers_mut();
    headers.insert(::http::header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(::http::header::CONNECTION, HeaderValue::from_static("close"));
    response
}
