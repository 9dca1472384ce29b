//! [`BlockingLayerHandle`]: the layer for threads that may wait.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{ChannelName, Delivered, Event, GroupName, LayerError, LayerHandle};

/// A [`LayerHandle`] for threads that may wait: blocking consumers and views, `spawn_blocking`, plain threads.
/// Channels: `async_to_sync`.
///
/// It needs no runtime on its thread. In asynchronous code it would hold up everyone else: use [`LayerHandle`] there.
///
/// ```
/// use serde_json::json;
/// use solent::layers::{BlockingLayerHandle, ChannelLayers, ChannelName, MemoryChannelLayer, Value};
///
/// let layers = ChannelLayers::of(MemoryChannelLayer::new());
/// let layer: BlockingLayerHandle = layers.handle("default")?.blocking();
/// let jobs = ChannelName::new("jobs")?;
/// layer.send(&jobs, &json!({ "type": "print", "page": 1 }))?;
/// let job = layer.receive::<Value>(&jobs)?;
/// assert_eq!(job.message_type(), Some("print"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct BlockingLayerHandle(LayerHandle);

impl BlockingLayerHandle {
    pub(super) fn new(handle: LayerHandle) -> Self {
        Self(handle)
    }

    /// Sends a message, which must serialise to a map, to one channel.
    ///
    /// # Errors
    /// As [`LayerHandle::send`].
    pub fn send<M: Serialize + ?Sized>(&self, channel: &ChannelName, message: &M) -> Result<(), LayerError> {
        wait(self.0.send(channel, message))
    }

    /// Sends a message, which must serialise to a map, to all members of a group.
    ///
    /// # Errors
    /// As [`LayerHandle::group_send`].
    pub fn group_send<M: Serialize + ?Sized>(
        &self,
        group: &GroupName,
        message: &M,
    ) -> Result<Delivered, LayerError> {
        wait(self.0.group_send(group, message))
    }

    /// Waits for one message from a plain channel and decodes it.
    ///
    /// # Errors
    /// As [`LayerHandle::receive`].
    pub fn receive<T: DeserializeOwned + Send + Sync + 'static>(
        &self,
        channel: &ChannelName,
    ) -> Result<Event<T>, LayerError> {
        wait(self.0.receive(channel))
    }

    /// The handle for asynchronous code.
    pub fn handle(&self) -> &LayerHandle {
        &self.0
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Runs a future on this thread and sleeps while it waits. Layers' futures need no runtime around them.
fn wait<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
        thread::park();
    }
}
