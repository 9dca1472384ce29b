//! `WebsocketCommunicator`: a browser's side of a socket, in process.

use std::future::Future;
use std::panic::Location;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::handshake::{Handshaking, InProcess};
use super::line::Line;
use super::raw::RawClient;
use super::setup::{Setup, setup_methods};
use super::transcript::Transcript;
use crate::Protocol;
use crate::routing::{Application, BoxedApplication};
use crate::websocket::{Acceptance, CloseCode, CloseFrame, Connection, Denial, handshake};

/// How long an expectation may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// For how long nothing must come.
pub(super) const SILENCE: Duration = Duration::from_millis(100);

/// Bytes between the two ends, as a kernel's socket buffers would hold them.
const BUFFER: usize = 64 << 10;

/// A WebSocket client in process: it drives an application, from a whole
/// [`ProtocolTypeRouter`](crate::routing::ProtocolTypeRouter) down to a single consumer, without a socket.
///
/// Everything behind the handshake is what a server runs: frames, limits, keep-alive, the outbox, the close handshake.
/// Pings and close frames are answered as browsers answer them. All waiting is by tokio's clock, so under
/// `#[tokio::test(start_paused = true)]` a test takes no time, whatever it waits for.
///
/// An expectation that is not met panics with the conversation so far, errors of the application included.
///
/// Channels: `WebsocketCommunicator`. There a wrong expectation cancels the application; here it goes on.
///
/// # Examples
/// ```
/// use solent::Result;
/// use solent::consumer::{Context, WebsocketConsumer, consumer};
/// use solent::layers::Value;
/// use solent::testing::WebsocketCommunicator;
/// use solent::websocket::Message;
///
/// struct Echo;
///
/// impl WebsocketConsumer for Echo {
///     type Event = Value;
///
///     async fn connect(ctx: &mut Context) -> Result<Self> {
///         ctx.accept().await?;
///         Ok(Self)
///     }
///
///     async fn receive(&mut self, ctx: &mut Context, message: Message) -> Result<()> {
///         ctx.send(message).await
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// let mut client = WebsocketCommunicator::new(consumer::<Echo>(), "/ws/echo/");
/// client.connect().await?;
/// client.send_text("hello").await;
/// assert_eq!(client.receive_text().await, "hello");
/// client.disconnect().await;
/// # Ok(())
/// # }
/// ```
///
/// Clients that are slow, dead or not well-behaved:
///
/// ```
/// use std::time::Duration;
/// # use solent::Result;
/// # use solent::consumer::{Context, WebsocketConsumer, consumer};
/// # use solent::layers::Value;
/// use solent::testing::{Received, WebsocketCommunicator};
/// use solent::websocket::{CloseCode, Message};
/// #
/// # struct Echo;
/// #
/// # impl WebsocketConsumer for Echo {
/// #     type Event = Value;
/// #     async fn connect(ctx: &mut Context) -> Result<Self> {
/// #         ctx.accept().await?;
/// #         Ok(Self)
/// #     }
/// #     async fn receive(&mut self, ctx: &mut Context, message: Message) -> Result<()> {
/// #         ctx.send(message).await
/// #     }
/// # }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// # tokio::time::pause();
/// let open = || WebsocketCommunicator::new(consumer::<Echo>().subprotocols(["echo"]), "/");
/// let mut client = open().subprotocols(["echo", "other"]).buffer(1024).patience(Duration::from_secs(1));
/// assert_eq!(client.connect().await?.subprotocol.as_deref(), Some("echo"));
/// client.set_reading(false); // what is sent waits
/// client.send_binary([1, 2, 3]).await;
/// client.set_reading(true);
/// assert_eq!(client.receive_binary().await, [1, 2, 3]);
/// client.receive_nothing_for(Duration::from_secs(5)).await;
/// client.send_raw([0x81, 0x05, b'n', b'o', b'm', b'a', b's', b'k']).await; // a frame without its mask
/// assert_eq!(client.receive_close().await.code, CloseCode::PROTOCOL);
/// client.ended().await;
///
/// let mut dead = open().without_pongs();
/// dead.connect().await?;
/// let closed = dead.receive_within(Duration::from_secs(60)).await;
/// assert!(matches!(closed, Some(Received::Close(frame)) if frame.code == CloseCode::NO_PONG));
///
/// let mut polite = open();
/// polite.connect().await?;
/// polite.send(Message::text("bye")).await;
/// assert_eq!(polite.receive_message().await.as_text()?, "bye");
/// polite.disconnect_with(4000).await;
/// assert!(polite.transcript().lines().iter().any(|line| line.contains("4000")));
///
/// let mut laptop = open();
/// laptop.connect().await?;
/// laptop.vanish().await; // its consumer hears of 1006
/// # Ok(())
/// # }
/// ```
#[must_use]
pub struct WebsocketCommunicator {
    /// `None` for a socket of a live server, whose handshake is over.
    app: Option<BoxedApplication>,
    setup: Setup,
    pub(super) patience: Duration,
    buffer: usize,
    pongs: bool,
    pub(super) transcript: Transcript,
    pub(super) open: Option<Open>,
}

