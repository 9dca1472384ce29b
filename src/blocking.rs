//! The bounded pool on which blocking views and blocking consumers run.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::Limits;

/// Runs blocking closures on at most so many threads, with at most so many waiting.
///
/// It bounds what tokio's own blocking threads would do without limit. Cheap to clone; all clones share the bounds.
/// One server has one, in its [`Environment`](crate::Environment).
///
/// ```
/// # use solent::{BlockingPool, Limits};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), solent::PoolError> {
/// let pool = BlockingPool::new(&Limits::default());
/// assert_eq!(pool.run(|| 6 * 7).await?, 42);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct BlockingPool(Arc<Bounds>);

#[derive(Debug)]
struct Bounds {
    threads: Arc<Semaphore>,
    waiting: AtomicUsize,
    queue: usize,
}

/// Why a blocking call gave no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PoolError {
    /// As many calls as allowed are waiting for a thread already.
    #[error(
        "{queue} blocking calls are waiting for a thread already (limits: blocking_queue, blocking_threads)"
    )]
    Full {
        /// How many may wait.
        queue: usize,
    },
    /// The closure panicked.
    #[error("a blocking call panicked: {0}")]
    Panicked(String),
    /// The runtime is shutting down.
    #[error("the runtime is shutting down")]
    ShutDown,
}

impl BlockingPool {
    /// A pool with the bounds `blocking_threads` and `blocking_queue`.
    pub fn new(limits: &Limits) -> Self {
        Self(Arc::new(Bounds {
            threads: Arc::new(Semaphore::new(limits.blocking_threads.clamp(1, Semaphore::MAX_PERMITS))),
            waiting: AtomicUsize::new(0),
            queue: limits.blocking_queue,
        }))
    }

    /// Runs `work` on a blocking thread, inside the caller's tracing span, and gives its value.
    ///
    /// # Errors
    /// [`PoolError::Full`] at once when the queue is full; [`PoolError::Panicked`] with the panic's text;
    /// [`PoolError::ShutDown`].
    ///
    /// # Cancel safety
    /// A call that is dropped while it waits never runs. One that is running runs on and its value is lost; its
    /// thread counts until it ends.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, PoolError> {
        self.place().await?.run(work).await
    }

    /// Waits for a thread.
    ///
    /// # Errors
    /// [`PoolError::Full`] at once when the queue is full.
    ///
    /// # Cancel safety
    /// A wait that is dropped gives its place in the queue up.
    pub(crate) async fn place(&self) -> Result<Place, PoolError> {
        if let Ok(permit) = Arc::clone(&self.0.threads).try_acquire_owned() {
            return Ok(Place(permit));
        }
        let _turn = self.0.enter_queue()?;
        self.turn().await
    }

    /// Waits for a thread, however many wait already: for callers that are bounded otherwise.
    ///
    /// # Errors
    /// [`PoolError::ShutDown`].
    ///
    /// # Cancel safety
    /// A wait that is dropped gives its place in the line up.
    pub(crate) async fn turn(&self) -> Result<Place, PoolError> {
        let permit = Arc::clone(&self.0.threads).acquire_owned().await;
        permit.map(Place).map_err(|_| PoolError::ShutDown)
    }
}

/// A thread's worth of the pool.
#[derive(Debug)]
pub(crate) struct Place(#[expect(dead_code, reason = "held for its drop")] OwnedSemaphorePermit);

impl Place {
    /// Runs `work` on a blocking thread, inside the caller's tracing span.
    ///
    /// # Errors
    /// [`PoolError::Panicked`], [`PoolError::ShutDown`].
    pub(crate) async fn run<T: Send + 'static>(
        self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, PoolError> {
        let span = tracing::Span::current();
        let task = tokio::task::spawn_blocking(move || {
            let _place = self;
            span.in_scope(work)
        });
        task.await.map_err(|error| match error.try_into_panic() {
            Ok(panic) => PoolError::Panicked(panic_text(&*panic)),
            Err(_) => PoolError::ShutDown,
        })
    }
}

impl Default for BlockingPool {
    fn default() -> Self {
        Self::new(&Limits::default())
    }
}

impl Bounds {
    fn enter_queue(&self) -> Result<Turn<'_>, PoolError> {
        let turn = Turn(&self.waiting);
        // Counted first and checked after, so that two callers cannot share the last place.
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= self.queue {
            return Err(PoolError::Full { queue: self.queue });
        }
        Ok(turn)
    }
}

/// A place in the queue, given back on every path.
struct Turn<'a>(&'a AtomicUsize);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The text of a panic, for log entries and errors.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a text".to_owned())
}
