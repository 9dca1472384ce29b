//! A background consumer's hands: the channel layer, groups, the application's state.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use crate::consumer::OwnChannel;
use crate::layers::{ChannelLayer, ChannelName, Delivered, GroupName, LayerError, Overflow};
use crate::{Environment, Result, Scope};

/// A background consumer's hands.
///
/// `S` is the application's state, see [`background_consumer_with_state`](super::background_consumer_with_state).
///
/// # Cancel safety
/// A dropped future may have sent, joined or left by then, or not, and never by half.
pub struct BackgroundContext<S = ()> {
    // Taken out while a blocking handler has it on another thread.
    inner: Option<Box<Inner<S>>>,
}

struct Inner<S> {
    scope: Box<Scope>,
    channel: OwnChannel,
    state: S,
}

impl<S> BackgroundContext<S> {
    pub(super) fn new(scope: Box<Scope>, alias: Option<&str>, state: S) -> Result<Self, LayerError> {
        let channel = OwnChannel::new(&scope.env, alias, Overflow::default(), None)?;
        Ok(Self { inner: Some(Box::new(Inner { scope, channel, state })) })
    }

    fn inner(&self) -> &Inner<S> {
        self.inner.as_ref().expect("a context is only used by the handler that has it")
    }

    fn inner_mut(&mut self) -> &mut Inner<S> {
        self.inner.as_mut().expect("a context is only used by the handler that has it")
    }

    /// Hands everything to a context that goes to another thread.
    pub(in crate::consumer) fn lend(&mut self) -> Self {
        Self { inner: self.inner.take() }
    }

    pub(in crate::consumer) fn give_back(&mut self, lent: Self) {
        self.inner = lent.inner;
    }

    pub(super) fn own_channel(&mut self) -> &mut OwnChannel {
        &mut self.inner_mut().channel
    }

    /// What is known: the type is `channel`.
    pub fn scope(&self) -> &Scope {
        &self.inner().scope
    }

    /// The name of the channel whose messages are handled.
    pub fn channel(&self) -> &str {
        self.scope().channel.as_deref().unwrap_or_default()
    }

    /// What everything in this process shares.
    pub fn env(&self) -> &Environment {
        &self.scope().env
    }

    /// The application's state.
    pub fn state(&self) -> &S {
        &self.inner().state
    }

    /// The channel layer.
    ///
    /// # Errors
    /// [`LayerError::NotConfigured`] without one.
    pub fn layer(&self) -> Result<&Arc<dyn ChannelLayer>, LayerError> {
        self.inner().channel.layer()
    }

    /// This value's own channel, to which others may answer; made when it is first asked for.
    ///
    /// # Errors
    /// Without a layer, or when the layer is unavailable.
    pub async fn channel_name(&mut self) -> Result<ChannelName, LayerError> {
        self.own_channel().name().await
    }

    /// Joins a group: its events come to [`event`](super::BackgroundConsumer::event). Left when the value ends.
    ///
    /// # Errors
    /// Without a layer, or when the layer is unavailable.
    pub async fn group_add(&mut self, group: &GroupName) -> Result<(), LayerError> {
        self.own_channel().group_add(group).await
    }

    /// Leaves a group. Not being in it is fine.
    ///
    /// # Errors
    /// When the layer is unavailable.
    pub async fn group_discard(&mut self, group: &GroupName) -> Result<(), LayerError> {
        self.own_channel().group_discard(group).await
    }

    /// Sends an event to every member of a group, in every process.
    ///
    /// # Errors
    /// When it does not serialise to a map, without a layer, or when the layer is unavailable.
    pub async fn group_send<T: Serialize + ?Sized>(
        &self,
        group: &GroupName,
        message: &T,
    ) -> Result<Delivered> {
        self.inner().channel.group_send(group, message).await
    }

    /// Sends a message to one channel, such as the one that a message names as its sender's.
    ///
    /// # Errors
    /// As [`group_send`](Self::group_send), and when the channel is full.
    pub async fn send_to<T: Serialize + ?Sized>(&self, channel: &ChannelName, message: &T) -> Result<()> {
        self.inner().channel.send_to(channel, message).await
    }
}

impl<S> fmt::Debug for BackgroundContext<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let channel = self.inner.as_ref().and_then(|inner| inner.scope.channel.as_deref());
        f.debug_struct("BackgroundContext").field("channel", &channel).finish_non_exhaustive()
    }
}
