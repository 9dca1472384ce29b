//! SQLite's connections at hand: taken and given back without a word to their threads.
//!
//! sqlx's pool asks each connection's thread whether it lives, when it gives the connection out and when it takes it
//! back: two changes of threads more around a query that is one. A connection whose query went well is fit for the
//! next; any other goes back to the pool, which looks after it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use sqlx::Sqlite;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{SqliteConnection, SqlitePool};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep, timeout};

use super::{DatabaseError, DatabaseOptions};

/// Idle connections are looked for so many times in the time that one may be idle.
const LOOKS: u32 = 4;

/// The connections of one database.
pub(super) struct Shelf {
    pool: SqlitePool,
    /// As many as there may be connections, so that nobody waits for one that lies here.
    places: Semaphore,
    acquire_time: Duration,
    /// The one used last is taken first, so that the others may become idle. `None` once closed.
    idle: Mutex<Option<Vec<Resting>>>,
}

struct Resting {
    connection: PoolConnection<Sqlite>,
    since: Instant,
}

/// A connection in use. Dropped without being given back, it returns to the pool.
pub(super) struct Taken<'s> {
    connection: PoolConnection<Sqlite>,
    // Given back after the connection, for whom the next one waits.
    _place: SemaphorePermit<'s>,
}

impl Taken<'_> {
    pub(super) fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.connection
    }
}

impl Shelf {
    /// The connections of `pool`. Those idle for longer than `idle_time` are closed; with `None` none ever is.
    pub(super) fn new(
        pool: SqlitePool,
        connections: u32,
        options: &DatabaseOptions,
        idle_time: Option<Duration>,
    ) -> Arc<Self> {
        let shelf = Arc::new(Self {
            pool,
            places: Semaphore::new(connections as usize),
            acquire_time: options.acquire_time,
            idle: Mutex::new(Some(Vec::new())),
        });
        if let Some(idle_time) = idle_time {
            tokio::spawn(tidy(Arc::downgrade(&shelf), idle_time));
        }
        shelf
    }

    /// A connection, opened when none lies here.
    ///
    /// # Errors
    /// [`DatabaseError::Unavailable`] when all are in use for too long, or no more can be opened.
    pub(super) async fn take(&self) -> Result<Taken<'_>, DatabaseError> {
        let place = timeout(self.acquire_time, self.places.acquire()).await;
        let place = place.map_err(|_| sqlx::Error::PoolTimedOut)?.map_err(|_| sqlx::Error::PoolClosed)?;
        let resting = self.lock().as_mut().and_then(Vec::pop);
        let connection = match resting {
            Some(resting) => resting.connection,
            None => self.pool.acquire().await?,
        };
        Ok(Taken { connection, _place: place })
    }

    /// Puts a connection back whose last query went well.
    pub(super) fn give_back(&self, taken: Taken<'_>) {
        if let Some(idle) = self.lock().as_mut() {
            idle.push(Resting { connection: taken.connection, since: Instant::now() });
        }
    }

    /// Waits until all connections are closed.
    pub(super) async fn close(&self) {
        drop(self.lock().take());
        self.pool.close().await;
    }

    /// Closes those that nobody has used for `idle_time`.
    fn close_idle(&self, idle_time: Duration) {
        if let Some(idle) = self.lock().as_mut() {
            for mut resting in idle.extract_if(.., |resting| resting.since.elapsed() >= idle_time) {
                resting.connection.close_on_drop();
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Vec<Resting>>> {
        // Nothing panics while it is held.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn tidy(shelf: Weak<Shelf>, idle_time: Duration) {
    let pause = (idle_time / LOOKS).max(Duration::from_millis(1));
    loop {
        sleep(pause).await;
        let Some(shelf) = shelf.upgrade() else { return };
        shelf.close_idle(idle_time);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;

    use super::super::sqlite::connect;
    use super::*;

    async fn shelf(folder: &tempfile::TempDir, options: &DatabaseOptions) -> Arc<Shelf> {
        let url = format!("sqlite:{}", folder.path().join("shelf.db").display());
        connect(&url, options).await.unwrap()
    }

    async fn ask(shelf: &Shelf) {
        let mut taken = shelf.take().await.unwrap();
        sqlx::query("SELECT 1").execute(taken.connection()).await.unwrap();
        shelf.give_back(taken);
    }

    #[tokio::test]
    async fn one_query_after_another_needs_one_connection_and_many_at_once_no_more_than_there_may_be() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = shelf(&folder, &DatabaseOptions { connections: 3, ..DatabaseOptions::default() }).await;
        for _ in 0..20 {
            ask(&shelf).await;
        }
        assert_eq!(shelf.pool.size(), 1);
        join_all((0..20).map(|_| ask(&shelf))).await;
        assert!((1..=3).contains(&shelf.pool.size()), "{}", shelf.pool.size());
    }

    #[tokio::test]
    async fn a_query_that_was_given_up_leaves_its_connection_to_the_pool_and_the_next_one_is_answered() {
        let folder = tempfile::tempdir().unwrap();
        let options = DatabaseOptions { connections: 1, ..DatabaseOptions::default() };
        let shelf = shelf(&folder, &options).await;
        drop(shelf.take().await.unwrap());
        ask(&shelf).await;
        assert_eq!(shelf.pool.size(), 1);
    }

    #[tokio::test]
    async fn whoever_waits_too_long_for_a_connection_is_told_that_the_database_is_away() {
        let folder = tempfile::tempdir().unwrap();
        let acquire_time = Duration::from_millis(20);
        let options = DatabaseOptions { connections: 1, acquire_time, ..DatabaseOptions::default() };
        let shelf = shelf(&folder, &options).await;
        let _taken = shelf.take().await.unwrap();
        assert!(shelf.take().await.is_err_and(|error| error.is_unavailable()));
    }

    #[tokio::test]
    async fn an_idle_connection_is_closed_and_so_are_all_in_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let idle_time = Duration::from_millis(20);
        let shelf = shelf(&folder, &DatabaseOptions { idle_time, ..DatabaseOptions::default() }).await;
        ask(&shelf).await;
        timeout(Duration::from_secs(10), async {
            while shelf.pool.size() > 0 {
                tokio::task::yield_now().await;
            }
        })
        .await
        .expect("the idle connection is closed");
        ask(&shelf).await;
        timeout(Duration::from_secs(10), shelf.close()).await.expect("nothing is held back");
        assert!(shelf.take().await.is_err_and(|error| error.is_unavailable()));
    }
}
