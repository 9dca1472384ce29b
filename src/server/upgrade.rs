//! The upgrade: a request becomes a connection, and the outcome of its handshake the answer.

use std::any::Any;
use std::borrow::Cow;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use ::http::header::{CONNECTION, RETRY_AFTER, UPGRADE};
use ::http::{HeaderValue, Method, Request, StatusCode, Version};
use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto::upgrade::downcast;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tracing::{Instrument, error, info};

use super::access_log::{AccessLog, Client, Turn};
use super::activity::Watched;
use super::drain::Phase;
use super::permits::Permit;
use super::request::{Handler, Hold, Peer};
use crate::blocking::panic_text;
use crate::http::Response;
use crate::websocket::handshake::{self, Handshake};
use crate::websocket::{Acceptance, Accepted, Connection, Denial, Refusal, Socket, Transport};
use crate::{Error, Protocol, RequestId, Scope};

/// How an HTTP/1.1 handshake is answered: the response goes to the request's task, the stream comes from hyper.
struct Upgrade<T> {
    handshake: Handshake,
    on_upgrade: OnUpgrade,
    response: oneshot::Sender<Response>,
    open: Option<OpenSocket>,
    stream: std::marker::PhantomData<fn() -> T>,
}

/// What an open socket keeps: the line that tells its end, its place, and its share in the connection's activity,
/// which HTTP/2 goes on having.
struct OpenSocket {
    visit: Arc<Visit>,
    _permit: Arc<Permit>,
    hold: Hold,
}

/// One client's visit to a socket, as the log tells it. Its end is told when the last of those who hold it is gone:
/// the handshake and, once accepted, the socket.
struct Visit {
    log: AccessLog,
    path: Arc<str>,
    client: Client,
    id: RequestId,
}

impl Visit {
    fn turn(&self, turn: Turn) {
        self.log.websocket(turn, &self.path, &self.client, &self.id);
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        self.turn(Turn::Disconnect);
    }
}

impl Handler {
    /// Runs a handshake. The answer is 101, or what the refusal says.
    pub(super) async fn upgrade<T, B>(
        &self,
        request: &mut Request<B>,
        scope: Scope,
        peer: Arc<Peer>,
        hold: Hold,
    ) -> Response
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let start = Instant::now();
        let visit = Arc::new(Visit {
            log: self.log.clone(),
            path: Arc::clone(&scope.raw_path),
            client: Client(scope.client),
            id: scope.request_id.clone(),
        });
        visit.turn(Turn::Handshaking);
        let open = OpenSocket { visit: Arc::clone(&visit), _permit: Arc::clone(&peer.permit), hold };
        match self.try_upgrade::<T, B>(request, scope, open).await {
            Ok(response) => {
                self.env.metrics.count_accepted(start.elapsed());
                response
            }
            Err(denial) => {
                self.env.metrics.count_refused(&denial.rule.0, start.elapsed());
                visit.turn(Turn::Reject);
                info!(path = %visit.path, status = denial.status.as_u16(), rule = %denial.rule, detail = denial.detail, "handshake refused");
                let mut response = handshake::refused(&denial);
                if request.version() == Version::HTTP_2 {
                    // The fields have no place in HTTP/2, where one refused stream ends nothing else.
                    response.headers_mut().remove(CONNECTION);
                    response.headers_mut().remove(UPGRADE);
                }
                response
            }
        }
    }

    async fn try_upgrade<T, B>(
        &self,
        request: &mut Request<B>,
        scope: Scope,
        open: OpenSocket,
    ) -> Result<Response, Denial>
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let compression = &self.env.limits.compression;
        let handshake = match request.version() {
            Version::HTTP_2 => handshake::check_http2(request.headers(), compression)?,
            _ => handshake::check(request.method(), request.headers(), compression)?,
        };
        if *self.phase.borrow() != Phase::Serving {
            return Err(draining());
        }
        if request.extensions().get::<OnUpgrade>().is_none() {
            return Err(no_upgrades());
        }
        let scope = websocket_scope(scope, request, &handshake);
        let (response, answered) = oneshot::channel();
        let on_upgrade = hyper::upgrade::on(request);
        let transport = Upgrade::<T> {
            handshake,
            on_upgrade,
            response,
            open: Some(open),
            stream: std::marker::PhantomData,
        };
        let connection = Connection::new(scope, transport);
        decide(self.app.call(connection), answered).await
    }
}

