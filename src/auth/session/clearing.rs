//! Clearing of expired sessions while the server runs: nobody else takes the rows of visitors who never come back.

use std::future::{Ready, ready};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::SessionStore;
use crate::{Environment, Result};

/// A start-up hook that clears expired sessions once in every interval, for as long as the server runs.
///
/// Several processes may do so on one database; the times are jittered, so that they do not all begin at once. A store
/// that is away is tried again an interval later.
///
/// ```
/// use solent::auth::{MemorySessions, SessionStore, clear_expired_sessions};
/// use solent::middleware::SessionLayer;
/// use solent::routing::ProtocolTypeRouter;
/// use solent::server::Server;
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// let store: Arc<dyn SessionStore> = Arc::new(MemorySessions::new());
/// let sessions = SessionLayer::new(Arc::clone(&store));
/// let server = Server::new(ProtocolTypeRouter::new())
///     .on_startup(clear_expired_sessions(store, Duration::from_secs(3600)));
/// ```
pub fn clear_expired_sessions(
    store: Arc<dyn SessionStore>,
    every: Duration,
) -> impl FnOnce(Arc<Environment>) -> Ready<Result<()>> + Send + 'static {
    move |env| {
        let closing = env.closing.clone();
        env.tasks.spawn(async move {
            closing.run_until_cancelled(run(store, every)).await;
        });
        ready(Ok(()))
    }
}

async fn run(store: Arc<dyn SessionStore>, every: Duration) {
    loop {
        sleep(every.mul_f64(rand::random_range(0.9..1.1)).max(Duration::from_millis(1))).await;
        match store.clear_expired().await {
            Ok(0) => {}
            Ok(cleared) => tracing::info!(cleared, "cleared expired sessions"),
            Err(error) => tracing::warn!(%error, "expired sessions could not be cleared"),
        }
    }
}
