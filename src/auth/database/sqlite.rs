//! SQLite: the embedded database, created on first run.

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteConnectOptions, SqlitePoolOptions, SqliteRow, SqliteValueRef};
use sqlx::{AssertSqlSafe, Column, Connection as _, Row as _, Sqlite, TypeInfo, ValueRef};

use super::error::is_away;
use super::parameters::django_time;
use super::placeholders::{Named, Statement};
use super::sqlite_shelf::Shelf;
use super::{DatabaseError, DatabaseOptions, Parameter, Row};

pub(super) async fn connect(url: &str, options: &DatabaseOptions) -> Result<Arc<Shelf>, DatabaseError> {
    let connect = SqliteConnectOptions::from_str(url).map_err(|_| DatabaseError::url(url))?;
    let in_memory = url.contains(":memory:") || url.contains("mode=memory");
    let created = !in_memory && create(connect.get_filename())?;
    // One in memory lives and dies with its one connection.
    let connections = if in_memory { 1 } else { options.connections.max(1) };
    let pool = SqlitePoolOptions::new()
        .max_connections(connections)
        .min_connections(u32::from(in_memory))
        .acquire_timeout(options.acquire_time)
        .idle_timeout((!in_memory).then_some(options.idle_time))
        .max_lifetime(None)
        .test_before_acquire(false);
    let pool = pool.connect_with(connect.busy_timeout(options.acquire_time)).await?;
    let idle_time = (!in_memory).then_some(options.idle_time);
    let shelf = Shelf::new(pool, connections, options, idle_time);
    if created {
        // The mode stays with the file, so it is set once, and only for a file that nobody else has settings for.
        let mut taken = shelf.take().await?;
        sqlx::query("PRAGMA journal_mode = WAL").execute(taken.connection()).await?;
        shelf.give_back(taken);
    }
    Ok(shelf)
}

/// Creates an empty file where there is none, for this user alone: it will hold sessions and password hashes.
fn create(path: &Path) -> Result<bool, DatabaseError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(DatabaseError::Unavailable(format!("{}: {error}", path.display()).into())),
    }
}

pub(super) async fn rows(shelf: &Shelf, statement: &Statement<'_>) -> Result<Vec<Row>, DatabaseError> {
    let query = bind(statement)?;
    let mut taken = shelf.take().await?;
    let rows = query.fetch_all(taken.connection()).await?;
    shelf.give_back(taken);
    rows.iter().map(to_row).collect()
}

/// The first row alone, for which the connection's thread wakes this one once.
pub(super) async fn row(shelf: &Shelf, statement: &Statement<'_>) -> Result<Option<Row>, DatabaseError> {
    let query = bind(statement)?;
    let mut taken = shelf.take().await?;
    let row = query.fetch_optional(taken.connection()).await?;
    shelf.give_back(taken);
    row.as_ref().map(to_row).transpose()
}

/// Has a statement understood, and not carried out.
pub(super) async fn understand(shelf: &Shelf, statement: &Statement<'_>) -> Result<(), DatabaseError> {
    use sqlx::{Executor as _, SqlSafeStr as _};
    let mut taken = shelf.take().await?;
    let prepared = taken.connection().prepare(AssertSqlSafe(statement.sql.clone()).into_sql_str()).await;
    prepared.map(drop).map_err(|error| misunderstood(error, statement))?;
    shelf.give_back(taken);
    Ok(())
}

/// What SQLite says of a statement. The place is not told; but where the word that is complained of stands but once, there
/// it is.
fn misunderstood(error: sqlx::Error, statement: &Statement<'_>) -> DatabaseError {
    let said = error.as_database_error().filter(|_| !is_away(&error)).map(|said| said.message().to_owned());
    let Some(message) = said else { return error.into() };
    let at = complained_of(&message).and_then(|word| only_place(&statement.sql, word));
    DatabaseError::Misunderstood { message: statement.in_names(&message, '?'), at }
}

