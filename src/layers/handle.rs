//! [`LayerHandle`]: sending to channels and groups from anywhere, with messages of any serialisable type.

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{
    BlockingLayerHandle, ChannelLayer, ChannelName, Delivered, Event, GroupName, LayerError, Mailbox,
    MailboxOptions,
};

/// A typed hand on one layer: cheap to clone, usable from any thread, a view, a background task or a consumer.
///
/// # Cancel safety
/// A dropped future may have sent, joined or left by then, or not, and never by half; of `new_channel` and `listen` no mailbox
/// remains.
///
/// ```
/// use solent::layers::{ChannelName, LayerHandle, MemoryChannelLayer};
/// use serde_json::{Value, json};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let layer = LayerHandle::of(MemoryChannelLayer::new());
/// let channel = ChannelName::new("test_channel")?;
/// layer.send(&channel, &json!({"message": "Hello"})).await?;
/// assert_eq!(layer.receive::<Value>(&channel).await?.get(), &json!({"message": "Hello"}));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct LayerHandle(Arc<dyn ChannelLayer>);

impl LayerHandle {
    /// A handle on a shared layer.
    pub fn new(layer: Arc<dyn ChannelLayer>) -> Self {
        Self(layer)
    }

    /// A handle on a layer of its own.
    pub fn of(layer: impl ChannelLayer) -> Self {
        Self(Arc::new(layer))
    }

    /// The layer itself.
    pub fn layer(&self) -> &Arc<dyn ChannelLayer> {
        &self.0
    }

    /// The same handle for threads that may wait.
    pub fn blocking(&self) -> BlockingLayerHandle {
        BlockingLayerHandle::new(self.clone())
    }

    /// Sends a message, which must serialise to a map, to one channel.
    ///
    /// # Errors
    /// [`LayerError::Event`] when it does not; else as [`ChannelLayer::send`].
    pub async fn send<M: Serialize + ?Sized>(
        &self,
        channel: &ChannelName,
        message: &M,
    ) -> Result<(), LayerError> {
        self.0.send(channel, Event::new(message)?).await
    }

    /// Sends a message, which must serialise to a map, to all members of a group.
    ///
    /// # Errors
    /// [`LayerError::Event`] when it does not; else as [`ChannelLayer::group_send`].
    pub async fn group_send<M: Serialize + ?Sized>(
        &self,
        group: &GroupName,
        message: &M,
    ) -> Result<Delivered, LayerError> {
        self.0.group_send(group, Event::new(message)?).await
    }

    /// Receives one message from a plain channel and decodes it.
    ///
    /// # Errors
    /// [`LayerError::Event`] when it does not decode (the message is consumed then); else as
    /// [`ChannelLayer::receive`].
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn receive<T: DeserializeOwned + Send + Sync + 'static>(
        &self,
        channel: &ChannelName,
    ) -> Result<Event<T>, LayerError> {
        Ok(self.0.receive(channel).await?.decode()?)
    }

    /// A standing receiver of a plain channel.
    ///
    /// # Errors
    /// As [`ChannelLayer::listen`].
    pub async fn listen(
        &self,
        channel: &ChannelName,
        options: MailboxOptions,
    ) -> Result<Mailbox, LayerError> {
        self.0.listen(channel, options).await
    }

    /// A mailbox with a name of its own.
    ///
    /// # Errors
    /// As [`ChannelLayer::new_channel`].
    pub async fn new_channel(&self, options: MailboxOptions) -> Result<Mailbox, LayerError> {
        self.0.new_channel("specific", options).await
    }

    /// Makes a mailbox a handled member of a group.
    ///
    /// # Errors
    /// As [`ChannelLayer::group_add`].
    pub async fn group_add(&self, group: &GroupName, member: &Mailbox) -> Result<(), LayerError> {
        self.0.group_add(group, member).await
    }

    /// Ends a membership.
    ///
    /// # Errors
    /// As [`ChannelLayer::group_discard`].
    pub async fn group_discard(&self, group: &GroupName, member: &Mailbox) -> Result<(), LayerError> {
        self.0.group_discard(group, member).await
    }
}

impl From<Arc<dyn ChannelLayer>> for LayerHandle {
    fn from(layer: Arc<dyn ChannelLayer>) -> Self {
        Self(layer)
    }
}
