//! SQLite: the embedded database, created on first run.

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::path::Path;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sqlx::query::Query;
use sqlx::sqlite::{
    SqliteArguments, SqliteConnectOptions, SqlitePool, SqlitePoolOptions, SqliteRow, SqliteValueRef,
};
use sqlx::{AssertSqlSafe, Column, Row as _, Sqlite, TypeInfo, ValueRef};

use super::parameters::django_time;
use super::placeholders::{Named, Statement};
use super::{DatabaseError, DatabaseOptions, Parameter, Row};

pub(super) async fn connect(url: &str, options: &DatabaseOptions) -> Result<SqlitePool, DatabaseError> {
    let connect = SqliteConnectOptions::from_str(url).map_err(|_| DatabaseError::url(url))?;
    let in_memory = url.contains(":memory:") || url.contains("mode=memory");
    let created = !in_memory && create(connect.get_filename())?;
    let mut pool = SqlitePoolOptions::new()
        .max_connections(options.connections.max(1))
        .acquire_timeout(options.acquire_time)
        .idle_timeout(options.idle_time);
    if in_memory {
        // Such a database lives and dies with its one connection.
        pool = pool.max_connections(1).min_connections(1).idle_timeout(None).max_lifetime(None);
    }
    let pool = pool.connect_with(connect.busy_timeout(options.acquire_time)).await?;
    if created {
        // The mode stays with the file, so it is set once, and only for a file that nobody else has settings for.
        sqlx::query("PRAGMA journal_mode = WAL").execute(&pool).await?;
    }
    Ok(pool)
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

pub(super) async fn rows(pool: &SqlitePool, statement: &Statement<'_>) -> Result<Vec<Row>, DatabaseError> {
    let rows = bind(statement)?.fetch_all(pool).await?;
    rows.iter().map(to_row).collect()
}

/// Has a statement understood, and not carried out.
#[cfg(feature = "gateway")]
pub(super) async fn understand(pool: &SqlitePool, statement: &Statement<'_>) -> Result<(), DatabaseError> {
    use sqlx::{Executor as _, SqlSafeStr as _};
    let mut connection = pool.acquire().await?;
    (&mut *connection).prepare(AssertSqlSafe(statement.sql.clone()).into_sql_str()).await?;
    Ok(())
}

pub(super) async fn execute(pool: &SqlitePool, statement: &Statement<'_>) -> Result<u64, DatabaseError> {
    Ok(bind(statement)?.execute(pool).await?.rows_affected())
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
pub(super) async fn create_table(
    pool: &SqlitePool,
    statements: &[&'static str],
) -> Result<(), DatabaseError> {
    let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
    for statement in statements {
        sqlx::query(*statement).execute(&mut *transaction).await?;
    }
    Ok(transaction.commit().await?)
}
