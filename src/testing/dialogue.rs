//! What a `WebsocketCommunicator` sends, and what it expects to come.

use std::future::Future;
use std::io;
use std::panic::Location;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::line::Received;
use super::transcript::shown;
use super::websocket::{NOT_OPEN, SILENCE, WebsocketCommunicator};
use crate::websocket::{CloseFrame, Message};

impl WebsocketCommunicator {
    /// Sends a message.
    ///
    /// # Panics
    /// Before [`connect`](Self::connect), or when the server has closed or reads nothing.
    #[track_caller]
    pub fn send(&mut self, message: impl Into<Message>) -> impl Future<Output = ()> + Send + '_ {
        let (at, message) = (Location::caller(), message.into());
        self.transcript.note(format!("-> {}", shown(&message)));
        async move {
            let sent = timeout(self.patience, self.open_at(at).line.send(&message)).await;
            self.check_sent(at, sent.ok());
        }
    }

    /// Sends a text message. Channels: `send_to`.
    ///
    /// # Panics
    /// As [`send`](Self::send).
    #[track_caller]
    pub fn send_text(&mut self, text: impl Into<String>) -> impl Future<Output = ()> + Send + '_ {
        self.send(Message::text(text))
    }

    /// Sends a binary message.
    ///
    /// # Panics
    /// As [`send`](Self::send).
    #[track_caller]
    pub fn send_binary(&mut self, bytes: impl Into<Vec<u8>>) -> impl Future<Output = ()> + Send + '_ {
        self.send(Message::binary(bytes.into()))
    }

    /// Sends a value as JSON text. Channels: `send_json_to`.
    ///
    /// # Panics
    /// As [`send`](Self::send), and when the value has no JSON form.
    #[track_caller]
    pub fn send_json<T: Serialize + ?Sized>(&mut self, value: &T) -> impl Future<Output = ()> + Send + '_ {
        let message = Message::from_json(value);
        let message = message.unwrap_or_else(|error| self.transcript.fail(Location::caller(), error));
        self.send(message)
    }

    /// Sends bytes as they are: whole frames, pieces of them, or what no client may send.
    ///
    /// # Panics
    /// As [`send`](Self::send).
    #[track_caller]
    pub fn send_raw(&mut self, bytes: impl Into<Vec<u8>>) -> impl Future<Output = ()> + Send + '_ {
        let (at, bytes) = (Location::caller(), bytes.into());
        self.transcript.note(format!("-> {} raw bytes", bytes.len()));
        async move {
            let sent = timeout(self.patience, self.open_at(at).line.send_raw(&bytes)).await;
            self.check_sent(at, sent.ok());
        }
    }

    fn check_sent(&self, at: &Location<'_>, sent: Option<io::Result<()>>) {
        match sent {
            Some(Ok(())) => {}
            Some(Err(error)) => self.transcript.fail(at, format!("nothing can be sent: {error}")),
            None => self.transcript.fail(at, format!("the server took nothing for {:?}", self.patience)),
        }
    }

    /// The next thing that comes within `time`; `None` when nothing does. Cancel safe.
    ///
    /// # Panics
    /// Before [`connect`](Self::connect).
    #[track_caller]
    pub fn receive_within(&mut self, time: Duration) -> impl Future<Output = Option<Received>> + Send + '_ {
        let at = Location::caller();
        async move {
            let Some(open) = &mut self.open else { self.transcript.fail(at, NOT_OPEN) };
            timeout(time, open.line.next()).await.ok()
        }
    }

    /// The next thing that comes: a message, a close frame, or the end.
    ///
    /// # Panics
    /// Before [`connect`](Self::connect), and when nothing comes in time.
    #[track_caller]
    pub fn receive(&mut self) -> impl Future<Output = Received> + Send + '_ {
        let at = Location::caller();
        async move { self.expect(at, "something").await }
    }

    async fn expect(&mut self, at: &Location<'_>, what: &str) -> Received {
        let Some(open) = &mut self.open else { self.transcript.fail(at, NOT_OPEN) };
        match timeout(self.patience, open.line.next()).await {
            Ok(received) => received,
            Err(_) => self
                .transcript
                .fail(at, format!("expected {what}, and nothing came within {:?}", self.patience)),
        }
    }

    /// The next message.
    ///
    /// # Panics
    /// When none comes in time, or something else.
    #[track_caller]
    pub fn receive_message(&mut self) -> impl Future<Output = Message> + Send + '_ {
        let at = Location::caller();
        async move { self.expect_message(at, "a message").await }
    }

    async fn expect_message(&mut self, at: &Location<'_>, what: &str) -> Message {
        match self.expect(at, what).await {
            Received::Message(message) => message,
            other => self.transcript.fail(at, format!("expected {what}, and there came {other:?}")),
        }
    }

    /// The next message, which is text. Channels: `receive_from`.
    ///
    /// # Panics
    /// When none comes in time, or something else.
    #[track_caller]
    pub fn receive_text(&mut self) -> impl Future<Output = String> + Send + '_ {
        let at = Location::caller();
        async move {
            match self.expect_message(at, "a text message").await {
                Message::Text(text) => text.as_str().to_owned(),
                Message::Binary(_) => {
                    self.transcript.fail(at, "expected a text message, and a binary one came")
                }
            }
        }
    }

    /// The next message, which is binary.
    ///
    /// # Panics
    /// When none comes in time, or something else.
    #[track_caller]
    pub fn receive_binary(&mut self) -> impl Future<Output = Vec<u8>> + Send + '_ {
        let at = Location::caller();
        async move {
            match self.expect_message(at, "a binary message").await {
                Message::Binary(bytes) => bytes.to_vec(),
                Message::Text(_) => self.transcript.fail(at, "expected a binary message, and a text came"),
            }
        }
    }

    /// The next message, which is JSON text that fits `T`. Channels: `receive_json_from`.
    ///
    /// # Panics
    /// When none comes in time, or something else.
    #[track_caller]
    pub fn receive_json<T: DeserializeOwned>(&mut self) -> impl Future<Output = T> + Send + '_ {
        let at = Location::caller();
        async move {
            let message = self.expect_message(at, "JSON text").await;
            match message.json() {
                Ok(value) => value,
                Err(error) => self.transcript.fail(at, format!("expected JSON text: {error}")),
            }
        }
    }

    /// The server's close frame. Messages before it fail the test.
    ///
    /// # Panics
    /// When none comes in time, or something else.
    #[track_caller]
    pub fn receive_close(&mut self) -> impl Future<Output = CloseFrame> + Send + '_ {
        let at = Location::caller();
        async move {
            match self.expect(at, "a close frame").await {
                Received::Close(frame) => frame,
                other => {
                    self.transcript.fail(at, format!("expected a close frame, and there came {other:?}"))
                }
            }
        }
    }

    /// Checks that nothing comes for 100 ms. Channels: `receive_nothing`.
    ///
    /// # Panics
    /// When something does.
    #[track_caller]
    pub fn receive_nothing(&mut self) -> impl Future<Output = ()> + Send + '_ {
        self.receive_nothing_for(SILENCE)
    }

    /// Checks that nothing comes for a time. Pings do not count.
    ///
    /// # Panics
    /// When something does.
    #[track_caller]
    pub fn receive_nothing_for(&mut self, time: Duration) -> impl Future<Output = ()> + Send + '_ {
        let at = Location::caller();
        async move {
            if let Some(received) = self.receive_within(time).await {
                self.transcript
                    .fail(at, format!("expected nothing for {time:?}, and there came {received:?}"));
            }
        }
    }
}
