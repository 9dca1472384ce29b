//! All open sockets of a server: the drain, and whoever must reach a socket from outside, find them here.

use std::collections::{BTreeMap, HashMap};
use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use tokio::sync::Notify;

use super::drops::FrameDrops;
use super::outbox::{Outbox, Request};
use super::traffic::{RouteCounters, RouteTraffic, Traffic};
use super::{CloseFrame, Finished, Message, frame};
use crate::Scope;
use crate::auth::User;
use crate::layers::Pushed;

/// Locks are split so that connects and disconnects on many threads do not meet.
const SHARDS: usize = 16;

/// A cheap handle to one open socket: send to it or close it, from anywhere.
#[derive(Debug, Clone)]
pub struct SocketHandle(pub(crate) Arc<Outbox>);

impl SocketHandle {
    /// Sends a message under the route's overflow policy. `false` when it was dropped. Never waits.
    pub fn send(&self, message: &Message) -> bool {
        match self.0.push(frame::message(message, self.0.encoding())) {
            Pushed::Queued { flush } => {
                if flush {
                    self.0.flush();
                }
                true
            }
            Pushed::Dropped | Pushed::Gone | Pushed::Refused => false,
        }
    }

    /// Sends a message once there is room for it.
    ///
    /// # Errors
    /// When the socket takes no more frames at all.
    pub(crate) async fn send_when_room(&self, message: &Message) -> Result<(), Finished> {
        let frame = frame::message(message, self.0.encoding());
        let mut frame = Some(frame);
        poll_fn(|cx| self.0.poll_send(&mut frame, cx)).await?;
        self.0.flush();
        Ok(())
    }

    /// Asks the socket's driver to close it. The first request wins.
    pub fn close(&self, frame: CloseFrame) {
        self.0.request(Request::Close(Box::new(frame)));
    }
}

/// One open socket.
#[derive(Debug)]
struct Open {
    outbox: Arc<Outbox>,
    route: Arc<RouteCounters>,
    path: Arc<str>,
    client: Option<SocketAddr>,
    user: User,
    since: SystemTime,
}

/// Who is connected where, since when.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SocketInfo {
    /// The route's pattern.
    pub route: Arc<str>,
    /// The path as it stood in the request line, without its query.
    pub path: String,
    /// The client's address.
    pub client: Option<SocketAddr>,
    /// The user as the handshake knew it.
    pub user: User,
    /// When the handshake was accepted.
    pub since: SystemTime,
    /// What has passed so far.
    pub traffic: Traffic,
}

impl Open {
    fn info(&self) -> SocketInfo {
        SocketInfo {
            route: Arc::clone(&self.route.name),
            path: self.path.to_string(),
            client: self.client,
            user: self.user.clone(),
            since: self.since,
            traffic: self.outbox.traffic(),
        }
    }
}

/// All open sockets of a server.
///
/// Of a server that is about to lose its database:
///
/// ```
/// use solent::Environment;
/// use solent::websocket::{CloseCode, CloseFrame, Sockets};
///
/// /// Has all clients come back later, and says who they were.
/// fn send_home(env: &Environment) {
///     let sockets: &Sockets = &env.sockets;
///     for socket in sockets.list() {
///         println!("{} {} since {:?}", socket.path, socket.user.username(), socket.since);
///     }
///     for handle in sockets.handles() {
///         handle.close(CloseFrame::new(CloseCode::RESTART, "back in a minute"));
///     }
/// }
/// # send_home(&Environment::default());
/// ```
#[derive(Debug, Default)]
pub struct Sockets {
    // Boxed: a table keeps up to twice as many places as it has entries.
    shards: [Mutex<HashMap<u64, Box<Open>>>; SHARDS],
    next: AtomicU64,
    open: AtomicUsize,
    pub(crate) drops: Arc<FrameDrops>,
    emptied: Notify,
    routes: Mutex<BTreeMap<Arc<str>, Arc<RouteCounters>>>,
}

impl Sockets {
    /// How many sockets are open.
    pub fn len(&self) -> usize {
        self.open.load(Ordering::Acquire)
    }

