//! Sockets follow the user: when a session ends, its user is deactivated or changes password, or a permission is
//! withdrawn, the open sockets that stood on it are closed.
//!
//! There are two ways. What is done here is told at once to every process over one group of the channel layer
//! ([`control`]); what Django did is noticed when the sockets are compared with the database ([`recheck`]), many with
//! one query. Stores that are away close nobody. A site that knows no users has permissions only, which are asked again
//! for each socket ([`alone`]).

mod alone;
mod control;
mod entry;
mod recheck;
mod registry;
mod tags;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::{Auth, SecretKeys};
use crate::websocket::SocketHandle;
use crate::{Environment, Scope};

use entry::{Entry, Guards};
pub(crate) use entry::{Lease, guard};
use registry::Registry;
use tags::Tags;

/// All open sockets that stand on a session or a permission, in this process.
#[derive(Clone)]
pub(super) struct Following {
    registry: Arc<Registry>,
    tags: Tags,
}

/// What the handshake learned of the user, until the socket opens.
#[derive(Clone)]
pub(super) struct Ticket {
    password: u64,
    made: Instant,
}

impl Following {
    pub(super) fn new(keys: &SecretKeys) -> Self {
        Self { registry: Arc::new(Registry::new()), tags: Tags::new(keys) }
    }

    /// What binds a socket to the password that its session was verified against.
    pub(super) fn ticket(&self, password_column: &str) -> Ticket {
        Ticket { password: self.registry.password_tag(password_column), made: Instant::now() }
    }

    /// Closes the sockets of a session, in every process.
    pub(super) async fn session_ended(&self, env: &Environment, key: &str) {
        let tags = self.tags.of_session(key);
        self.registry.end_sessions(&tags);
        control::tell(env, &control::Ended { sessions: tags, users: Vec::new() }).await;
    }

    /// Closes the sockets of a user, in every process.
    pub(super) async fn user_changed(&self, env: &Environment, id: &str) {
        let tags = self.tags.of_user(id);
        self.registry.end_users(&tags);
        control::tell(env, &control::Ended { sessions: Vec::new(), users: tags }).await;
    }
}

/// How long a handshake waits for the first subscription of its process.
const SUBSCRIPTION_TIME: Duration = Duration::from_secs(1);

/// Makes sure that this process hears of sessions that end elsewhere, before it opens a socket on one.
pub(super) async fn prepare(auth: &Auth, env: &Environment) {
    let registry = &auth.inner().following.registry;
    registry.keep_running(|| recheck::spawn(auth, env), || control::spawn(auth, env));
    // If it takes longer, the comparison with the database finds what was not heard.
    let _ = timeout(SUBSCRIPTION_TIME, registry.settled()).await;
}

/// Begins to watch over a socket that has just been accepted, for as long as the lease is held. Called once, when the
/// session's key is final.
pub(crate) fn follow(scope: &mut Scope, socket: SocketHandle) -> Option<Lease> {
    let guards = scope.extensions.remove::<Guards>();
    let Some(auth) = scope.auth.clone() else {
        let watch = alone::watch(guards?, scope.user.clone(), socket, &scope.env);
        return Some(Lease::of_watch(watch));
    };
    let ticket = scope.extensions.remove::<Ticket>();
    if ticket.is_none() && guards.is_none() {
        return None;
    }
    let following = &auth.inner().following;
    let made = ticket.as_ref().map_or_else(Instant::now, |ticket| ticket.made);
    let key = if scope.user.is_authenticated() { scope.session.current_key() } else { None };
    let entry = Arc::new(Entry {
        // Without a session any place will do.
        session_tag: key.as_deref().map_or_else(rand::random, |key| following.tags.index_of_session(key)),
        user_tag: scope.user.id().map_or(0, |id| following.tags.index_of_user(id)),
        password: ticket.map_or(0, |ticket| ticket.password),
        session: if key.is_some() { scope.session.clone() } else { super::Session::default() },
        user: scope.user.clone(),
        guards,
        socket,
        registry: Arc::clone(&following.registry),
    });
    following.registry.enter(&entry, made);
    following
        .registry
        .keep_running(|| recheck::spawn(&auth, &scope.env), || control::spawn(&auth, &scope.env));
    Some(Lease::of_entry(entry))
}
