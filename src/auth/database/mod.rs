//! The database that users and sessions live in: SQLite, embedded, or PostgreSQL by URL.
//!
//! It is Django's database, or one that Django could take over: the same tables, the same text for times. A small
//! query interface with named parameters is open to views.

mod error;
mod options;
mod parameters;
mod placeholders;
mod postgres;
mod schema;
mod sqlite;
mod sqlite_shelf;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};
use sqlx::PgPool;
use tokio::time::timeout;

pub use error::DatabaseError;
pub use options::DatabaseOptions;
pub use parameters::Parameter;
use placeholders::{Dialect, Statement};
use sqlite_shelf::Shelf;

use super::UserTable;

/// A row: its columns' values by name, as templates and JSON take them.
pub type Row = Map<String, Value>;

/// A pool of connections to one database. Cheap to clone.
///
/// # Cancel safety
/// A statement whose future is dropped while it waits for a connection is not run; one that was sent may still be run to its
/// end. Migrations that are broken off leave the tables made so far, and go on from there the next time.
///
/// ```
/// use solent::auth::{Database, DatabaseOptions};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), solent::auth::DatabaseError> {
/// let database = Database::connect("sqlite::memory:", DatabaseOptions::default()).await?;
/// database.execute("CREATE TABLE course (id integer PRIMARY KEY, title text)", &[]).await?;
/// database.execute("INSERT INTO course (title) VALUES (:title)", &[("title", "Networks".into())]).await?;
/// let courses = database.rows("SELECT title FROM course WHERE id = :id", &[("id", 1.into())]).await?;
/// assert_eq!(courses[0]["title"], "Networks");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Database {
    pool: Pool,
    query_time: Duration,
}

/// One pool per kind of database. Another kind is another variant and another file beside `postgres` and `sqlite`.
// PostgreSQL's futures are boxed wherever they are awaited: they take 14 KiB, which every query to SQLite would move too.
#[derive(Clone)]
enum Pool {
    Sqlite(Arc<Shelf>),
    Postgres(PgPool),
}

impl Database {
    /// Opens a database by its URL: `sqlite:path`, `sqlite::memory:` or `postgres://user:password@host/name`.
    ///
    /// A SQLite file that is not there is created, in WAL mode and for this user alone; one that is there keeps its
    /// settings.
    ///
    /// # Errors
    /// [`DatabaseError::Url`] for a URL that is no such thing, and every error of a first connection.
    pub async fn connect(url: &str, options: DatabaseOptions) -> Result<Self, DatabaseError> {
        let pool = match url.split_once(':') {
            Some(("sqlite", _)) => Pool::Sqlite(sqlite::connect(url, &options).await?),
            Some(("postgres" | "postgresql", _)) => Pool::Postgres(postgres::connect(url, &options).await?),
            _ => return Err(DatabaseError::url(url)),
        };
        Ok(Self { pool, query_time: options.query_time })
    }

    /// Creates Django's tables of users and sessions where they are missing; leaves those that are there as they are.
    ///
    /// A Django that joins later makes its other tables with `migrate --fake-initial`, which takes `django_session` as it
    /// is. It wants to make `auth_user` itself, together with groups and permissions: copy the rows elsewhere
    /// (`CREATE TABLE solent_user AS SELECT * FROM auth_user`), drop the table, migrate, and copy them back by column; in
    /// PostgreSQL, set the sequence of `id` to the highest one. Users keep their passwords and stay logged in.
    ///
    /// # Errors
    /// As [`rows`](Self::rows).
    pub async fn migrate(&self) -> Result<(), DatabaseError> {
        schema::create_missing(self, &UserTable::default()).await
    }

    /// As [`migrate`](Self::migrate), for a site with a user model of its own (`AUTH_USER_MODEL`): its table is left
    /// to the site, and Django's `auth_user` is not created beside it.
    ///
    /// # Errors
    /// As [`rows`](Self::rows).
    pub async fn migrate_with_users_in(&self, users: &UserTable) -> Result<(), DatabaseError> {
        schema::create_missing(self, users).await
    }

