//! Good-bye: the close handshake with a bound, and `disconnect`, exactly once.

use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::task::{Poll, ready};

use tokio::time::{Instant, timeout, timeout_at};
use tracing::{debug, warn};

use super::decoder::Incoming;
use super::driver::{Driver, End, Line};
use super::handler::poll_caught;
use super::{CloseCode, CloseFrame, frame};
use crate::consumer::WebsocketConsumer;

impl<C, S> Driver<C, S>
where
    C: WebsocketConsumer<S>,
    S: Send + Sync + 'static,
{
    /// Ends the connection and calls `disconnect`.
    pub(super) async fn finish(&mut self, end: End) {
        if self.ctx.is_lent() {
            // The hard stop did not wait for a blocking handler; its thread calls `disconnect` when it is done.
            return;
        }
        // Groups are left first: nothing more may come for a socket that is closing.
        self.ctx.core_mut().channel.mailbox = None;
        let close = self.line.say_good_bye(end).await;
        self.line.outbox.shut();
        debug!(route = %self.ctx.url_route().pattern, %close, "websocket ended");
        self.disconnect(close).await;
    }

    async fn disconnect(&mut self, close: CloseFrame) {
        let Some(mut consumer) = self.consumer.take() else { return };
        let time = self.line.env.limits.disconnect_time;
        let route = self.ctx.url_route().pattern.clone();
        let handler = async {
            consumer.disconnect(&mut self.ctx, close).await;
            Ok(())
        };
        let mut handler = pin!(handler);
        match timeout(time, poll_fn(|cx| poll_caught(handler.as_mut(), cx))).await {
            Ok(super::handler::Outcome::Panicked(text)) => {
                tracing::error!(%route, panic = text, "disconnect panicked");
            }
            Ok(_) => {}
            Err(_) => warn!(%route, "disconnect took longer than disconnect_time and was dropped"),
        }
    }
}

impl Line {
    /// Closes the socket as far as the peer and the time allow. What `disconnect` is told.
    async fn say_good_bye(&mut self, end: End) -> CloseFrame {
        let deadline = Instant::now() + self.env.limits.close_time;
        match end {
            End::Peer(frame) => {
                // Section 5.5.1: the answer carries the code that was received.
                let code = frame.unwrap_or_else(|| CloseFrame::new(CloseCode::NO_STATUS, ""));
                self.outbox.push_last(frame::close(&CloseFrame::new(code.code, "")));
                self.end_stream(deadline).await;
                code
            }
            End::Close(frame) => {
                self.outbox.push_last(frame::close(&frame));
                if expects_answer(frame.code) {
                    let _ = timeout_at(deadline, self.await_close()).await;
                }
                self.end_stream(deadline).await;
                frame
            }
            End::Lost(error) => {
                debug!(%error, "websocket lost");
                CloseFrame::new(CloseCode::LOST, "")
            }
            End::Stop => CloseFrame::new(CloseCode::LOST, "stopped"),
        }
    }

    /// Writes what is queued and waits for the peer's close frame; its other messages are not heard any more.
    async fn await_close(&mut self) -> io::Result<()> {
        poll_fn(|cx| {
            if self.poll_stop(cx) {
                return Poll::Ready(Ok(()));
            }
            let written = self.wire.poll_write(cx, &self.outbox);
            if let Poll::Ready(Err(error)) = written {
                return Poll::Ready(Err(error));
            }
            if self.wire.is_opening() {
                return Poll::Pending;
            }
            loop {
                match ready!(self.wire.poll_incoming(cx)) {
                    Ok(Incoming::Close(_)) | Err(_) => return Poll::Ready(Ok(())),
                    Ok(_) => {}
                }
            }
        })
        .await
    }

    /// Writes the rest, ends our direction, and reads until the peer has ended its own: closing with bytes unread
    /// would reset the connection, and the peer could lose the close frame.
    async fn end_stream(&mut self, deadline: Instant) {
        let ending = async {
            poll_fn(|cx| {
                if self.poll_stop(cx) { Poll::Ready(Ok(())) } else { self.wire.poll_write(cx, &self.outbox) }
            })
            .await?;
            poll_fn(|cx| self.wire.poll_shutdown(cx)).await;
            poll_fn(|cx| if self.poll_stop(cx) { Poll::Ready(()) } else { self.wire.poll_discard(cx) }).await;
            io::Result::Ok(())
        };
        // Too slow or gone: the connection is dropped, which is what is left to do.
        let _ = timeout_at(deadline, ending).await;
    }

    /// Whether the drain's time is over.
    fn poll_stop(&mut self, cx: &mut std::task::Context<'_>) -> bool {
        matches!(self.outbox.poll_driver(cx), Some(super::outbox::Request::Stop))
    }
}

/// After a protocol error nothing that the peer sends can be trusted, so no answer is awaited.
fn expects_answer(code: CloseCode) -> bool {
    !matches!(code, CloseCode::PROTOCOL | CloseCode::INVALID_TEXT | CloseCode::TOO_BIG | CloseCode::NO_PONG)
}
