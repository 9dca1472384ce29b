//! A consumer's own channel: its mailbox, made on first use, and what it does through the channel layer.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use serde::Serialize;

use crate::layers::{
    ChannelLayer, ChannelName, Delivered, Delivery, Event, EventSink, GroupName, LayerError, Mailbox,
    MailboxOptions, Overflow,
};
use crate::{Environment, Result};

/// The alias of the layer that is meant when none is named.
const DEFAULT_LAYER: &str = "default";

/// A consumer's place in the channel layer. A consumer that never uses it costs the layer nothing.
pub(crate) struct OwnChannel {
    layer: Option<Arc<dyn ChannelLayer>>,
    env: Arc<Environment>,
    overflow: Overflow,
    /// Where forwarded events go; `None` for consumers that take none.
    sink: Option<Arc<dyn EventSink>>,
    pub(crate) mailbox: Option<Mailbox>,
    // Outlives the mailbox: `disconnect` may still ask for it.
    name: Option<ChannelName>,
}

impl OwnChannel {
    /// A place in the layer called `alias`, or in the default one where there is one.
    pub(super) fn new(
        env: &Arc<Environment>,
        alias: Option<&str>,
        overflow: Overflow,
        sink: Option<Arc<dyn EventSink>>,
    ) -> Result<Self, LayerError> {
        let layer = match alias {
            Some(alias) => Some(env.layers.handle(alias)?.layer().clone()),
            None => env.layers.get(DEFAULT_LAYER).cloned(),
        };
        Ok(Self { layer, env: Arc::clone(env), overflow, sink, mailbox: None, name: None })
    }

    pub(super) fn layer(&self) -> Result<&Arc<dyn ChannelLayer>, LayerError> {
        self.layer.as_ref().ok_or_else(no_layer)
    }

    /// The mailbox, made on first use.
    async fn mailbox(&mut self) -> Result<&Mailbox, LayerError> {
        if self.mailbox.is_none() {
            let (events, bytes) = (self.env.limits.mailbox_events, self.env.limits.mailbox_bytes);
            let options = MailboxOptions { events, bytes, overflow: self.overflow };
            let mailbox = self.layer()?.new_channel("specific", options).await?;
            if let Some(sink) = &self.sink {
                mailbox.set_sink(Arc::clone(sink));
            }
            self.name = Some(mailbox.name().clone());
            self.mailbox = Some(mailbox);
        }
        self.mailbox.as_ref().ok_or_else(no_layer)
    }

    /// The mailbox, if it may join another group.
    async fn mailbox_for(&mut self, group: &GroupName) -> Result<&Mailbox, LayerError> {
        let limit = self.env.limits.groups_per_connection;
        let mailbox = self.mailbox().await?;
        if mailbox.group_count() >= limit && !mailbox.is_member(group) {
            return Err(LayerError::TooManyGroups { limit });
        }
        Ok(mailbox)
    }

    pub(super) async fn name(&mut self) -> Result<ChannelName, LayerError> {
        if self.name.is_none() {
            self.mailbox().await?;
        }
        self.name.clone().ok_or_else(no_layer)
    }

    pub(super) async fn group_add(&mut self, group: &GroupName) -> Result<(), LayerError> {
        let layer = Arc::clone(self.layer()?);
        layer.group_add(group, self.mailbox_for(group).await?).await
    }

    pub(super) async fn group_forward(&mut self, group: &GroupName) -> Result<(), LayerError> {
        let layer = Arc::clone(self.layer()?);
        layer.group_forward(group, self.mailbox_for(group).await?).await
    }

    pub(super) async fn group_discard(&mut self, group: &GroupName) -> Result<(), LayerError> {
        let layer = self.layer()?;
        match &self.mailbox {
            Some(mailbox) => layer.group_discard(group, mailbox).await,
            None => Ok(()),
        }
    }

    pub(super) async fn group_send<T: Serialize + ?Sized>(
        &self,
        group: &GroupName,
        message: &T,
    ) -> Result<Delivered> {
        Ok(self.layer()?.group_send(group, Event::new(message)?).await?)
    }

    pub(super) async fn send_to<T: Serialize + ?Sized>(
        &self,
        channel: &ChannelName,
        message: &T,
    ) -> Result<()> {
        Ok(self.layer()?.send(channel, Event::new(message)?).await?)
    }

    /// Ends the mailbox and all memberships, for a consumer that another value replaces.
    pub(super) fn leave(&mut self) {
        self.mailbox = None;
        self.name = None;
    }

    /// The next delivery; without a mailbox there never is one.
    pub(crate) fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Delivery> {
        self.mailbox.as_mut().map_or(Poll::Pending, |mailbox| mailbox.poll_recv(cx))
    }

    /// The next delivery. Cancel safe.
    pub(crate) async fn recv(&mut self) -> Delivery {
        poll_fn(|cx| self.poll_recv(cx)).await
    }
}

fn no_layer() -> LayerError {
    LayerError::NotConfigured { alias: DEFAULT_LAYER.to_owned(), configured: Vec::new() }
}
