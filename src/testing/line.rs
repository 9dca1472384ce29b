//! The client's end of an open socket: a task reads, answers pings and close frames as browsers do, and keeps what came.

use std::io;
use std::sync::Arc;

use tokio::io::{AsyncWriteExt, BufReader, ReadHalf, WriteHalf, split};
use tokio::sync::{Mutex, mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::DropGuard;

use super::frames::{self, Frame};
use super::transcript::{Transcript, shown};
use crate::websocket::{CloseFrame, Message, Stream};

/// What came from the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// A message.
    Message(Message),
    /// The server's close frame, or its answer to this client's.
    Close(CloseFrame),
    /// The end of the stream, without a close frame before it.
    Lost,
}

type Io = std::pin::Pin<Box<dyn Stream>>;

/// One open socket.
pub(super) struct Line {
    received: mpsc::UnboundedReceiver<Received>,
    writer: Arc<Mutex<Writer>>,
    reading: watch::Sender<bool>,
    reader: JoinHandle<()>,
}

struct Writer {
    half: WriteHalf<Io>,
    said_good_bye: bool,
}

impl Writer {
    async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.half.write_all(bytes).await?;
        self.half.flush().await
    }
}

impl Line {
    /// A line over a stream in the WebSocket protocol; `pongs` says whether pings are answered. `ended` is dropped when
    /// nothing more can come.
    pub(super) fn open(stream: Io, transcript: Transcript, pongs: bool, ended: Option<DropGuard>) -> Self {
        let (reader, half) = split(stream);
        let writer = Arc::new(Mutex::new(Writer { half, said_good_bye: false }));
        let (sender, received) = mpsc::unbounded_channel();
        let (reading, may_read) = watch::channel(true);
        let listening =
            Listening { reader: BufReader::new(reader), writer: Arc::clone(&writer), transcript, pongs };
        let reader = tokio::spawn(async move {
            listening.run(sender, may_read).await;
            drop(ended);
        });
        Self { received, writer, reading, reader }
    }

    pub(super) async fn send(&self, message: &Message) -> io::Result<()> {
        self.writer.lock().await.write(&frames::message(message)).await
    }

    pub(super) async fn send_raw(&self, bytes: &[u8]) -> io::Result<()> {
        self.writer.lock().await.write(bytes).await
    }

    pub(super) async fn close(&self, frame: &CloseFrame) -> io::Result<()> {
        let mut writer = self.writer.lock().await;
        writer.said_good_bye = true;
        writer.write(&frames::close(frame)).await
    }

    /// The next thing that came. Cancel safe.
    pub(super) async fn next(&mut self) -> Received {
        self.received.recv().await.unwrap_or(Received::Lost)
    }

    pub(super) fn set_reading(&self, reading: bool) {
        self.reading.send_replace(reading);
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

/// The task behind a line.
struct Listening {
    reader: BufReader<ReadHalf<Io>>,
    writer: Arc<Mutex<Writer>>,
    transcript: Transcript,
    pongs: bool,
}

impl Listening {
    async fn run(mut self, received: mpsc::UnboundedSender<Received>, mut may_read: watch::Receiver<bool>) {
        loop {
            if may_read.wait_for(|reading| *reading).await.is_err() {
                return;
            }
            let next = match frames::read(&mut self.reader).await {
                Ok(Frame::Message(message)) => {
                    self.transcript.note(format!("<- {}", shown(&message)));
                    Received::Message(message)
                }
                Ok(Frame::Ping(payload)) => {
                    self.ping(&payload).await;
                    continue;
                }
                Ok(Frame::Pong) => {
                    self.transcript.note("<- pong");
                    continue;
                }
                Ok(Frame::Close(frame)) => {
                    self.transcript.note(format!("<- close {frame}"));
                    let _ = received.send(Received::Close(frame.clone()));
                    self.good_bye(&frame).await;
                    return;
                }
                Err(error) => {
                    self.transcript.note(format!("<- the end of the stream: {error}"));
                    let _ = received.send(Received::Lost);
                    return;
                }
            };
            if received.send(next).is_err() {
                return;
            }
        }
    }

    /// Failures are the server's end, which the next read finds.
    async fn ping(&mut self, payload: &[u8]) {
        if !self.pongs {
            return self.transcript.note("<- ping, left unanswered");
        }
        self.transcript.note("<- ping, answered");
        let _ = self.writer.lock().await.write(&frames::encode(frames::PONG, payload)).await;
    }

    /// Answers a close frame, unless it is an answer itself, and ends this direction.
    async fn good_bye(&mut self, frame: &CloseFrame) {
        let mut writer = self.writer.lock().await;
        if !writer.said_good_bye {
            self.transcript.note(format!("-> close {}", frame.code));
            let _ = writer.write(&frames::close(&CloseFrame::new(frame.code, ""))).await;
        }
        let _ = writer.half.shutdown().await;
    }
}