    /// Whether no socket is open.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many frames were dropped because a client read too slowly, since the start: the newest or the oldest, by
    /// the route's overflow policy.
    pub fn dropped_frames(&self) -> u64 {
        self.drops.total()
    }

    /// Handles to all sockets that are open now.
    pub fn handles(&self) -> Vec<SocketHandle> {
        self.shards
            .iter()
            .flat_map(|shard| lock(shard).values().map(|open| Arc::clone(&open.outbox)).collect::<Vec<_>>())
            .map(SocketHandle)
            .collect()
    }

    /// Ends all sockets now, without a close handshake.
    pub(crate) fn stop_all(&self) {
        for handle in self.handles() {
            handle.0.request(Request::Stop);
        }
    }

    /// Waits until no socket is open. Cancel safe.
    pub(crate) async fn emptied(&self) {
        loop {
            let emptied = self.emptied.notified();
            if self.is_empty() {
                return;
            }
            emptied.await;
        }
    }

    pub(super) fn enter(self: &Arc<Self>, outbox: &Arc<Outbox>, scope: &Scope) -> Registration {
        let route = self.route(&scope.url_route.pattern);
        route.opened.fetch_add(1, Ordering::Relaxed);
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        self.open.fetch_add(1, Ordering::AcqRel);
        let open = Open {
            outbox: Arc::clone(outbox),
            route,
            path: Arc::clone(&scope.raw_path),
            client: scope.client,
            user: scope.user.clone(),
            since: SystemTime::now(),
        };
        lock(self.shard(id)).insert(id, Box::new(open));
        Registration { sockets: Arc::clone(self), id }
    }

    /// All sockets that are open now, the oldest first.
    pub fn list(&self) -> Vec<SocketInfo> {
        let mut all = Vec::with_capacity(self.len());
        for shard in &self.shards {
            all.extend(lock(shard).values().map(|open| open.info()));
        }
        all.sort_by_key(|info| info.since);
        all
    }

    /// What has passed through the sockets of each route since the start, those that are open included.
    pub fn traffic(&self) -> BTreeMap<Arc<str>, RouteTraffic> {
        // All at once, so that no socket is counted both as open and as closed: a counter that falls looks like a
        // restart to who reads it.
        let shards: Vec<_> = self.shards.iter().map(lock).collect();
        let routes = lock(&self.routes);
        let closed = routes.iter().map(|(name, route)| (Arc::clone(name), route.snapshot()));
        let mut traffic: BTreeMap<_, _> = closed.collect();
        for open in shards.iter().flat_map(|shard| shard.values()) {
            if let Some(route) = traffic.get_mut(&open.route.name) {
                route.open += 1;
                route.traffic.add(open.outbox.traffic());
            }
        }
        traffic
    }

    fn route(&self, name: &Arc<str>) -> Arc<RouteCounters> {
        let mut routes = lock(&self.routes);
        if let Some(route) = routes.get(name) {
            return Arc::clone(route);
        }
        let route = Arc::new(RouteCounters::new(Arc::clone(name)));
        routes.insert(Arc::clone(name), Arc::clone(&route));
        route
    }

    fn shard(&self, id: u64) -> &Mutex<HashMap<u64, Box<Open>>> {
        &self.shards[id as usize % SHARDS]
    }
}

/// A socket's place among the open ones; given back when dropped.
#[derive(Debug)]
pub(super) struct Registration {
    sockets: Arc<Sockets>,
    id: u64,
}

impl Drop for Registration {
    fn drop(&mut self) {
        let mut shard = lock(self.sockets.shard(self.id));
        if let Some(open) = shard.remove(&self.id) {
            open.route.end(open.outbox.traffic());
        }
        if shard.len() * 4 < shard.capacity() {
            shard.shrink_to_fit();
        }
        drop(shard);
        if self.sockets.open.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.sockets.emptied.notify_waiters();
        }
    }
}

fn lock<T>(map: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic can't leave a map half-changed.
    map.lock().unwrap_or_else(PoisonError::into_inner)
}
