//! Flushes the sinks that a delivery made dirty, off the sender's path.

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::task::yield_now;

use super::EventSink;

/// Sinks flushed between two yields: a large room must not keep a small one waiting.
const SINKS_PER_TURN: usize = 64;

/// Flushes `sinks` in a task that lets other ready senders append first, so that their frames share one write.
///
/// Outside of a runtime there is nobody to hand them to, and they are flushed at once.
pub(super) fn later(sinks: Vec<Arc<dyn EventSink>>) {
    if sinks.is_empty() {
        return;
    }
    let Ok(runtime) = Handle::try_current() else {
        sinks.iter().for_each(|sink| sink.flush());
        return;
    };
    runtime.spawn(async move {
        for turn in sinks.chunks(SINKS_PER_TURN) {
            yield_now().await;
            turn.iter().for_each(|sink| sink.flush());
        }
    });
}
