//! PostgreSQL, by URL. Parameters are bound with the types that the prepared statement reports.

use std::str::FromStr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, NaiveDate, NaiveDateTime, SecondsFormat, Utc};
use serde_json::Value;
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{
    PgArgumentBuffer, PgArguments, PgConnectOptions, PgConnection, PgDatabaseError, PgErrorPosition, PgPool,
    PgPoolOptions, PgRow, PgStatement, PgTypeInfo, PgValueRef,
};
use sqlx::{
    Arguments, AssertSqlSafe, Column, Connection, Either, Encode, Executor, Postgres, Row as _, SqlSafeStr,
    Statement as _, Type, TypeInfo, ValueRef,
};
use tokio::time::timeout;
use uuid::Uuid;

use super::error::is_away;
use super::placeholders::{Named, Statement};
use super::{DatabaseError, DatabaseOptions, Parameter, Row};

/// A connection that rested longer is tried before it is used: a server that restarted meanwhile has closed it.
const TRIED_AFTER: Duration = Duration::from_secs(1);

pub(super) async fn connect(url: &str, options: &DatabaseOptions) -> Result<PgPool, DatabaseError> {
    let connect = PgConnectOptions::from_str(url).map_err(|_| DatabaseError::url(url))?;
    // The server gives up on a query when we do.
    let milliseconds = options.query_time.as_millis().to_string();
    let connect = connect.application_name("solent").options([("statement_timeout", milliseconds)]);
    let pool = PgPoolOptions::new()
        .max_connections(options.connections.max(1))
        .acquire_timeout(options.acquire_time)
        .idle_timeout(options.idle_time)
        .test_before_acquire(false)
        .before_acquire(|connection, meta| {
            Box::pin(async move {
                if meta.idle_for > TRIED_AFTER {
                    connection.ping().await?;
                }
                Ok(true)
            })
        });
    match pool.connect_with(connect.clone()).await {
        // The pool has tried again and again, and does not say what it met; one connection does.
        Err(sqlx::Error::PoolTimedOut) => {
            let tried = timeout(options.acquire_time, PgConnection::connect_with(&connect)).await;
            Err(tried.ok().and_then(Result::err).unwrap_or(sqlx::Error::PoolTimedOut).into())
        }
        connected => Ok(connected?),
    }
}

pub(super) async fn rows(pool: &PgPool, statement: &Statement<'_>) -> Result<Vec<Row>, DatabaseError> {
    let mut connection = pool.acquire().await?;
    let (prepared, arguments) = prepare(&mut connection, statement).await?;
    let rows = prepared.query_with(arguments).fetch_all(&mut *connection).await?;
    rows.iter().map(to_row).collect()
}

/// The first row alone.
pub(super) async fn row(pool: &PgPool, statement: &Statement<'_>) -> Result<Option<Row>, DatabaseError> {
    let mut connection = pool.acquire().await?;
    let (prepared, arguments) = prepare(&mut connection, statement).await?;
    let row = prepared.query_with(arguments).fetch_optional(&mut *connection).await?;
    row.as_ref().map(to_row).transpose()
}

/// Has a statement understood, and not carried out.
pub(super) async fn understand(pool: &PgPool, statement: &Statement<'_>) -> Result<(), DatabaseError> {
    use sqlx::{Executor as _, SqlSafeStr as _};
    let mut connection = pool.acquire().await?;
    let prepared = (&mut *connection).prepare(AssertSqlSafe(statement.sql.clone()).into_sql_str()).await;
    prepared.map(drop).map_err(|error| misunderstood(error, statement))
}

/// What PostgreSQL says of a statement, and where: it counts characters from 1.
fn misunderstood(error: sqlx::Error, statement: &Statement<'_>) -> DatabaseError {
    let said = error.as_database_error().and_then(|error| error.try_downcast_ref::<PgDatabaseError>());
    let Some(said) = said.filter(|_| !is_away(&error)) else { return error.into() };
    let at = match said.position() {
        Some(PgErrorPosition::Original(number)) => {
            let mut characters = statement.sql.char_indices();
            Some(characters.nth(number.saturating_sub(1)).map_or(statement.sql.len(), |(byte, _)| byte))
        }
        _ => None,
    };
    let parts = [Some(said.message()), said.detail(), said.hint()];
    let message = parts.into_iter().flatten().map(|part| part.trim_end_matches('.')).collect::<Vec<_>>();
    DatabaseError::Misunderstood { message: statement.in_names(&message.join(". "), '$'), at }
}

