//! An accepted connection's bytes: reading into the decoder, writing from the outbox.

use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use futures_util::future::BoxFuture;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::net::tcp::OwnedReadHalf;

use super::CloseFrame;
use super::connection::{Socket, Stream};
use super::decoder::{Decoder, Incoming};
use super::outbox::Outbox;
use crate::Error;

/// Bytes of one read. The buffer belongs to the thread, not to the connection: an idle socket owns none.
const SCRATCH: usize = 32 << 10;

thread_local! {
    static BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; SCRATCH].into());
}

/// Lends the thread's buffer. What is read into it must leave it before the next read.
pub(super) fn with_scratch<T>(read: impl FnOnce(&mut [u8]) -> T) -> T {
    BUFFER.with_borrow_mut(|buffer| read(buffer))
}

/// The bytes of one connection.
pub(super) struct Wire {
    io: Io,
    decoder: Decoder,
    // What one read brought beyond the message that is being handled.
    unread: Bytes,
}

enum Io {
    Opening(BoxFuture<'static, Result<Socket, Error>>),
    Tcp(OwnedReadHalf),
    Stream(Pin<Box<dyn Stream>>),
    Gone,
}

/// Why nothing more comes.
#[derive(Debug)]
pub(crate) enum Ended {
    /// The peer left without a close frame.
    Lost(io::Error),
    /// The peer broke the protocol or a limit: what to close with.
    Broken(CloseFrame),
}

impl Wire {
    pub(super) fn new(socket: Socket, decoder: Decoder, outbox: &Outbox) -> Self {
        let mut wire = Self { io: Io::Gone, decoder, unread: Bytes::new() };
        wire.open(socket, outbox);
        wire
    }

    fn open(&mut self, socket: Socket, outbox: &Outbox) {
        self.io = match socket {
            Socket::Opening(opening) => Io::Opening(opening),
            Socket::Tcp { stream, read_ahead } => {
                self.unread = read_ahead;
                let (reading, writing) = stream.into_split();
                outbox.open_tcp(writing);
                Io::Tcp(reading)
            }
            Socket::Stream { stream, read_ahead } => {
                self.unread = read_ahead;
                outbox.open_driver();
                Io::Stream(stream)
            }
        };
    }

    /// Drives a socket that is still on its way. Ready at once when it is open.
    pub(super) fn poll_open(&mut self, cx: &mut Context<'_>, outbox: &Outbox) -> Poll<io::Result<()>> {
        while let Io::Opening(opening) = &mut self.io {
            match ready!(opening.as_mut().poll(cx)) {
                Ok(socket) => self.open(socket, outbox),
                Err(error) => {
                    self.io = Io::Gone;
                    return Poll::Ready(Err(io::Error::other(error.chain())));
                }
            }
        }
        Poll::Ready(Ok(()))
    }

    /// The next message or control frame. Cancel safe: what was read stays here.
    pub(super) fn poll_incoming(&mut self, cx: &mut Context<'_>) -> Poll<Result<Incoming, Ended>> {
        loop {
            if !self.unread.is_empty() {
                let mut rest = &self.unread[..];
                let decoded = self.decoder.decode(&mut rest);
                let taken = self.unread.len() - rest.len();
                self.unread.advance(taken);
                if self.unread.is_empty() {
                    self.unread = Bytes::new();
                }
                if let Some(incoming) = decoded.map_err(Ended::Broken)? {
                    return Poll::Ready(Ok(incoming));
                }
            }
            if let Some(incoming) = ready!(self.poll_scratch(cx))? {
                return Poll::Ready(Ok(incoming));
            }
        }
    }

    /// Reads once into the thread's buffer and decodes from there; only what is left over is kept.
    fn poll_scratch(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Incoming>, Ended>> {
        BUFFER.with_borrow_mut(|buffer| {
            let read = ready!(self.io.poll_read(cx, buffer)).map_err(Ended::Lost)?;
            if read == 0 {
                return Poll::Ready(Err(Ended::Lost(io::ErrorKind::UnexpectedEof.into())));
            }
            let mut rest = &buffer[..read];
            let decoded = self.decoder.decode(&mut rest).map_err(Ended::Broken)?;
            if !rest.is_empty() {
                self.unread = Bytes::copy_from_slice(rest);
            }
            Poll::Ready(Ok(decoded))
        })
    }

    /// Reads and forgets, until the peer has closed its side.
    pub(super) fn poll_discard(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.unread = Bytes::new();
        BUFFER.with_borrow_mut(|buffer| {
            loop {
                match ready!(self.io.poll_read(cx, buffer)) {
                    Ok(0) | Err(_) => return Poll::Ready(()),
                    Ok(_) => {}
                }
            }
        })
    }

    /// Opens the socket if need be and writes what is queued. Ready when nothing is left to write.
    pub(super) fn poll_write(&mut self, cx: &mut Context<'_>, outbox: &Outbox) -> Poll<io::Result<()>> {
        ready!(self.poll_open(cx, outbox))?;
        match &mut self.io {
            Io::Tcp(_) => outbox.poll_tcp(cx),
            Io::Stream(stream) => {
                let written = outbox.poll_with(|slices| match slices {
                    [one] => stream.as_mut().poll_write(cx, one),
                    many => stream.as_mut().poll_write_vectored(cx, many),
                });
                ready!(written)?;
                stream.as_mut().poll_flush(cx)
            }
            Io::Opening(_) | Io::Gone => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }

    /// Ends our direction.
    pub(super) fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match &mut self.io {
            Io::Tcp(stream) => {
                // A failure means that the peer has reset the connection: nothing is left to end.
                let _ = socket2::SockRef::from(stream.as_ref()).shutdown(std::net::Shutdown::Write);
                Poll::Ready(())
            }
            Io::Stream(stream) => stream.as_mut().poll_shutdown(cx).map(drop),
            Io::Opening(_) | Io::Gone => Poll::Ready(()),
        }
    }

    /// Whether the socket is still on its way.
    pub(super) fn is_opening(&self) -> bool {
        matches!(self.io, Io::Opening(_))
    }
}

impl Io {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        match self {
            Self::Tcp(stream) => poll_read(Pin::new(stream), cx, buffer),
            Self::Stream(stream) => poll_read(stream.as_mut(), cx, buffer),
            Self::Opening(_) => Poll::Pending,
            Self::Gone => Poll::Ready(Ok(0)),
        }
    }
}

/// Reads what there is. A read that does not fill the buffer tells a TCP stream that nothing more has come, which saves
/// the call that would find out.
fn poll_read(
    stream: Pin<&mut (impl AsyncRead + ?Sized)>,
    cx: &mut Context<'_>,
    buffer: &mut [u8],
) -> Poll<io::Result<usize>> {
    let mut buffer = ReadBuf::new(buffer);
    ready!(stream.poll_read(cx, &mut buffer))?;
    Poll::Ready(Ok(buffer.filled().len()))
}