/// The word in `no such column: c.titel`, `near "FORM": syntax error` and the like.
fn complained_of(message: &str) -> Option<&str> {
    if let Some((word, _)) = message.strip_prefix("near \"").and_then(|rest| rest.split_once("\": ")) {
        return Some(word);
    }
    let (_, word) = message.rsplit_once(": ")?;
    Some(word.trim_matches('"')).filter(|word| !word.is_empty() && !word.contains(' '))
}

/// Where a word stands that stands there once.
fn only_place(sql: &str, word: &str) -> Option<usize> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let mut places = sql.match_indices(word).map(|(at, _)| at).filter(|at| {
        let (before, behind) = (&sql[..*at], &sql[at + word.len()..]);
        !(word.starts_with(is_part) && before.ends_with(is_part)
            || word.ends_with(is_part) && behind.starts_with(is_part))
    });
    let place = places.next()?;
    places.next().is_none().then_some(place)
}

pub(super) async fn execute(shelf: &Shelf, statement: &Statement<'_>) -> Result<u64, DatabaseError> {
    let query = bind(statement)?;
    let mut taken = shelf.take().await?;
    let done = query.execute(taken.connection()).await?;
    shelf.give_back(taken);
    Ok(done.rows_affected())
}

/// SQLite has no types for parameters: a column's affinity makes the text `7` equal to the number.
fn bind(statement: &Statement<'_>) -> Result<Query<'static, Sqlite, SqliteArguments>, DatabaseError> {
    let query = sqlx::query(AssertSqlSafe(statement.sql.clone()));
    statement.values.iter().try_fold(query, |query, Named { name, value }| {
        Ok(match value {
            Parameter::Null => query.bind(None::<i64>),
            Parameter::Bool(value) => query.bind(*value),
            Parameter::Integer(value) => query.bind(*value),
            Parameter::Float(value) => query.bind(*value),
            Parameter::Text(text) => query.bind(text.clone()),
            Parameter::Bytes(bytes) => query.bind(bytes.clone()),
            Parameter::Time(time) => query.bind(django_time(*time)),
            Parameter::List(_) => {
                let found = value.describe();
                return Err(DatabaseError::Unfit {
                    name: (*name).to_owned(),
                    expected: "one value".to_owned(),
                    found,
                });
            }
        })
    })
}

fn to_row(row: &SqliteRow) -> Result<Row, DatabaseError> {
    let columns = row.columns().iter();
    columns
        .map(|column| {
            let value = row.try_get_raw(column.ordinal())?;
            Ok((column.name().to_owned(), to_json(value, column.type_info().name())?))
        })
        .collect()
}

fn to_json(value: SqliteValueRef<'_>, declared: &str) -> Result<Value, sqlx::Error> {
    fn decode<'r, T: sqlx::Decode<'r, Sqlite>>(value: SqliteValueRef<'r>) -> Result<T, sqlx::Error> {
        T::decode(value).map_err(sqlx::Error::Decode)
    }
    if value.is_null() {
        return Ok(Value::Null);
    }
    let stored = value.type_info().name().to_owned();
    Ok(match &*stored {
        "BOOLEAN" => Value::Bool(decode::<i64>(value)? != 0),
        "INTEGER" if declared == "BOOLEAN" => Value::Bool(decode::<i64>(value)? != 0),
        "INTEGER" => decode::<i64>(value)?.into(),
        "REAL" => decode::<f64>(value)?.into(),
        "BLOB" => STANDARD.encode(decode::<Vec<u8>>(value)?).into(),
        _ => decode::<String>(value)?.into(),
    })
}

/// Carries out statements as one: all or none.
pub(super) async fn create_table(shelf: &Shelf, statements: &[&'static str]) -> Result<(), DatabaseError> {
    let mut taken = shelf.take().await?;
    let mut transaction = taken.connection().begin_with("BEGIN IMMEDIATE").await?;
    for statement in statements {
        sqlx::query(*statement).execute(&mut *transaction).await?;
    }
    transaction.commit().await?;
    shelf.give_back(taken);
    Ok(())
}