pub(super) async fn execute(pool: &PgPool, statement: &Statement<'_>) -> Result<u64, DatabaseError> {
    let mut connection = pool.acquire().await?;
    let (prepared, arguments) = prepare(&mut connection, statement).await?;
    Ok(prepared.query_with(arguments).execute(&mut *connection).await?.rows_affected())
}

/// The connection keeps prepared statements by their text, so this asks the server once.
async fn prepare(
    connection: &mut PoolConnection<Postgres>,
    statement: &Statement<'_>,
) -> Result<(PgStatement, PgArguments), DatabaseError> {
    let prepared = (&mut **connection).prepare(AssertSqlSafe(statement.sql.clone()).into_sql_str()).await?;
    let types = match prepared.parameters() {
        Some(Either::Left(types)) => types,
        _ => &[],
    };
    let mut arguments = PgArguments::default();
    for (named, wanted) in statement.values.iter().zip(types) {
        let bound = Bound::new(*named, wanted)?;
        arguments.add(bound).map_err(DatabaseError::Refused)?;
    }
    Ok((prepared, arguments))
}

/// A value in PostgreSQL's binary form, of the type that the statement wants.
struct Bound {
    bytes: Option<Vec<u8>>,
    wanted: PgTypeInfo,
}

impl Bound {
    fn new(Named { name, value }: Named<'_>, wanted: &PgTypeInfo) -> Result<Self, DatabaseError> {
        let bytes = match value {
            Parameter::Null => None,
            value => Some(to_binary(value, wanted.name()).ok_or_else(|| DatabaseError::Unfit {
                name: name.to_owned(),
                expected: wanted.name().to_lowercase(),
                found: value.describe(),
            })?),
        };
        Ok(Self { bytes, wanted: wanted.clone() })
    }
}

impl Type<Postgres> for Bound {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_name("unknown")
    }
}

impl Encode<'_, Postgres> for Bound {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        let Some(bytes) = &self.bytes else { return Ok(IsNull::Yes) };
        buffer.extend_from_slice(bytes);
        Ok(IsNull::No)
    }

    fn produces(&self) -> Option<PgTypeInfo> {
        Some(self.wanted.clone())
    }
}

/// The value as one of the type `wanted`; `None` when it does not fit.
fn to_binary(value: &Parameter, wanted: &str) -> Option<Vec<u8>> {
    match wanted {
        "INT2" => Some(i16::try_from(integer(value)?).ok()?.to_be_bytes().to_vec()),
        "INT4" => Some(i32::try_from(integer(value)?).ok()?.to_be_bytes().to_vec()),
        "INT8" => Some(integer(value)?.to_be_bytes().to_vec()),
        "FLOAT4" => Some((float(value)? as f32).to_be_bytes().to_vec()),
        "FLOAT8" => Some(float(value)?.to_be_bytes().to_vec()),
        "BOOL" => Some(vec![u8::from(boolean(value)?)]),
        "BYTEA" => match value {
            Parameter::Bytes(bytes) => Some(bytes.clone()),
            value => text(value).map(String::into_bytes),
        },
        "TEXT" | "VARCHAR" | "CHAR" | "BPCHAR" | "NAME" | "UNKNOWN" | "unknown" | "JSON" => {
            text(value).map(String::into_bytes)
        }
        "JSONB" => Some(std::iter::once(1).chain(text(value)?.into_bytes()).collect()),
        "UUID" => Some(text(value)?.parse::<Uuid>().ok()?.as_bytes().to_vec()),
        "TIMESTAMPTZ" | "TIMESTAMP" => Some(microseconds(time(value)?)?.to_be_bytes().to_vec()),
        "DATE" => {
            let date = text(value)?.parse::<NaiveDate>().ok()?;
            let days = date.signed_duration_since(NaiveDate::from_ymd_opt(2000, 1, 1)?).num_days();
            Some(i32::try_from(days).ok()?.to_be_bytes().to_vec())
        }
        _ => None,
    }
}

fn integer(value: &Parameter) -> Option<i64> {
    match value {
        Parameter::Integer(value) => Some(*value),
        Parameter::Bool(value) => Some((*value).into()),
        // Only as a person writes it: Rust's parser would take a plus sign too.
        Parameter::Text(text) if !text.starts_with('+') => text.parse().ok(),
        _ => None,
    }
}

fn float(value: &Parameter) -> Option<f64> {
    match value {
        Parameter::Integer(value) => Some(*value as f64),
        Parameter::Float(value) => Some(*value),
        Parameter::Text(text) => text.parse().ok().filter(|number: &f64| number.is_finite()),
        _ => None,
    }
}

