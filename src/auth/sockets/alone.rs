//! Sockets of a site that knows no users: each that stands on a permission has a task of its own, which asks again.

use std::time::Duration;

use tokio::task::AbortHandle;
use tokio::time::sleep;

use super::entry::{Guards, withdraw};
use crate::Environment;
use crate::auth::User;
use crate::auth::permission::Ask;
use crate::websocket::SocketHandle;

/// Ends the asking with the socket.
#[derive(Debug)]
pub(super) struct Watch(AbortHandle);

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Begins to ask again, until the socket or the server ends.
pub(super) fn watch(guards: Guards, user: User, socket: SocketHandle, env: &Environment) -> Watch {
    let closing = env.closing.clone();
    let task = env.tasks.spawn(async move {
        closing.run_until_cancelled(ask_again(guards, user, socket)).await;
    });
    Watch(task.abort_handle())
}

async fn ask_again(guards: Guards, user: User, socket: SocketHandle) {
    let interval = guards.iter().map(|guard| guard.permission.recheck_interval()).min().unwrap_or_default();
    loop {
        // Jittered, so that sockets that came together do not ask together for ever.
        sleep(interval.mul_f64(rand::random_range(0.9..1.1)).max(Duration::from_millis(1))).await;
        for guard in guards.iter() {
            let ask = Ask::new(user.clone(), guard.kwargs.clone());
            match guard.permission.allowed(std::slice::from_ref(&ask)).await {
                Ok(allowed) if allowed == [true] => {}
                Ok(_) => return withdraw(&socket),
                Err(error) => {
                    let (permission, error) = (guard.permission.name(), error.chain());
                    tracing::warn!(
                        permission,
                        error,
                        "the permission of an open socket could not be asked again"
                    );
                }
            }
        }
    }
}
