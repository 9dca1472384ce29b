//! A connection that asks for a handshake: a scope plus a transport.

use std::fmt;
use std::pin::Pin;

use ::http::HeaderMap;
use futures_util::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::{CloseFrame, Message};
use crate::{Error, Scope, Scoped};

/// A connection before its handshake is answered: what flows through WebSocket middleware and routers.
///
/// A service that takes it either answers it (a consumer) or refuses it with a
/// [`Refusal`](super::Refusal). The service's future ends with the handshake's outcome: `Ok(())` means that the
/// connection was accepted and lives on in a task of its own, so that no middleware's state is kept per open
/// socket. What must live as long as the socket (a permit, a guard) goes into the scope's extensions.
pub struct Connection {
    scope: Box<Scope>,
    transport: Box<dyn Transport>,
}

impl Connection {
    /// A connection with `scope`, answered over `transport`.
    pub fn new(scope: Scope, transport: impl Transport) -> Self {
        Self { scope: Box::new(scope), transport: Box::new(transport) }
    }

    /// The scope and the transport, for who answers the handshake.
    pub fn into_parts(self) -> (Box<Scope>, Box<dyn Transport>) {
        (self.scope, self.transport)
    }
}

impl Scoped for Connection {
    fn scope(&self) -> &Scope {
        &self.scope
    }

    fn scope_mut(&mut self) -> &mut Scope {
        &mut self.scope
    }

    fn headers(&self) -> &HeaderMap {
        &self.scope.headers
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("path", &self.scope.path).finish_non_exhaustive()
    }
}

/// What an accepted handshake answers with.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Acceptance {
    /// The chosen subprotocol; one of those offered.
    pub subprotocol: Option<String>,
    /// Further headers of the answer, such as a session's `Set-Cookie`.
    pub headers: HeaderMap,
}

/// How a handshake is answered. HTTP/1.1 upgrades, HTTP/2 extended CONNECT, event streams, long polling and test
/// communicators implement it.
pub trait Transport: Send + 'static {
    /// Answers the handshake with success and gives the socket, which may still be on its way.
    ///
    /// # Errors
    /// When the client is gone already.
    fn accept(self: Box<Self>, acceptance: Acceptance) -> Result<Socket, Error>;

    /// Resolves when the client has gone before the handshake was answered. Cancel safe.
    fn gone(&mut self) -> BoxFuture<'_, ()>;
}

/// An accepted connection's two directions.
pub enum Socket {
    /// Bytes of the WebSocket protocol over TCP: frames may be written from any thread.
    Tcp {
        /// The stream.
        stream: TcpStream,
        /// What was read behind the handshake.
        read_ahead: bytes::Bytes,
    },
    /// Bytes of the WebSocket protocol over anything else (TLS, HTTP/2, Unix sockets, a host program's transport).
    Stream {
        /// The stream.
        stream: Pin<Box<dyn Stream>>,
        /// What was read behind the handshake.
        read_ahead: bytes::Bytes,
    },
    /// Whole messages, without WebSocket framing.
    Messages(Box<dyn MessageStream>),
    /// A socket that opens once the handshake's answer is written.
    Opening(BoxFuture<'static, Result<Self, Error>>),
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp { .. } => "Tcp",
            Self::Stream { .. } => "Stream",
            Self::Messages(_) => "Messages",
            Self::Opening(_) => "Opening",
        })
    }
}

/// A stream of bytes in both directions.
pub trait Stream: AsyncRead + AsyncWrite + Send {}

impl<T: AsyncRead + AsyncWrite + Send> Stream for T {}

/// A transport of whole messages: event streams, long polling, test communicators.
pub trait MessageStream: Send {
    /// The next message from the client, or why there is none. Cancel safe.
    fn receive(&mut self) -> BoxFuture<'_, Result<Message, CloseFrame>>;
    /// Sends one message; waits when the client is slow. Cancel safe: a cancelled send has sent nothing.
    fn send(&mut self, message: Message) -> BoxFuture<'_, Result<(), Error>>;
    /// Tells the client that the conversation is over.
    fn close(&mut self, frame: CloseFrame) -> BoxFuture<'_, ()>;
}