fn boolean(value: &Parameter) -> Option<bool> {
    match value {
        Parameter::Bool(value) => Some(*value),
        Parameter::Integer(value @ (0 | 1)) => Some(*value == 1),
        Parameter::Text(text) => text.parse().ok(),
        _ => None,
    }
}

/// Text without NUL, which PostgreSQL does not store.
fn text(value: &Parameter) -> Option<String> {
    let text = match value {
        Parameter::Text(text) => text.clone(),
        Parameter::Bool(value) => value.to_string(),
        Parameter::Integer(value) => value.to_string(),
        Parameter::Float(value) => value.to_string(),
        Parameter::Time(time) => time.to_rfc3339(),
        Parameter::Null | Parameter::Bytes(_) | Parameter::List(_) => return None,
    };
    (!text.contains('\0')).then_some(text)
}

fn time(value: &Parameter) -> Option<DateTime<Utc>> {
    match value {
        Parameter::Time(time) => Some(*time),
        Parameter::Text(text) => DateTime::parse_from_rfc3339(text).ok().map(Into::into),
        _ => None,
    }
}

/// Since the year 2000, which is when PostgreSQL's clock begins.
fn microseconds(time: DateTime<Utc>) -> Option<i64> {
    let begin = NaiveDate::from_ymd_opt(2000, 1, 1)?.and_hms_opt(0, 0, 0)?.and_utc();
    time.signed_duration_since(begin).num_microseconds()
}

fn to_row(row: &PgRow) -> Result<Row, DatabaseError> {
    let columns = row.columns().iter();
    columns
        .map(|column| {
            Ok((column.name().to_owned(), to_json(row.try_get_raw(column.ordinal())?, column.name())?))
        })
        .collect()
}

fn to_json(value: PgValueRef<'_>, column: &str) -> Result<Value, DatabaseError> {
    fn decode<'r, T: sqlx::Decode<'r, Postgres>>(value: PgValueRef<'r>) -> Result<T, sqlx::Error> {
        T::decode(value).map_err(sqlx::Error::Decode)
    }
    if value.is_null() {
        return Ok(Value::Null);
    }
    let kind = value.type_info().name().to_owned();
    Ok(match &*kind {
        "BOOL" => decode::<bool>(value)?.into(),
        "INT2" => decode::<i16>(value)?.into(),
        "INT4" => decode::<i32>(value)?.into(),
        "INT8" => decode::<i64>(value)?.into(),
        "FLOAT4" => decode::<f32>(value)?.into(),
        "FLOAT8" => decode::<f64>(value)?.into(),
        "TEXT" | "VARCHAR" | "BPCHAR" | "CHAR" | "NAME" | "UNKNOWN" | "unknown" => {
            decode::<String>(value)?.into()
        }
        "TIMESTAMPTZ" => decode::<DateTime<Utc>>(value)?.to_rfc3339_opts(SecondsFormat::AutoSi, true).into(),
        "TIMESTAMP" => {
            decode::<NaiveDateTime>(value)?.and_utc().to_rfc3339_opts(SecondsFormat::AutoSi, true).into()
        }
        "DATE" => decode::<NaiveDate>(value)?.to_string().into(),
        "BYTEA" => STANDARD.encode(decode::<Vec<u8>>(value)?).into(),
        "UUID" => Uuid::from_slice(raw(&value)?)
            .map_err(|error| DatabaseError::Refused(error.into()))?
            .to_string()
            .into(),
        "JSON" => json(raw(&value)?)?,
        // One byte of version in front.
        "JSONB" => json(raw(&value)?.get(1..).unwrap_or_default())?,
        other => {
            let message = format!(
                "column {column:?} is of type {other}: cast it in the statement, as in {column}::text"
            );
            return Err(DatabaseError::Statement(message));
        }
    })
}

fn raw<'r>(value: &PgValueRef<'r>) -> Result<&'r [u8], DatabaseError> {
    value.as_bytes().map_err(DatabaseError::Refused)
}

fn json(bytes: &[u8]) -> Result<Value, DatabaseError> {
    serde_json::from_slice(bytes).map_err(|error| DatabaseError::Refused(error.into()))
}

/// Carries out statements as one: all or none.
pub(super) async fn create_table(pool: &PgPool, statements: &[&'static str]) -> Result<(), DatabaseError> {
    let mut transaction = pool.begin().await?;
    // `IF NOT EXISTS` alone is no protection from another process that creates the same table at this moment.
    sqlx::query("SELECT pg_advisory_xact_lock(739201583)").execute(&mut *transaction).await?;
    for statement in statements {
        sqlx::query(*statement).execute(&mut *transaction).await?;
    }
    Ok(transaction.commit().await?)
}
