//! A consumer's hands: everything that a handler can do.

use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, Mutex};

use ::http::header::SET_COOKIE;
use bytes::Bytes;
use serde::Serialize;

use super::Policy;
use super::channel::OwnChannel;
use super::unsent::{NotAccepted, OutboxFull};
use crate::auth::User;
use crate::layers::{ChannelLayer, ChannelName, Delivered, Event, GroupName, LayerError, Pushed};
use crate::middleware::Cookies;
use crate::websocket::deflate::Encoding;
use crate::websocket::outbox::Outbox;
use crate::websocket::{
    Acceptance, Accepted, CloseFrame, Connection, Denial, Finished, Message, SocketHandle, Transport, frame,
};
use crate::{Environment, Error, Result, Scope, UrlRoute};

/// A consumer's hands: accept, deny, send, close, groups, the channel layer, the scope.
///
/// `S` is the application's state, see [`consumer_with_state`](super::consumer_with_state).
///
/// # Cancel safety
/// A dropped future may have sent, joined or left by then, or not, and never by half. An `accept` that is
/// dropped may have saved the session without having accepted. Work that was handed to a thread runs to its end.
pub struct Context<S = ()> {
    // Taken out while a blocking handler has it on another thread.
    pub(super) core: Option<Box<Core>>,
    state: S,
}

/// The part that the driver shares with the handlers.
pub(crate) struct Core {
    pub(crate) scope: Box<Scope>,
    pub(crate) policy: Arc<Policy>,
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) channel: OwnChannel,
    /// Whether the handshake was accepted.
    pub(crate) accepted: bool,
    // Only ever reached by `get_mut`: the lock makes the context `Sync`, which handlers' futures need.
    handshake: Mutex<Handshake>,
    /// What the consumer asked to close with.
    pub(crate) close: Option<Box<CloseFrame>>,
    // Held, never read: the socket is closed with its session while it lives.
    _lease: Option<crate::auth::Lease>,
}

/// How far the handshake is.
enum Handshake {
    /// Not answered.
    Open(Box<dyn Transport>),
    /// Accepted; the driver has not taken over yet.
    Accepted(Box<Accepted>),
    /// Answered, and with the driver.
    Done,
}

impl<S> Context<S> {
    pub(crate) fn new(connection: Connection, policy: Arc<Policy>, state: S) -> Result<Self, LayerError> {
        let (scope, transport) = connection.into_parts();
        let outbox = Arc::new(Outbox::new(
            scope.env.limits.outbox_bytes,
            policy.overflow,
            Arc::clone(&scope.env.sockets.drops),
        ));
        let sink = policy.forwarded.into(outbox.clone());
        let channel = OwnChannel::new(&scope.env, policy.layer.as_deref(), policy.overflow, Some(sink))?;
        let core = Core {
            scope,
            policy,
            outbox,
            channel,
            accepted: false,
            handshake: Mutex::new(Handshake::Open(transport)),
            close: None,
            _lease: None,
        };
        Ok(Self { core: Some(Box::new(core)), state })
    }

    pub(crate) fn core(&self) -> &Core {
        self.core.as_ref().expect("a context is only used by the handler that has it")
    }

    pub(crate) fn core_mut(&mut self) -> &mut Core {
        self.core.as_mut().expect("a context is only used by the handler that has it")
    }

    /// What is known of the connection. Channels: `scope`.
    pub fn scope(&self) -> &Scope {
        &self.core().scope
    }

    /// The scope, to be changed.
    pub fn scope_mut(&mut self) -> &mut Scope {
        &mut self.core_mut().scope
    }

    /// The connection's user; anonymous without an auth middleware. Channels: `get_user`.
    pub fn user(&self) -> &User {
        &self.scope().user
    }

    /// The route that matched, with its captures.
    pub fn url_route(&self) -> &UrlRoute {
        &self.scope().url_route
    }

    /// What all connections of the server share.
    pub fn env(&self) -> &Environment {
        &self.scope().env
    }

    /// The application's state.
    pub fn state(&self) -> &S {
        &self.state
    }

    /// A handle by which other tasks and threads can send to this socket or close it.
    pub fn handle(&self) -> SocketHandle {
        SocketHandle(Arc::clone(&self.core().outbox))
    }

    /// Accepts the connection, with the first subprotocol of the route's list that the client offers.
    /// Channels: `AcceptConnection`.
    ///
    /// # Errors
    /// When the handshake is answered already, or the client has left.
    pub async fn accept(&mut self) -> Result<()> {
        self.accept_with(Acceptance::default()).await
    }

