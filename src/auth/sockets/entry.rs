//! One open socket and what it stands on.

use std::fmt;
use std::sync::Arc;

use super::alone::Watch;
use super::registry::Registry;
use crate::auth::permission::Permission;
use crate::auth::{Session, User};
use crate::websocket::{CloseCode, CloseFrame, SocketHandle};
use crate::{Kwargs, Protocol, Scope};

/// One open socket and what it stands on. What it holds, the connection's scope holds anyway.
pub(super) struct Entry {
    /// No session for a socket that stands on a permission alone.
    pub(super) session: Session,
    pub(super) user: User,
    /// The password column, hashed, as it was at the handshake; 0 for a user that no session names.
    pub(super) password: u64,
    pub(super) session_tag: u64,
    pub(super) user_tag: u64,
    pub(super) guards: Option<Guards>,
    pub(super) socket: SocketHandle,
    pub(super) registry: Arc<Registry>,
}

impl Entry {
    /// Closes the socket because its session or its user is no more.
    pub(super) fn end_session(&self) {
        self.socket.close(CloseFrame::new(CloseCode::SESSION_ENDED, "session ended"));
    }

    /// Closes the socket because its permission was withdrawn.
    pub(super) fn withdraw(&self) {
        withdraw(&self.socket);
    }
}

/// Closes a socket because its permission was withdrawn.
pub(super) fn withdraw(socket: &SocketHandle) {
    socket.close(CloseFrame::new(CloseCode::FORBIDDEN, "permission withdrawn"));
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.registry.leave(self);
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry").field("user", &self.user.username()).finish_non_exhaustive()
    }
}

/// What keeps a socket among the followed ones; it lives as long as the connection.
#[derive(Debug)]
pub(crate) struct Lease(#[allow(dead_code, reason = "held, never read")] Held);

#[derive(Debug)]
#[allow(dead_code, reason = "held, never read")]
enum Held {
    Entry(Arc<Entry>),
    Watch(Watch),
}

impl Lease {
    /// Of a socket that its site's [`Auth`](crate::auth::Auth) follows with all others.
    pub(super) fn of_entry(entry: Arc<Entry>) -> Self {
        Self(Held::Entry(entry))
    }

    /// Of a socket that is followed for its permissions alone.
    pub(super) fn of_watch(watch: Watch) -> Self {
        Self(Held::Watch(watch))
    }
}

/// The permissions that a connection has passed on its way, which are asked again while it is open.
#[derive(Clone, Default, Debug)]
pub(super) struct Guards(Arc<Vec<Guard>>);

/// A permission and what it was asked about.
#[derive(Clone, Debug)]
pub(super) struct Guard {
    pub(super) permission: Arc<dyn Permission>,
    pub(super) kwargs: Kwargs,
}

/// Notes that a connection has passed a permission and stands on it from now on. A request, which is soon over, does not.
pub(crate) fn guard(scope: &mut Scope, permission: Arc<dyn Permission>) {
    if scope.protocol == Protocol::WEBSOCKET {
        let kwargs = scope.url_route.kwargs.clone();
        let mut guards = scope.extensions.remove::<Guards>().unwrap_or_default();
        Arc::make_mut(&mut guards.0).push(Guard { permission, kwargs });
        scope.extensions.insert(guards);
    }
}

impl Guards {
    pub(super) fn iter(&self) -> impl Iterator<Item = &Guard> {
        self.0.iter()
    }
}
