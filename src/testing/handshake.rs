//! The handshake in process: a transport whose other end is the communicator.

use ::http::StatusCode;
use bytes::Bytes;
use tokio::io::{DuplexStream, duplex};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::Error;
use crate::routing::BoxedApplication;
use crate::websocket::{Acceptance, Accepted, Connection, Denial, Refusal, Socket, Transport};

/// A handshake that a consumer accepted.
pub(super) struct Opened {
    pub(super) acceptance: Acceptance,
    pub(super) stream: DuplexStream,
    /// Cancelled once the connection has ended and `disconnect` has run.
    pub(super) ended: CancellationToken,
}

/// Answers a handshake by handing the communicator its end of the socket.
pub(super) struct InProcess {
    buffer: usize,
    answer: oneshot::Sender<Opened>,
}

impl Transport for InProcess {
    fn accept(self: Box<Self>, acceptance: Acceptance) -> Result<Accepted, Error> {
        let (theirs, stream) = duplex(self.buffer);
        let ended = CancellationToken::new();
        let guard = ended.clone().drop_guard();
        let opened = Opened { acceptance, stream, ended };
        self.answer.send(opened).map_err(|_| Error::msg("the client left during the handshake"))?;
        let socket = Socket::Stream { stream: Box::pin(theirs), read_ahead: Bytes::new() };
        Ok(Accepted { guard: Some(Box::new(guard)), ..Accepted::new(socket) })
    }
}

impl InProcess {
    pub(super) fn new(buffer: usize) -> (Self, oneshot::Receiver<Opened>) {
        let (answer, opened) = oneshot::channel();
        (Self { buffer, answer }, opened)
    }
}

/// A running handshake. Dropping it is a client that leaves.
pub(super) struct Handshaking(Option<JoinHandle<Result<(), Refusal>>>);

impl Handshaking {
    pub(super) fn start(app: &BoxedApplication, connection: Connection) -> Self {
        Self(Some(tokio::spawn(app.call(connection))))
    }

    /// The outcome: what the server would answer.
    pub(super) async fn outcome(&mut self, mut opened: oneshot::Receiver<Opened>) -> Result<Opened, Denial> {
        let Some(task) = &mut self.0 else { return Err(undecided()) };
        let refused = tokio::select! {
            biased;
            Ok(opened) = &mut opened => return Ok(opened),
            ended = task => match ended {
                Ok(Ok(())) => None,
                Ok(Err(refusal)) => Some(denial(refusal)),
                Err(panic) => Some(
                    Denial::new(StatusCode::INTERNAL_SERVER_ERROR, "panic", "Internal server error.")
                        .with_detail(panic.to_string()),
                ),
            },
        };
        match (refused, opened.try_recv()) {
            (Some(denial), _) => Err(denial),
            // Accepted in the same instant in which the application ended.
            (None, Ok(opened)) => Ok(opened),
            (None, Err(_)) => Err(undecided()),
        }
    }

    /// Lets the application go on: the handshake is answered.
    pub(super) fn let_go(mut self) {
        self.0 = None;
    }
}

fn undecided() -> Denial {
    Denial::new(StatusCode::INTERNAL_SERVER_ERROR, "undecided", "Internal server error.")
        .with_detail("the application ended without accepting or refusing")
}

impl Drop for Handshaking {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}

/// What a refusal is answered with.
fn denial(refusal: Refusal) -> Denial {
    match refusal {
        Refusal::Denied(denial) => *denial,
        Refusal::NotFound(_) => Denial::new(StatusCode::NOT_FOUND, "no_route", "Not found."),
    }
}