    /// Accepts the connection with a subprotocol and further headers. Channels: `accept(subprotocol, headers)`.
    ///
    /// # Errors
    /// When the handshake is answered already, the client has left, or it did not offer the subprotocol.
    pub async fn accept_with(&mut self, mut acceptance: Acceptance) -> Result<()> {
        self.core().check_subprotocol(&acceptance)?;
        if acceptance.subprotocol.is_none() {
            acceptance.subprotocol = self.core().preferred_subprotocol();
        }
        // What was changed in the session so far goes with the answer; the cookie cannot change after it.
        let session = self.scope().session.clone();
        if let Some(cookie) = session.commit().await? {
            acceptance.headers.append(SET_COOKIE, cookie);
        }
        self.core_mut().accept(acceptance)?;
        session.shrink();
        Ok(())
    }

    /// Refuses the connection: `return ctx.deny(Denial::forbidden("rule"))`. 403 or any other status, with headers
    /// and a text. Channels: `DenyConnection`.
    ///
    /// # Errors
    /// Always, with the refusal.
    pub fn deny<T>(&mut self, denial: Denial) -> Result<T> {
        Err(denial.into())
    }

    /// The largest message of this connection, in bytes: the route's, else the server's.
    pub(crate) fn max_message_size(&self) -> usize {
        let core = self.core();
        core.policy.max_message_size.unwrap_or(core.scope.env.limits.message_bytes)
    }

    /// Closes the connection once this handler returns; before accept that is a 403. Channels: `close`.
    pub fn close(&mut self, frame: CloseFrame) {
        let core = self.core_mut();
        core.close.get_or_insert_with(|| Box::new(frame));
    }

    /// Sends a message to the client; waits while its outbox is full. Channels: `send`.
    ///
    /// # Errors
    /// Before accept, and once the socket is closed ([`Finished`]).
    ///
    /// # Cancel safety
    /// A send that was dropped before it completed has sent nothing.
    pub async fn send(&mut self, message: impl Into<Message>) -> Result<()> {
        self.send_frame(frame::message(&message.into(), self.encoding())).await
    }

    /// Sends a value as JSON text. Channels: `send_json`.
    ///
    /// # Errors
    /// As [`send`](Self::send), and when the value has no JSON form.
    pub async fn send_json<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.send_frame(frame::text(&serde_json::to_vec(value)?, self.encoding())).await
    }

    /// Sends an event as JSON text, encoded once for everyone who sends the same event.
    ///
    /// # Errors
    /// As [`send`](Self::send), and when the event holds bytes.
    pub async fn send_event<T>(&mut self, event: &Event<T>) -> Result<()> {
        self.send_frame(frame::event(event, self.encoding())?).await
    }

    fn encoding(&self) -> Encoding {
        self.core().outbox.encoding()
    }

    async fn send_frame(&mut self, frame: Bytes) -> Result<()> {
        let core = self.core();
        if !core.accepted {
            return Err(NotAccepted.into());
        }
        let mut frame = Some(frame);
        Ok(poll_fn(|cx| core.outbox.poll_send(&mut frame, cx)).await?)
    }

    /// Appends a frame without waiting: what a blocking handler's send does.
    fn append_frame(&mut self, frame: Bytes) -> Result<()> {
        let core = self.core();
        if !core.accepted {
            return Err(NotAccepted.into());
        }
        match core.outbox.push(frame) {
            Pushed::Queued { .. } => Ok(()),
            Pushed::Gone => Err(Finished.into()),
            _ => Err(OutboxFull.into()),
        }
    }

    /// Waits until the outbox is half empty, so that a blocking handler has room to send. Cancel safe.
    pub(super) async fn room(&mut self) {
        let outbox = &self.core().outbox;
        poll_fn(|cx| outbox.poll_room(cx)).await;
    }

    pub(super) fn append_message(&mut self, message: &Message) -> Result<()> {
        self.append_frame(frame::message(message, self.encoding()))
    }

    pub(super) fn append_event<T>(&mut self, event: &Event<T>) -> Result<()> {
        self.append_frame(frame::event(event, self.encoding())?)
    }

    /// Gives the connection to a blocking handler's thread; what stays behind can't be used until it is back.
    pub(super) fn lend(&mut self) -> Self
    where
        S: Clone,
    {
        Self { core: self.core.take(), state: self.state.clone() }
    }

    pub(super) fn give_back(&mut self, lent: Self) {
        self.core = lent.core;
    }

    /// Whether a blocking handler has the connection for good: the hard stop did not wait for it.
    pub(crate) fn is_lent(&self) -> bool {
        self.core.is_none()
    }

    /// The route's channel layer. Channels: `channel_layer`.
    ///
    /// # Errors
    /// When the server has none.
    pub fn layer(&self) -> Result<&Arc<dyn ChannelLayer>, LayerError> {
        self.core().channel.layer()
    }

    /// This consumer's own channel; made when it is first asked for. Channels: `channel_name`.
    ///
    /// # Errors
    /// Without a layer, or when the layer is unavailable.
    pub async fn channel_name(&mut self) -> Result<ChannelName, LayerError> {
        self.core_mut().channel.name().await
    }

    /// Joins a group: its events come to [`event`](super::WebsocketConsumer::event). Done when the subscription is
    /// confirmed. Left automatically.
    ///
    /// # Errors
    /// Without a layer, or when the layer is unavailable.
    pub async fn group_add(&mut self, group: &GroupName) -> Result<(), LayerError> {
        self.core_mut().channel.group_add(group).await
    }

    /// Joins a group whose events go to the client as they are, or as the route's
    /// [`forwarded`](super::Policy::forwarded) has it, as JSON text, without waking this consumer.
    ///
    /// # Errors
    /// Without a layer, or when the layer is unavailable.
    pub async fn group_forward(&mut self, group: &GroupName) -> Result<(), LayerError> {
        self.core_mut().channel.group_forward(group).await
    }

    /// Leaves a group. Not being in it is fine.
    ///
    /// # Errors
    /// When the layer is unavailable.
    pub async fn group_discard(&mut self, group: &GroupName) -> Result<(), LayerError> {
        self.core_mut().channel.group_discard(group).await
    }

    /// Sends an event to every member of a group, in every process. How many members of this process it reached.
    ///
    /// # Errors
    /// Without a layer, when it is unavailable, or when the message can't be an event.
    pub async fn group_send<T: Serialize + ?Sized>(
        &self,
        group: &GroupName,
        message: &T,
    ) -> Result<Delivered> {
        self.core().channel.group_send(group, message).await
    }

    /// Sends a message to one channel.
    ///
    /// # Errors
    /// Without a layer, when it is unavailable, when the channel is full, or when the message can't travel.
    pub async fn send_to<T: Serialize + ?Sized>(&self, channel: &ChannelName, message: &T) -> Result<()> {
        self.core().channel.send_to(channel, message).await
    }

    /// Runs blocking work on the server's bounded pool.
    ///
    /// # Errors
    /// When the pool's queue is full, or the work panics.
    pub async fn blocking<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        Ok(self.env().blocking().run(work).await?)
    }
}

