//! The drain: how a server says good-bye to everyone within its time.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use crate::Environment;
use crate::websocket::CloseFrame;

/// Between two closes of a drain, at most: few sockets need not wait for the whole window.
const MOST_APART: Duration = Duration::from_millis(20);

/// How far a server's life is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    /// Everything is accepted.
    Serving,
    /// Not ready any more: HTTP is still answered, new upgrades are refused.
    Leaving,
    /// Listeners are closed; answers in progress are finished, sockets are closed one by one.
    Closing,
    /// The time is over.
    Stopped,
}

/// Drains a server: what is open ends by itself where it can, and by force where the time is over.
pub(super) async fn drain(env: &Environment, phase: &watch::Sender<Phase>, tasks: &TaskTracker) {
    phase.send_replace(Phase::Leaving);
    sleep(env.limits.drain_delay).await;
    phase.send_replace(Phase::Closing);
    env.closing.cancel();
    tasks.close();
    env.tasks.close();
    let open = env.sockets.len();
    info!(sockets = open, connections = tasks.len(), "draining");
    let deadline = Instant::now() + env.limits.drain_time + env.limits.close_time;
    let ended = async {
        close_sockets(env).await;
        env.sockets.emptied().await;
        tasks.wait().await;
        env.tasks.wait().await;
    };
    if timeout_at(deadline, ended).await.is_err() {
        warn!(sockets = env.sockets.len(), connections = tasks.len(), "the drain's time is over: stopping");
    }
    phase.send_replace(Phase::Stopped);
    env.stopped.cancel();
    env.sockets.stop_all();
    // What is stopped still runs `disconnect`, which has its own bound.
    let last = Instant::now() + env.limits.disconnect_time;
    let _ = timeout_at(last, async {
        env.sockets.emptied().await;
        tasks.wait().await;
        env.tasks.wait().await;
    })
    .await;
}

/// Closes all sockets, spread over the drain's time, so that their clients do not come back all at once.
async fn close_sockets(env: &Environment) {
    let start = Instant::now();
    let frame = CloseFrame::new(env.limits.drain_code, "restarting");
    let handles = env.sockets.handles();
    let apart =
        (env.limits.drain_time / u32::try_from(handles.len().max(1)).unwrap_or(u32::MAX)).min(MOST_APART);
    for (index, handle) in (0_u32..).zip(&handles) {
        handle.close(frame.clone());
        sleep_until(start + apart * (index + 1)).await;
    }
    // Those whose handshake ended meanwhile.
    for handle in env.sockets.handles() {
        handle.close(frame.clone());
    }
}
