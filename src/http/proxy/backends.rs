//! Several servers behind that can stand in for each other: whose turn it is, and who is left out for now.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;

use tokio::time::{Instant, interval};
use tokio_util::task::AbortOnDropHandle;

use super::pool::Pool;
use super::settings::Settings;
use super::upstream::Upstream;

/// The servers of one proxy; never empty.
#[derive(Debug)]
pub(super) struct Backends {
    first: Backend,
    others: Vec<Backend>,
    next: AtomicUsize,
    checking: OnceLock<AbortOnDropHandle<()>>,
}

/// One server, and until when it is left out.
#[derive(Debug)]
pub(super) struct Backend {
    pub(super) pool: Arc<Pool>,
    out_until: Mutex<Option<Instant>>,
}

impl Backend {
    fn new(upstream: Upstream, settings: &Settings) -> Self {
        Self { pool: Arc::new(Pool::new(upstream, settings.clone())), out_until: Mutex::default() }
    }

    fn is_out(&self) -> bool {
        let until = *self.out_until.lock().unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| until > Instant::now())
    }

    /// It has answered, or a check has found it well.
    pub(super) fn is_well(&self) {
        let was_out = self.out_until.lock().unwrap_or_else(PoisonError::into_inner).take().is_some();
        if was_out {
            tracing::info!(upstream = self.pool.name(), "a server behind is back");
        }
    }

    /// It cannot be reached, or a check has failed: others are asked for a while.
    pub(super) fn has_failed(&self, time: Duration) {
        let until = Instant::now() + time;
        let before = self.out_until.lock().unwrap_or_else(PoisonError::into_inner).replace(until);
        if before.is_none() {
            tracing::warn!(upstream = self.pool.name(), "a server behind is left out for now");
        }
    }
}

impl Backends {
    pub(super) fn new(upstreams: (Upstream, Vec<Upstream>), settings: &Settings) -> Self {
        Self {
            first: Backend::new(upstreams.0, settings),
            others: upstreams.1.into_iter().map(|upstream| Backend::new(upstream, settings)).collect(),
            next: AtomicUsize::new(0),
            checking: OnceLock::new(),
        }
    }

    pub(super) fn settings(&self) -> &Settings {
        self.first.pool.settings()
    }

    pub(super) fn upstreams(&self) -> (Upstream, Vec<Upstream>) {
        let others = self.others.iter().map(|backend| backend.pool.upstream().clone());
        (self.first.pool.upstream().clone(), others.collect())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Backend> + Clone {
        std::iter::once(&self.first).chain(&self.others)
    }

    /// The servers in the order in which one request asks them: in turn, those that are left out last.
    pub(super) fn order(self: &Arc<Self>) -> Vec<&Backend> {
        self.begin_checking();
        if self.others.is_empty() {
            return vec![&self.first];
        }
        let count = self.others.len() + 1;
        let start = self.next.fetch_add(1, Relaxed) % count;
        let mut order: Vec<_> = self.iter().cycle().skip(start).take(count).collect();
        order.sort_by_key(|backend| backend.is_out());
        order
    }

    /// Starts the checks with the first request, for which a runtime is there.
    fn begin_checking(self: &Arc<Self>) {
        let Some((path, time)) = &self.settings().health_check else { return };
        self.checking.get_or_init(|| {
            let checking = check_all(Arc::downgrade(self), path.clone(), *time);
            AbortOnDropHandle::new(tokio::spawn(checking))
        });
    }
}

/// Asks every server again and again, for as long as the proxy is there.
async fn check_all(backends: Weak<Backends>, path: String, time: Duration) {
    let mut ticks = interval(time);
    loop {
        ticks.tick().await;
        let Some(backends) = backends.upgrade() else { return };
        for backend in backends.iter() {
            match backend.pool.probe(&path).await {
                Ok(()) => backend.is_well(),
                // Until the next check, with some time to spare for it.
                Err(_) => backend.has_failed(time * 2),
            }
        }
    }
}
