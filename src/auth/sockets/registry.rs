//! The followed sockets of this process, by their session's tag.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinHandle};
use tokio::time::Instant;

use super::entry::Entry;

/// Locks are split so that connects and disconnects on many threads do not meet.
pub(super) const SHARDS: usize = 16;

/// A message that comes while a handshake runs concerns a socket that is not here yet; so long it is remembered.
const REMEMBERED: Duration = Duration::from_secs(15);

/// More messages than this are not remembered; the comparison with the database finds what they would have told.
const REMEMBERED_MESSAGES: usize = 4096;

pub(super) struct Registry {
    shards: [Mutex<Shard>; SHARDS],
    recent: Mutex<VecDeque<(Instant, Tag)>>,
    hasher: RandomState,
    tasks: Mutex<Vec<AbortHandle>>,
    ear: watch::Sender<Ear>,
}

/// How far this process is with listening to the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ear {
    Starting,
    Listening,
    /// The layer is away, or there is none.
    Deaf,
}

/// Nearly every session has one socket; several tabs share one.
type Shard = HashMap<u64, Sockets>;

enum Sockets {
    One(Weak<Entry>),
    Many(Vec<Weak<Entry>>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Tag {
    Session(u64),
    User(u64),
}

impl Registry {
    pub(super) fn new() -> Self {
        Self {
            shards: Default::default(),
            recent: Mutex::default(),
            hasher: RandomState::new(),
            tasks: Mutex::default(),
            ear: watch::Sender::new(Ear::Deaf),
        }
    }

    /// A password column as 64 bits that mean nothing outside this process.
    pub(super) fn password_tag(&self, column: &str) -> u64 {
        // 0 stands for no password.
        self.hasher.hash_one(column).max(1)
    }

    /// Takes a socket in, whose handshake asked who its user is at `made`. One whose session ended since is closed.
    pub(super) fn enter(&self, entry: &Arc<Entry>, made: Instant) {
        let socket = Arc::downgrade(entry);
        let mut shard = lock(self.shard(entry.session_tag));
        match shard.get_mut(&entry.session_tag) {
            Some(sockets) => sockets.push(socket),
            None => {
                shard.insert(entry.session_tag, Sockets::One(socket));
            }
        }
        drop(shard);
        let concerns = |tag: &Tag| match *tag {
            Tag::Session(tag) => tag == entry.session_tag,
            Tag::User(tag) => tag == entry.user_tag,
        };
        if lock(&self.recent).iter().any(|(when, tag)| *when >= made && concerns(tag)) {
            entry.end_session();
        }
    }

    pub(super) fn leave(&self, entry: &Entry) {
        let mut shard = lock(self.shard(entry.session_tag));
        let Some(sockets) = shard.get_mut(&entry.session_tag) else { return };
        let is_empty = match sockets {
            Sockets::One(socket) => std::ptr::eq(socket.as_ptr(), entry),
            Sockets::Many(sockets) => {
                sockets.retain(|socket| !std::ptr::eq(socket.as_ptr(), entry));
                sockets.is_empty()
            }
        };
        if is_empty {
            shard.remove(&entry.session_tag);
        }
        if shard.len() * 4 < shard.capacity() {
            shard.shrink_to_fit();
        }
    }

    /// Closes the sockets of the sessions with these tags.
    pub(super) fn end_sessions(&self, tags: &[u64]) {
        for &tag in tags {
            self.remember(Tag::Session(tag));
            let sockets = lock(self.shard(tag)).get(&tag).map(Sockets::alive).unwrap_or_default();
            sockets.iter().for_each(|entry| entry.end_session());
        }
    }

    /// Closes the sockets of the users with these tags. They are not indexed: it happens once in a password's life.
    pub(super) fn end_users(&self, tags: &[u64]) {
        tags.iter().for_each(|&tag| self.remember(Tag::User(tag)));
        for shard in 0..SHARDS {
            let concerned = self.sockets(shard).into_iter().filter(|entry| tags.contains(&entry.user_tag));
            concerned.for_each(|entry| entry.end_session());
        }
    }

    /// All sockets of a shard.
    pub(super) fn sockets(&self, shard: usize) -> Vec<Arc<Entry>> {
        // Collected before any of them is dropped: that would want the lock again.
        let sockets: Vec<Vec<Arc<Entry>>> = lock(&self.shards[shard]).values().map(Sockets::alive).collect();
        sockets.into_iter().flatten().collect()
    }

    /// Starts the two tasks of this registry, if they do not run.
    pub(super) fn keep_running(
        &self,
        recheck: impl FnOnce() -> JoinHandle<()>,
        control: impl FnOnce() -> Option<JoinHandle<()>>,
    ) {
        let mut tasks = lock(&self.tasks);
        if tasks.is_empty() || tasks.iter().any(AbortHandle::is_finished) {
            tasks.iter().for_each(AbortHandle::abort);
            let control = control();
            self.ear.send_replace(if control.is_some() { Ear::Starting } else { Ear::Deaf });
            *tasks = control.into_iter().chain([recheck()]).map(|task| task.abort_handle()).collect();
        }
    }

    /// Notes how far the listening is.
    pub(super) fn hears(&self, ear: Ear) {
        self.ear.send_replace(ear);
    }

    /// Waits until the others are listened to, or cannot be.
    pub(super) async fn settled(&self) {
        if *self.ear.borrow() != Ear::Starting {
            return;
        }
        // The sender lives as long as this.
        let _ = self.ear.subscribe().wait_for(|ear| *ear != Ear::Starting).await;
    }

    fn remember(&self, tag: Tag) {
        let mut recent = lock(&self.recent);
        let now = Instant::now();
        while recent.front().is_some_and(|(when, _)| now - *when > REMEMBERED)
            || recent.len() >= REMEMBERED_MESSAGES
        {
            recent.pop_front();
        }
        recent.push_back((now, tag));
    }

    fn shard(&self, tag: u64) -> &Mutex<Shard> {
        &self.shards[tag as usize % SHARDS]
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        lock(&self.tasks).iter().for_each(AbortHandle::abort);
    }
}

impl Sockets {
    fn push(&mut self, socket: Weak<Entry>) {
        match self {
            Self::One(first) => *self = Self::Many(vec![std::mem::take(first), socket]),
            Self::Many(sockets) => sockets.push(socket),
        }
    }

    fn alive(&self) -> Vec<Arc<Entry>> {
        match self {
            Self::One(socket) => socket.upgrade().into_iter().collect(),
            Self::Many(sockets) => sockets.iter().filter_map(Weak::upgrade).collect(),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while one of these is held.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
