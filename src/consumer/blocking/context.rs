//! A blocking consumer's hands: the async ones, waited for on the handler's own thread.

use std::sync::Arc;

use serde::Serialize;
use tokio::runtime::Handle;

use crate::auth::User;
use crate::consumer::Context as AsyncContext;
use crate::layers::{ChannelLayer, ChannelName, Delivered, Event, GroupName, LayerError};
use crate::websocket::{Acceptance, CloseFrame, Denial, Message, SocketHandle};
use crate::{Environment, Result, Scope, UrlRoute};

/// A consumer's hands in a blocking handler. Every method means what its async twin of
/// [`Context`](crate::consumer::Context) means.
#[derive(Debug)]
pub struct Context<S = ()> {
    pub(super) inner: AsyncContext<S>,
    pub(super) runtime: Handle,
}

impl<S> Context<S> {
    /// What is known of the connection.
    pub fn scope(&self) -> &Scope {
        self.inner.scope()
    }

    /// The scope, to be changed.
    pub fn scope_mut(&mut self) -> &mut Scope {
        self.inner.scope_mut()
    }

    /// Waits on this thread for what is async and needs the scope: its session, logging in and out. Channels:
    /// `async_to_sync`.
    ///
    /// ```
    /// # use solent::Result;
    /// # use solent::consumer::blocking::Context;
    /// fn visits(ctx: &mut Context) -> Result<Option<u32>> {
    ///     Ok(ctx.wait_for(async |scope| scope.session.get("visits").await)?)
    /// }
    /// ```
    pub fn wait_for<T>(&mut self, work: impl AsyncFnOnce(&mut Scope) -> T) -> T {
        let runtime = self.runtime.clone();
        runtime.block_on(work(self.inner.scope_mut()))
    }

    /// The connection's user.
    pub fn user(&self) -> &User {
        self.inner.user()
    }

    /// The route that matched.
    pub fn url_route(&self) -> &UrlRoute {
        self.inner.url_route()
    }

    /// What all connections of the server share.
    pub fn env(&self) -> &Environment {
        self.inner.env()
    }

    /// The application's state.
    pub fn state(&self) -> &S {
        self.inner.state()
    }

    /// A handle by which other tasks and threads can send to this socket or close it.
    pub fn handle(&self) -> SocketHandle {
        self.inner.handle()
    }

    /// Accepts the connection.
    ///
    /// # Errors
    /// See [`Context::accept`](crate::consumer::Context::accept).
    pub fn accept(&mut self) -> Result<()> {
        self.runtime.block_on(self.inner.accept())
    }

    /// Accepts the connection with a subprotocol and further headers.
    ///
    /// # Errors
    /// See [`Context::accept_with`](crate::consumer::Context::accept_with).
    pub fn accept_with(&mut self, acceptance: Acceptance) -> Result<()> {
        self.runtime.block_on(self.inner.accept_with(acceptance))
    }

    /// Refuses the connection.
    ///
    /// # Errors
    /// Always, with the refusal.
    pub fn deny<T>(&mut self, denial: Denial) -> Result<T> {
        self.inner.deny(denial)
    }

    /// Closes the connection once this handler returns.
    pub fn close(&mut self, frame: CloseFrame) {
        self.inner.close(frame);
    }

    /// Appends a message to the outbox; never waits.
    ///
    /// # Errors
    /// Before accept, once the socket is closed, and when the outbox is full.
    pub fn send(&mut self, message: impl Into<Message>) -> Result<()> {
        self.inner.append_message(&message.into())
    }

    /// Appends a value as JSON text; never waits.
    ///
    /// # Errors
    /// As [`send`](Self::send), and when the value has no JSON form.
    pub fn send_json<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.send(Message::from_json(value)?)
    }

    /// Appends an event as JSON text; never waits.
    ///
    /// # Errors
    /// As [`send`](Self::send), and when the event holds bytes.
    pub fn send_event<T>(&mut self, event: &Event<T>) -> Result<()> {
        self.inner.append_event(event)
    }

    /// The route's channel layer.
    ///
    /// # Errors
    /// See [`Context::layer`](crate::consumer::Context::layer).
    pub fn layer(&self) -> Result<&Arc<dyn ChannelLayer>, LayerError> {
        self.inner.layer()
    }

    /// This consumer's own channel.
    ///
    /// # Errors
    /// See [`Context::channel_name`](crate::consumer::Context::channel_name).
    pub fn channel_name(&mut self) -> Result<ChannelName, LayerError> {
        self.runtime.block_on(self.inner.channel_name())
    }

    /// Joins a group, handled.
    ///
    /// # Errors
    /// See [`Context::group_add`](crate::consumer::Context::group_add).
    pub fn group_add(&mut self, group: &GroupName) -> Result<(), LayerError> {
        self.runtime.block_on(self.inner.group_add(group))
    }

    /// Joins a group, forwarded.
    ///
    /// # Errors
    /// See [`Context::group_forward`](crate::consumer::Context::group_forward).
    pub fn group_forward(&mut self, group: &GroupName) -> Result<(), LayerError> {
        self.runtime.block_on(self.inner.group_forward(group))
    }

    /// Leaves a group.
    ///
    /// # Errors
    /// See [`Context::group_discard`](crate::consumer::Context::group_discard).
    pub fn group_discard(&mut self, group: &GroupName) -> Result<(), LayerError> {
        self.runtime.block_on(self.inner.group_discard(group))
    }

    /// Sends an event to a group.
    ///
    /// # Errors
    /// See [`Context::group_send`](crate::consumer::Context::group_send).
    pub fn group_send<T: Serialize + ?Sized>(&self, group: &GroupName, message: &T) -> Result<Delivered> {
        self.runtime.block_on(self.inner.group_send(group, message))
    }

    /// Sends a message to one channel.
    ///
    /// # Errors
    /// See [`Context::send_to`](crate::consumer::Context::send_to).
    pub fn send_to<T: Serialize + ?Sized>(&self, channel: &ChannelName, message: &T) -> Result<()> {
        self.runtime.block_on(self.inner.send_to(channel, message))
    }
}
