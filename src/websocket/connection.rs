//! A connection that asks for a handshake: a scope plus a transport.

use std::any::Any;
use std::fmt;
use std::pin::Pin;

use ::http::HeaderMap;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::deflate::Agreed;
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

impl crate::scope::sealed::Sealed for Connection {}

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
///
/// A handshake that is refused or answered with more than a subprotocol, and a socket that its consumer closes:
///
/// ```
/// use solent::Result;
/// use solent::consumer::{Context, WebsocketConsumer, consumer};
/// use solent::layers::Value;
/// use solent::testing::WebsocketCommunicator;
/// use solent::websocket::{Acceptance, CloseCode, CloseFrame, Denial, Message};
///
/// struct Support;
///
/// impl WebsocketConsumer for Support {
///     type Event = Value;
///
///     async fn connect(ctx: &mut Context) -> Result<Self> {
///         if !ctx.user().is_authenticated() {
///             return ctx.deny(Denial::forbidden("login"));
///         }
///         let mut answer = Acceptance::default();
///         answer.headers.insert("x-desk", "7".parse()?);
///         ctx.accept_with(answer).await?;
///         let own = ctx.channel_name().await?; // what others `send_to` reaches `event`
///         ctx.send(format!("you are {own}")).await?;
///         Ok(Self)
///     }
///
///     async fn receive(&mut self, ctx: &mut Context, _: Message) -> Result<()> {
///         ctx.close(CloseFrame::new(CloseCode::NORMAL, "the desk is closed"));
///         Ok(())
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// # use solent::auth::{Account, User};
/// # use solent::layers::MemoryChannelLayer;
/// let mut stranger = WebsocketCommunicator::new(consumer::<Support>(), "/");
/// assert_eq!(stranger.connect().await.unwrap_err().status.as_u16(), 403);
///
/// let ada = User::new(Account::new("1", "ada"));
/// let mut client = WebsocketCommunicator::new(consumer::<Support>(), "/").user(ada);
/// # client = client.channel_layer(MemoryChannelLayer::new());
/// assert_eq!(client.connect().await?.headers["x-desk"], "7");
/// assert!(client.receive_text().await.starts_with("you are "));
/// client.send_text("hello?").await;
/// assert_eq!(client.receive_close().await.reason, "the desk is closed");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Acceptance {
    /// The chosen subprotocol; one of those offered.
    pub subprotocol: Option<String>,
    /// Further headers of the answer, such as a session's `Set-Cookie`.
    pub headers: HeaderMap,
}

/// How a handshake is answered. HTTP/1.1 upgrades, HTTP/2 extended CONNECT and test communicators implement it.
pub trait Transport: Send + 'static {
    /// Answers the handshake with success and gives the socket, which may still be on its way.
    ///
    /// # Errors
    /// When the client is gone already.
    fn accept(self: Box<Self>, acceptance: Acceptance) -> Result<Accepted, Error>;
}

/// An accepted connection.
pub struct Accepted {
    /// Its bytes.
    pub socket: Socket,
    /// Dropped when the connection has ended and `disconnect` has run; an access log hangs on it.
    pub guard: Option<Box<dyn Any + Send>>,
    /// What was agreed on compression.
    pub(crate) agreed: Option<Agreed>,
}

impl Accepted {
    /// An accepted connection without extensions.
    pub fn new(socket: Socket) -> Self {
        Self { socket, guard: None, agreed: None }
    }
}

impl fmt::Debug for Accepted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accepted").field("socket", &self.socket).finish_non_exhaustive()
    }
}

/// The bytes of an accepted connection, in the WebSocket protocol.
pub enum Socket {
    /// TCP: frames may be written from any thread.
    Tcp {
        /// The stream.
        stream: TcpStream,
        /// What was read behind the handshake.
        read_ahead: Bytes,
    },
    /// Anything else (TLS, HTTP/2, Unix sockets, a host program's transport): only the driver writes.
    Stream {
        /// The stream.
        stream: Pin<Box<dyn Stream>>,
        /// What was read behind the handshake.
        read_ahead: Bytes,
    },
    /// Bytes that flow once the handshake's answer is written.
    Opening(BoxFuture<'static, Result<Self, Error>>),
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp { .. } => "Tcp",
            Self::Stream { .. } => "Stream",
            Self::Opening(_) => "Opening",
        })
    }
}

/// A stream of bytes in both directions.
pub trait Stream: AsyncRead + AsyncWrite + Send {}

impl<T: AsyncRead + AsyncWrite + Send> Stream for T {}