    /// Which of Django's tables of users and sessions [`migrate_with_users_in`](Self::migrate_with_users_in) would create.
    ///
    /// # Errors
    /// As [`rows`](Self::rows).
    pub async fn missing_tables(&self, users: &UserTable) -> Result<Vec<&'static str>, DatabaseError> {
        schema::missing(self, users).await.map(|tables| tables.into_iter().map(|table| table.name).collect())
    }

    /// Whether values have no types of their own here, so that a UUID is the text that somebody wrote.
    pub(super) fn is_untyped(&self) -> bool {
        self.dialect() == Dialect::Sqlite
    }

    /// All rows of a query with named parameters, `:name`.
    ///
    /// A parameter is bound with the type that the statement has at its place, so that a text from a URL fits a whole
    /// number. A list stands for its items: `id IN (:ids)`.
    ///
    /// # Errors
    /// [`DatabaseError::Unfit`] for a value that does not fit its place, which unhandled is “not found”;
    /// [`DatabaseError::Unavailable`] when the database is away or too slow, which is a 503;
    /// [`DatabaseError::Statement`] for a parameter that is not given; what the database itself says.
    ///
    /// # Cancel safety
    /// A query that is dropped may still be carried out.
    pub async fn rows(&self, sql: &str, parameters: &[(&str, Parameter)]) -> Result<Vec<Row>, DatabaseError> {
        self.run(&Statement::new(sql, self.dialect(), parameters)?).await
    }

    /// The first row of a query, when there is one.
    ///
    /// # Errors
    /// As [`rows`](Self::rows).
    pub async fn row(
        &self,
        sql: &str,
        parameters: &[(&str, Parameter)],
    ) -> Result<Option<Row>, DatabaseError> {
        let statement = Statement::new(sql, self.dialect(), parameters)?;
        self.bounded(async {
            match &self.pool {
                Pool::Sqlite(shelf) => sqlite::row(shelf, &statement).await,
                Pool::Postgres(pool) => Box::pin(postgres::row(pool, &statement)).await,
            }
        })
        .await
    }

    /// For which of many sets of values a query finds a row, in their order: one statement for all.
    ///
    /// # Errors
    /// As [`rows`](Self::rows).
    pub(super) async fn exist(
        &self,
        sql: &str,
        sets: &[&[(&str, Parameter)]],
    ) -> Result<Vec<bool>, DatabaseError> {
        if sets.is_empty() {
            return Ok(Vec::new());
        }
        let rows = self.run(&Statement::exist(sql, self.dialect(), sets)?).await?;
        let mut found = vec![false; sets.len()];
        for number in rows.iter().filter_map(|row| row["number"].as_u64()) {
            if let Some(found) = found.get_mut(number as usize) {
                *found = true;
            }
        }
        Ok(found)
    }

    /// Has a statement understood by the database, with parameters of these names, and not carried out: tells before a
    /// program serves anybody whether its queries fit the database's tables.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> solent::Result<()> {
    /// use solent::auth::{Database, DatabaseOptions};
    ///
    /// let database = Database::connect("sqlite::memory:", DatabaseOptions::default()).await?;
    /// database.execute("CREATE TABLE room (id INTEGER, title TEXT)", &[]).await?;
    /// assert!(database.prepare("SELECT title FROM room WHERE id = :id", &["id"]).await.is_ok());
    /// assert!(database.prepare("SELECT titel FROM room WHERE id = :id", &["id"]).await.is_err());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`DatabaseError::Misunderstood`] with what the database says, and where in the statement; a parameter that is not
    /// among the names; or that the database cannot be reached.
    ///
    /// # Cancel safety
    /// Dropping the future leaves nothing behind.
    pub async fn prepare(&self, sql: &str, parameters: &[&str]) -> Result<(), DatabaseError> {
        let values: Vec<(&str, Parameter)> = parameters.iter().map(|name| (*name, Parameter::Null)).collect();
        let statement = Statement::new(sql, self.dialect(), &values)?;
        let understood = self.bounded(async {
            match &self.pool {
                Pool::Sqlite(shelf) => sqlite::understand(shelf, &statement).await,
                Pool::Postgres(pool) => Box::pin(postgres::understand(pool, &statement)).await,
            }
        });
        understood.await.map_err(|error| match error {
            DatabaseError::Misunderstood { message, at: Some(at) } => {
                let at = Statement::origin(sql, self.dialect(), &values, at);
                DatabaseError::Misunderstood { message, at }
            }
            other => other,
        })
    }

    async fn run(&self, statement: &Statement<'_>) -> Result<Vec<Row>, DatabaseError> {
        self.bounded(async {
            match &self.pool {
                Pool::Sqlite(shelf) => sqlite::rows(shelf, statement).await,
                Pool::Postgres(pool) => Box::pin(postgres::rows(pool, statement)).await,
            }
        })
        .await
    }

    /// Carries out a statement and says how many rows it changed.
    ///
    /// # Errors
    /// As [`rows`](Self::rows); [`DatabaseError::Conflict`] when a unique value is there already.
    pub async fn execute(&self, sql: &str, parameters: &[(&str, Parameter)]) -> Result<u64, DatabaseError> {
        let statement = Statement::new(sql, self.dialect(), parameters)?;
        self.bounded(async {
            match &self.pool {
                Pool::Sqlite(shelf) => sqlite::execute(shelf, &statement).await,
                Pool::Postgres(pool) => Box::pin(postgres::execute(pool, &statement)).await,
            }
        })
        .await
    }

    /// Waits until all connections are closed.
    pub async fn close(&self) {
        match &self.pool {
            Pool::Sqlite(shelf) => shelf.close().await,
            Pool::Postgres(pool) => pool.close().await,
        }
    }

    fn dialect(&self) -> Dialect {
        match self.pool {
            Pool::Sqlite(_) => Dialect::Sqlite,
            Pool::Postgres(_) => Dialect::Postgres,
        }
    }

    async fn bounded<T>(
        &self,
        work: impl Future<Output = Result<T, DatabaseError>>,
    ) -> Result<T, DatabaseError> {
        timeout(self.query_time, work).await.unwrap_or_else(|_| Err(DatabaseError::slow(self.query_time)))
    }
}

/// The names of a statement's parameters, each once and in order, for the kind of database that a URL names. What stands
/// in strings, quoted names, comments and casts is no parameter.
///
/// ```
/// use solent::auth::parameter_names;
///
/// let sql = "SELECT ':no' FROM room WHERE id = :room_id AND owner = :user_id OR id = :room_id";
/// assert_eq!(parameter_names(sql, "sqlite:site.db"), ["room_id", "user_id"]);
/// ```
pub fn parameter_names<'s>(sql: &'s str, url: &str) -> Vec<&'s str> {
    let dialect = if url.starts_with("postgres") { Dialect::Postgres } else { Dialect::Sqlite };
    placeholders::names(sql, dialect)
}

impl fmt::Debug for Database {
    /// Without the URL, which may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Database").field(&self.dialect()).finish()
    }
}
