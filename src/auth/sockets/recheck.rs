//! The sure way: open sockets are compared with the stores, many with one query, each once in an interval.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Weak};
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::{self, StreamExt};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::entry::{Entry, Guard};
use super::registry::SHARDS;
use crate::Environment;
use crate::auth::authenticator::{Auth, Inner};
use crate::auth::permission::Ask;
use crate::auth::{SessionStore, StoredUser, User};

/// Sockets that are compared at once: few enough for one query, many enough to need few.
const BATCH: usize = 500;

/// Permissions that are asked at once.
const TOGETHER: usize = 8;

/// Runs beside the connections until the drain begins.
pub(super) fn spawn(auth: &Auth, env: &Environment) -> JoinHandle<()> {
    let (auth, closing) = (Arc::downgrade(auth.inner()), env.closing.clone());
    env.tasks.spawn(async move {
        closing.run_until_cancelled(run(auth)).await;
    })
}

/// Goes round the registry in an interval. Many sockets are spread over it, few are compared together.
async fn run(auth: Weak<Inner>) {
    let mut shard = 0;
    let mut share = 1.0;
    loop {
        let Some(interval) = auth.upgrade().map(|auth| auth.settings.recheck_interval) else { return };
        // Jittered, so that the processes of a deployment do not all ask at once.
        sleep(interval.mul_f64(share * rand::random_range(0.9..1.1)).max(Duration::from_millis(1))).await;
        let Some(auth) = auth.upgrade() else { return };
        let begin = shard;
        let mut batch = Vec::new();
        while shard < SHARDS && batch.len() < BATCH {
            batch.extend(auth.following.registry.sockets(shard));
            shard += 1;
        }
        share = (shard - begin) as f64 / SHARDS as f64;
        shard %= SHARDS;
        for batch in batch.chunks(BATCH) {
            compare(&auth, batch).await;
        }
    }
}

/// Compares some sockets with the stores and closes those that stand on nothing any more.
async fn compare(auth: &Inner, batch: &[Arc<Entry>]) {
    let ended = ended_sessions(batch).await;
    let users = current_users(auth, batch).await;
    let mut standing = Vec::new();
    for (index, entry) in batch.iter().enumerate() {
        match (ended.contains(&index), users.as_ref().map(|users| users.judge(auth, entry))) {
            (true, _) | (_, Some(None)) => entry.end_session(),
            (false, Some(Some(user))) => standing.push((entry, user)),
            (false, None) => standing.push((entry, entry.user.clone())),
        }
    }
    withdraw(&standing).await;
}

/// The places of the sockets whose session is gone. A store that fails ends nothing.
async fn ended_sessions(batch: &[Arc<Entry>]) -> HashSet<usize> {
    let mut by_store: HashMap<usize, Sessions> = HashMap::new();
    for (index, entry) in batch.iter().enumerate() {
        // A session without a key is in use at this moment, or was flushed by its own consumer, which told of it.
        if let (Some(store), Some(key)) = (entry.session.store(), entry.session.current_key()) {
            let new = || Sessions { store: Arc::clone(store), places: Vec::new(), keys: Vec::new() };
            let sessions = by_store.entry(Arc::as_ptr(store).addr()).or_insert_with(new);
            sessions.places.push(index);
            sessions.keys.push(key);
        }
    }
    let mut ended = HashSet::new();
    for sessions in by_store.into_values() {
        ended.extend(sessions.ended().await);
    }
    ended
}

/// The sessions of one store, and whose they are.
struct Sessions {
    store: Arc<dyn SessionStore>,
    places: Vec<usize>,
    keys: Vec<String>,
}

impl Sessions {
    async fn ended(self) -> Vec<usize> {
        let keys: Vec<&str> = self.keys.iter().map(String::as_str).collect();
        match self.store.are_live(&keys).await {
            Ok(live) => self
                .places
                .into_iter()
                .zip(live)
                .filter_map(|(place, live)| (!live).then_some(place))
                .collect(),
            Err(error) => {
                tracing::warn!(%error, "open sockets could not be compared with their sessions");
                Vec::new()
            }
        }
    }
}

/// The users of a batch as their store has them now.
struct Users(HashMap<String, StoredUser>);

/// `None` when the store fails, which ends nothing.
async fn current_users(auth: &Inner, batch: &[Arc<Entry>]) -> Option<Users> {
    let bound = batch.iter().filter(|entry| entry.password != 0);
    let ids: HashSet<&str> = bound.filter_map(|entry| entry.user.id()).collect();
    if ids.is_empty() {
        return Some(Users(HashMap::new()));
    }
    match auth.users.by_ids(&ids.into_iter().collect::<Vec<_>>()).await {
        Ok(users) => Some(Users(users.into_iter().map(|user| (user.account.id.clone(), user)).collect())),
        Err(error) => {
            tracing::warn!(%error, "open sockets could not be compared with their users");
            None
        }
    }
}

impl Users {
    /// The user of a socket as the store has it now; `None` when it may not be used any more.
    fn judge(&self, auth: &Inner, entry: &Entry) -> Option<User> {
        let Some(id) = entry.user.id().filter(|_| entry.password != 0) else {
            return Some(entry.user.clone());
        };
        let stored = self.0.get(id).filter(|stored| stored.account.is_active)?;
        let is_same = auth.following.registry.password_tag(&stored.password) == entry.password;
        is_same.then(|| User::new(stored.account.clone()))
    }
}

/// Asks the permissions of the sockets' routes again. One that fails withdraws nothing.
async fn withdraw(standing: &[(&Arc<Entry>, User)]) {
    let mut by_permission: HashMap<usize, (&Guard, Vec<&Entry>, Vec<Ask>)> = HashMap::new();
    for (entry, user) in standing {
        for guard in entry.guards.iter().flat_map(|guards| guards.iter()) {
            let group = by_permission
                .entry(Arc::as_ptr(&guard.permission).addr())
                .or_insert_with(|| (guard, Vec::new(), Vec::new()));
            group.1.push(entry);
            group.2.push(Ask::new(user.clone(), guard.kwargs.clone()));
        }
    }
    let asked: Vec<BoxFuture<'_, ()>> = by_permission
        .into_values()
        .map(|(guard, entries, asks)| -> BoxFuture<'_, ()> { Box::pin(ask_again(guard, entries, asks)) })
        .collect();
    // One that takes its time shall not hold up all others.
    stream::iter(asked).buffer_unordered(TOGETHER).for_each(|()| std::future::ready(())).await;
}

/// Asks one permission about all sockets that stand on it.
async fn ask_again(guard: &Guard, entries: Vec<&Entry>, asks: Vec<Ask>) {
    match guard.permission.allowed(&asks).await {
        Ok(allowed) => {
            let refused = entries.iter().zip(allowed).filter(|(_, allowed)| !allowed);
            refused.for_each(|(entry, _)| entry.withdraw());
        }
        Err(error) => {
            let (permission, error) = (guard.permission.name(), error.chain());
            tracing::warn!(permission, error, "the permission of open sockets could not be asked again");
        }
    }
}
