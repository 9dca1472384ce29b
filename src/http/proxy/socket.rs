//! The proxy for WebSockets: messages pass between a client and the server behind.

use std::sync::Arc;

use tokio::sync::Mutex;
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;
use tracing::{Instrument, debug};

use super::{Proxy, handshake};
use crate::Result;
use crate::consumer::{Context, WebsocketConsumer};
use crate::layers::Value;
use crate::websocket::client::{self, Receiver, Sender};
use crate::websocket::{CloseCode, CloseFrame, Ended, Incoming, Message, SocketHandle};

/// A consumer whose server stands behind this one. Made by [`Proxy::websocket`]; mounted with
/// [`consumer_with_state`](crate::consumer::consumer_with_state), its state is the [`Proxy`].
///
/// The handshake is the server's to answer: its subprotocol, its cookies, its refusal with status and text. Then
/// whole messages pass in both directions, with back-pressure: a client that does not read makes the server wait, and
/// the other way around. Close codes are passed on; when the server ends without one, or breaks the protocol, the
/// client gets 1014. Sizes, compression, keep-alive and drain are those of any other socket, and each side answers its
/// own pings.
#[derive(Debug)]
pub struct ProxyConsumer {
    sender: Arc<Mutex<Sender>>,
    receiving: AbortOnDropHandle<()>,
}

impl WebsocketConsumer<Proxy> for ProxyConsumer {
    type Event = Value;

    async fn connect(ctx: &mut Context<Proxy>) -> Result<Self> {
        let backends = Arc::clone(&ctx.state().backends);
        let opened = handshake::open(&backends, ctx.scope()).await?;
        ctx.accept_with(opened.acceptance).await?;
        let (sender, receiver) = client::split(opened.stream, ctx.max_message_size());
        let sender = Arc::new(Mutex::new(sender));
        let receiving = receive(receiver, Arc::clone(&sender), ctx.handle()).in_current_span();
        Ok(Self { sender, receiving: AbortOnDropHandle::new(tokio::spawn(receiving)) })
    }

    async fn receive(&mut self, ctx: &mut Context<Proxy>, message: Message) -> Result<()> {
        let sending = async { self.sender.lock().await.message(&message).await };
        let reason = match timeout(ctx.env().limits.outbox_stall, sending).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "it takes no more messages".to_owned(),
        };
        debug!(upstream = %ctx.state().upstream(), reason, "a server behind has ended a socket");
        ctx.close(gone());
        Ok(())
    }

    async fn disconnect(&mut self, ctx: &mut Context<Proxy>, close: CloseFrame) {
        let ending = async {
            // A server that is gone needs no good-bye.
            let _ = self.sender.lock().await.close(&close).await;
            let _ = (&mut self.receiving).await;
        };
        let _ = timeout(ctx.env().limits.close_time, ending).await;
    }
}

/// Passes the server's messages on, up to its end.
async fn receive(mut receiver: Receiver, sender: Arc<Mutex<Sender>>, client: SocketHandle) {
    let end = loop {
        match receiver.next().await {
            Ok(Incoming::Message(message)) => {
                if client.send_when_room(&message).await.is_err() {
                    // The client is gone or going: what the server still says is read, up to its close.
                    continue;
                }
            }
            Ok(Incoming::Ping(payload)) => {
                let _ = sender.lock().await.pong(&payload).await;
            }
            Ok(Incoming::Pong) => {}
            Ok(Incoming::Close(frame)) => {
                break frame.unwrap_or_else(|| CloseFrame::new(CloseCode::NO_STATUS, ""));
            }
            Err(Ended::Broken(frame)) => {
                let _ = sender.lock().await.close(&frame).await;
                break gone();
            }
            Err(Ended::Lost(error)) => {
                debug!(%error, "a server behind was lost");
                break gone();
            }
        }
    };
    let _ = sender.lock().await.close(&end).await;
    client.close(end);
}

fn gone() -> CloseFrame {
    CloseFrame::new(CloseCode::BAD_GATEWAY, "the server behind this one has ended the connection")
}