impl Core {
    fn check_subprotocol(&self, acceptance: &Acceptance) -> Result<()> {
        match &acceptance.subprotocol {
            Some(chosen) if !self.scope.subprotocols.contains(chosen) => Err(Error::msg(format!(
                "accept with subprotocol {chosen:?}, which the client did not offer: {:?}",
                self.scope.subprotocols
            ))),
            _ => Ok(()),
        }
    }

    fn preferred_subprotocol(&self) -> Option<String> {
        self.policy.subprotocols.iter().find(|known| self.scope.subprotocols.contains(known)).cloned()
    }

    fn accept(&mut self, acceptance: Acceptance) -> Result<()> {
        let handshake = self.handshake();
        match std::mem::replace(handshake, Handshake::Done) {
            Handshake::Open(transport) => {
                let accepted = transport.accept(acceptance)?;
                let encoding = accepted.agreed.as_ref().map(|agreed| agreed.encoding);
                *handshake = Handshake::Accepted(Box::new(accepted));
                self.outbox.set_encoding(encoding.unwrap_or_default());
            }
            answered => {
                *handshake = answered;
                return Err(Error::msg("the handshake is answered already"));
            }
        }
        self.accepted = true;
        if !self.policy.keep_headers {
            self.scope.headers = ::http::HeaderMap::new();
            self.scope.cookies = Cookies::default();
        }
        self._lease = crate::auth::follow(&mut self.scope, SocketHandle(Arc::clone(&self.outbox)));
        if self.scope.extensions.is_empty() {
            // The map stays where it was when its last value is taken out.
            self.scope.extensions = ::http::Extensions::new();
        }
        Ok(())
    }

    fn handshake(&mut self) -> &mut Handshake {
        self.handshake.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Takes the socket over from the handshake.
    pub(crate) fn take_accepted(&mut self) -> Option<Box<Accepted>> {
        match std::mem::replace(self.handshake(), Handshake::Done) {
            Handshake::Accepted(accepted) => Some(accepted),
            Handshake::Open(_) | Handshake::Done => None,
        }
    }

    /// Tells the client of its mistake, without waiting: it is dropped when the outbox is full.
    pub(crate) fn report(&self, code: &str, message: &str) {
        let error = serde_json::json!({ "type": "error", "code": code, "message": message });
        let _ = self.outbox.push(frame::text(error.to_string().as_bytes(), self.outbox.encoding()));
    }
}

impl<S> fmt::Debug for Context<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("path", &self.scope().path).finish_non_exhaustive()
    }
}