/// A socket that was accepted.
pub(super) struct Open {
    pub(super) line: Line,
    pub(super) ended: CancellationToken,
}

impl WebsocketCommunicator {
    /// A client for `app` at `path`, which may have a query and percent-encoded parts.
    pub fn new(app: impl Application, path: &str) -> Self {
        Self {
            setup: Setup::new(path, &app),
            app: Some(BoxedApplication::new(app)),
            patience: PATIENCE,
            buffer: BUFFER,
            pongs: true,
            transcript: Transcript::new(),
            open: None,
        }
    }

    /// A client of a live server, whose handshake is over.
    pub(super) fn over(client: RawClient, path: &str, at: &Location<'_>) -> Self {
        let transcript = Transcript::new();
        transcript.note(format!("<> handshake {path} over TCP at {at}"));
        let RawClient { stream, unread } = client;
        let (reader, writer) = stream.into_split();
        let stream = Box::pin(tokio::io::join(std::io::Cursor::new(unread).chain(reader), writer));
        let ended = CancellationToken::new();
        let guard = Some(ended.clone().drop_guard());
        let line = Line::open(stream, transcript.clone(), true, guard);
        Self {
            app: None,
            setup: Setup::empty(),
            patience: PATIENCE,
            buffer: BUFFER,
            pongs: true,
            transcript,
            open: Some(Open { line, ended }),
        }
    }

    setup_methods!();