/// Waits until the application has accepted or refused. A client that leaves before ends the application; what it
/// does after it has accepted goes on without the request.
async fn decide(
    application: BoxFuture<'static, Result<(), Refusal>>,
    mut answered: oneshot::Receiver<Response>,
) -> Result<Response, Denial> {
    let mut application = AssertUnwindSafe(application).catch_unwind();
    tokio::select! {
        biased;
        outcome = &mut application => match answered.try_recv() {
            // An answer that is on its way stands, whatever came after it.
            Ok(response) => Ok(response),
            Err(_) => Err(unaccepted(outcome)),
        },
        Ok(response) = &mut answered => {
            tokio::spawn(application.in_current_span());
            Ok(response)
        }
    }
}

/// The answer for an application that has ended and not accepted.
fn unaccepted(outcome: Result<Result<(), Refusal>, Box<dyn Any + Send>>) -> Denial {
    match outcome {
        Ok(Ok(())) => undecided(),
        Ok(Err(Refusal::Denied(denial))) => *denial,
        Ok(Err(Refusal::NotFound(_))) => Denial::new(StatusCode::NOT_FOUND, "no_route", "Not found."),
        Err(panic) => {
            error!(error = panic_text(&*panic), "a websocket application panicked");
            Denial::new(StatusCode::INTERNAL_SERVER_ERROR, "panic", "Internal server error.")
        }
    }
}

impl<T> Transport for Upgrade<T>
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    fn accept(mut self: Box<Self>, acceptance: Acceptance) -> Result<Accepted, Error> {
        let response = handshake::accepted(&self.handshake, acceptance)?;
        let Some(mut open) = self.open.take() else { return Err(Error::msg("accepted twice")) };
        open.visit.turn(Turn::Connect);
        if self.handshake.accept.is_some() {
            open.hold.end_request();
        }
        let guard: Box<dyn Any + Send> = Box::new(open);
        self.response.send(response).map_err(|_| Error::msg("the client left during the handshake"))?;
        let socket = Socket::Opening(Box::pin(opened::<T>(self.on_upgrade)));
        Ok(Accepted { guard: Some(guard), agreed: self.handshake.agreed, ..Accepted::new(socket) })
    }
}

/// The stream behind the 101. TCP comes back as what it is, so that frames can be written from any thread.
async fn opened<T>(on_upgrade: OnUpgrade) -> Result<Socket, Error>
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let upgraded = on_upgrade.await?;
    let parts = match downcast::<Watched<TokioIo<T>>>(upgraded) {
        Ok(parts) => parts,
        Err(upgraded) => return Ok(foreign(upgraded)),
    };
    let stream = parts.io.into_inner().into_inner();
    let mut stream = Some(stream);
    let any: &mut dyn Any = &mut stream;
    if let Some(tcp) = any.downcast_mut::<Option<TcpStream>>().and_then(Option::take) {
        return Ok(Socket::Tcp { stream: tcp, read_ahead: apart(&parts.read_buf) });
    }
    match stream {
        Some(stream) => Ok(Socket::Stream { stream: Box::pin(stream), read_ahead: apart(&parts.read_buf) }),
        None => Err(Error::msg("the upgraded stream is gone")),
    }
}

/// What somebody else's server has upgraded, or a stream of an HTTP/2 connection.
fn foreign(upgraded: Upgraded) -> Socket {
    match downcast::<TokioIo<TcpStream>>(upgraded) {
        Ok(parts) => Socket::Tcp { stream: parts.io.into_inner(), read_ahead: apart(&parts.read_buf) },
        Err(upgraded) => {
            Socket::Stream { stream: Box::pin(TokioIo::new(upgraded)), read_ahead: Bytes::new() }
        }
    }
}

/// What was read behind the handshake, mostly nothing, without the buffer that hyper read it into: a slice of it,
/// even an empty one, would keep its 16 KiB for as long as the socket is open.
fn apart(read_ahead: &[u8]) -> Bytes {
    Bytes::copy_from_slice(read_ahead)
}

fn websocket_scope<B>(mut scope: Scope, request: &mut Request<B>, handshake: &Handshake) -> Scope {
    scope.protocol = Protocol::WEBSOCKET;
    // An extended CONNECT stands for HTTP/1.1's GET.
    scope.method = Method::GET;
    scope.scheme = Cow::Borrowed(if scope.is_secure() { "wss" } else { "ws" });
    scope.headers = std::mem::take(request.headers_mut());
    scope.subprotocols.clone_from(&handshake.subprotocols);
    scope
}

fn draining() -> Denial {
    let mut denial = Denial::new(StatusCode::SERVICE_UNAVAILABLE, "draining", "The server is restarting.");
    denial.headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
    denial
}

fn no_upgrades() -> Denial {
    error!("the server that hosts this application can't upgrade connections");
    Denial::new(StatusCode::INTERNAL_SERVER_ERROR, "host", "Internal server error.")
}

fn undecided() -> Denial {
    error!("a websocket application ended without accepting or refusing");
    Denial::new(StatusCode::INTERNAL_SERVER_ERROR, "undecided", "Internal server error.")
}
