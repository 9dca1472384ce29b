//! The client's end of a WebSocket, over a stream whose handshake is done: how the proxy speaks with servers behind.

use std::future::poll_fn;
use std::io;
use std::task::{Poll, ready};

use bytes::{Buf, Bytes};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWriteExt, ReadBuf, ReadHalf, WriteHalf};
use tungstenite::protocol::frame::coding::{Control, Data, OpCode};

use super::decoder::{Decoder, Incoming};
use super::frame;
use super::wire::{Ended, with_scratch};
use super::{CloseFrame, Message};

type Io = TokioIo<Upgraded>;

/// The half that is read.
pub(crate) struct Receiver {
    stream: ReadHalf<Io>,
    decoder: Decoder,
    unread: Bytes,
}

/// The half that is written.
#[derive(Debug)]
pub(crate) struct Sender {
    stream: WriteHalf<Io>,
    closed: bool,
}

/// Both halves of an open WebSocket. `limit`: the largest message that is taken.
pub(crate) fn split(upgraded: Upgraded, limit: usize) -> (Sender, Receiver) {
    let (read, write) = tokio::io::split(TokioIo::new(upgraded));
    let decoder = Decoder::new(limit, limit, None).of_server();
    let receiver = Receiver { stream: read, decoder, unread: Bytes::new() };
    (Sender { stream: write, closed: false }, receiver)
}

impl Receiver {
    /// The next message or control frame. Cancel safe: what was read stays here.
    pub(crate) async fn next(&mut self) -> Result<Incoming, Ended> {
        loop {
            let mut rest = &self.unread[..];
            let decoded = self.decoder.decode(&mut rest).map_err(Ended::Broken)?;
            let taken = self.unread.len() - rest.len();
            self.unread.advance(taken);
            match decoded {
                Some(incoming) => return Ok(incoming),
                None => self.unread = self.read().await.map_err(Ended::Lost)?,
            }
        }
    }

    /// Reads into the thread's buffer, so that an idle connection owns none.
    async fn read(&mut self) -> io::Result<Bytes> {
        let read = poll_fn(|cx| {
            with_scratch(|buffer| {
                let mut buffer = ReadBuf::new(buffer);
                ready!(std::pin::Pin::new(&mut self.stream).poll_read(cx, &mut buffer))?;
                Poll::Ready(io::Result::Ok(Bytes::copy_from_slice(buffer.filled())))
            })
        });
        let read = read.await?;
        if read.is_empty() { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(read) }
    }
}

impl Sender {
    /// Writes a message.
    ///
    /// # Errors
    /// When the server is gone, or the socket is closed already.
    pub(crate) async fn message(&mut self, message: &Message) -> io::Result<()> {
        let kind = if message.is_text() { Data::Text } else { Data::Binary };
        self.write(frame::masked(OpCode::Data(kind), message.as_bytes())).await
    }

    /// Answers a ping.
    ///
    /// # Errors
    /// As [`message`](Self::message).
    pub(crate) async fn pong(&mut self, payload: &[u8]) -> io::Result<()> {
        self.write(frame::masked(OpCode::Control(Control::Pong), payload)).await
    }

    /// Says good-bye, once, and ends this direction.
    ///
    /// # Errors
    /// When the server is gone.
    pub(crate) async fn close(&mut self, close: &CloseFrame) -> io::Result<()> {
        if self.closed {
            return Ok(());
        }
        let written = self.write(frame::masked_close(close)).await;
        self.closed = true;
        written?;
        self.stream.shutdown().await
    }

    async fn write(&mut self, frame: Bytes) -> io::Result<()> {
        if self.closed {
            return Err(io::ErrorKind::NotConnected.into());
        }
        self.stream.write_all(&frame).await?;
        self.stream.flush().await
    }
}