    /// Offers subprotocols, in order of preference.
    #[track_caller]
    pub fn subprotocols<'a>(self, names: impl IntoIterator<Item = &'a str>) -> Self {
        let names: Vec<_> = names.into_iter().collect();
        self.header("sec-websocket-protocol", &names.join(", "))
    }

    /// How many bytes may be under way in each direction before the other end must read. Default: 64 KiB.
    pub fn buffer(mut self, bytes: usize) -> Self {
        self.buffer = bytes.max(1);
        self
    }

    /// Leaves pings unanswered, as a dead peer does.
    pub fn without_pongs(mut self) -> Self {
        self.pongs = false;
        self
    }

    /// Sends the handshake and waits for its answer.
    ///
    /// # Errors
    /// The [`Denial`] that a server would answer with: status, headers, text, and the rule that refused.
    ///
    /// # Panics
    /// When called a second time, or when no answer comes in time.
    #[track_caller]
    pub fn connect(&mut self) -> impl Future<Output = Result<Acceptance, Denial>> + Send + '_ {
        let at = Location::caller();
        let (transport, opened) = InProcess::new(self.buffer);
        let setup = std::mem::replace(&mut self.setup, Setup::empty());
        let app = self.app.take();
        let Some(app) = app else { self.transcript.fail(at, "connect was called a second time") };
        self.transcript.note(format!("-> handshake {}", setup.target));
        let (mut scope, headers) = setup.into_scope(Protocol::WEBSOCKET, &self.transcript);
        scope.subprotocols = handshake::subprotocols(&headers);
        scope.headers.extend(headers);
        let time = scope.env.limits.accept_time + self.patience;
        let connection = Connection::new(scope, transport);
        async move {
            let mut handshaking = Handshaking::start(&app, connection);
            let outcome = timeout(time, handshaking.outcome(opened)).await;
            match outcome {
                Ok(Ok(opened)) => {
                    self.transcript.note("<- accepted");
                    let stream = Box::pin(opened.stream);
                    let line = Line::open(stream, self.transcript.clone(), self.pongs, None);
                    self.open = Some(Open { line, ended: opened.ended });
                    // What the application does behind its accept is no longer the handshake's business.
                    handshaking.let_go();
                    Ok(opened.acceptance)
                }
                Ok(Err(denial)) => {
                    self.transcript.note(format!("<- denied: {denial}"));
                    Err(denial)
                }
                Err(_) => self.transcript.fail(at, format!("the handshake was not answered within {time:?}")),
            }
        }
    }

    /// Stops reading, or goes on: a client that is too slow for what it is sent.
    ///
    /// # Panics
    /// Before [`connect`](Self::connect).
    #[track_caller]
    pub fn set_reading(&mut self, reading: bool) {
        self.transcript.note(if reading { "-- reads again" } else { "-- stops reading" });
        self.open_at(Location::caller()).line.set_reading(reading);
    }

    /// Closes with code 1000 and waits until the consumer's `disconnect` has run.
    ///
    /// # Panics
    /// When it does not end in time.
    #[track_caller]
    pub fn disconnect(&mut self) -> impl Future<Output = ()> + Send + '_ {
        self.disconnect_with(CloseCode::NORMAL)
    }

    /// Closes with a code (1005: none) and waits until the consumer's `disconnect` has run. What the server sent before
    /// can still be received.
    ///
    /// # Panics
    /// When it does not end in time.
    #[track_caller]
    pub fn disconnect_with(&mut self, code: impl Into<CloseCode>) -> impl Future<Output = ()> + Send + '_ {
        let (at, code) = (Location::caller(), code.into());
        self.transcript.note(format!("-> close {code}"));
        async move {
            let open = self.open_at(at);
            // When the server has closed already there is nothing left to say.
            let _ = timeout(self.patience, open.line.close(&CloseFrame::new(code, ""))).await;
            open.line.set_reading(true);
            self.wait_ended(at).await;
        }
    }

    /// Leaves without a close frame, as a closed laptop does, and waits until the consumer's `disconnect` has run.
    ///
    /// # Panics
    /// When it does not end in time.
    #[track_caller]
    pub fn vanish(&mut self) -> impl Future<Output = ()> + Send + '_ {
        let at = Location::caller();
        self.transcript.note("-- vanishes");
        let ended = self.open_at(at).ended.clone();
        self.open = None;
        async move { self.await_end(at, ended).await }
    }

    /// Waits until the connection has ended and the consumer's `disconnect` has run.
    ///
    /// # Panics
    /// When it does not end in time.
    #[track_caller]
    pub fn ended(&mut self) -> impl Future<Output = ()> + Send + '_ {
        let at = Location::caller();
        async move { self.wait_ended(at).await }
    }

    async fn wait_ended(&self, at: &Location<'_>) {
        self.await_end(at, self.open_at(at).ended.clone()).await;
    }

    async fn await_end(&self, at: &Location<'_>, ended: CancellationToken) {
        if timeout(self.patience, ended.cancelled()).await.is_err() {
            self.transcript.fail(at, format!("the connection did not end within {:?}", self.patience));
        }
    }

    /// The conversation so far.
    pub fn transcript(&self) -> &Transcript {
        &self.transcript
    }

    pub(super) fn open_at(&self, at: &Location<'_>) -> &Open {
        match &self.open {
            Some(open) => open,
            None => self.transcript.fail(at, NOT_OPEN),
        }
    }
}

pub(super) const NOT_OPEN: &str =
    "the socket is not open: `connect` was not called, or the handshake was denied";

impl std::fmt::Debug for WebsocketCommunicator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WebsocketCommunicator").field("transcript", &self.transcript).finish_non_exhaustive()
    }
}
