//! Sessions in the database, in Django's table.

use std::collections::HashSet;
use std::time::SystemTime;

use chrono::{DateTime, NaiveDateTime, Utc};
use futures_util::future::BoxFuture;

use super::codec::{Codec, DATABASE};
use super::store::new_key;
use super::{SessionData, SessionError, SessionStore};
use crate::auth::{Database, DatabaseError, SecretKeys};

/// The column's width: a longer key is nobody's.
const KEY_CHARACTERS: usize = 40;

/// Sessions in the table `django_session`.
#[derive(Debug)]
pub struct DatabaseSessions {
    database: Database,
    codec: Codec,
}

impl DatabaseSessions {
    /// Sessions in `database`, signed with `keys`.
    pub fn new(database: Database, keys: SecretKeys) -> Self {
        Self { database, codec: Codec::new(keys, DATABASE) }
    }

    /// A live session, and when it ends where the column can be read.
    pub(super) async fn load_with_end(
        &self,
        key: &str,
    ) -> Result<Option<(SessionData, Option<DateTime<Utc>>)>, SessionError> {
        const SQL: &str = "SELECT session_data, expire_date FROM django_session \
                           WHERE session_key = :key AND expire_date > :now";
        if !is_storable(key) {
            return Ok(None);
        }
        let row = self.database.row(SQL, &[("key", key.into()), ("now", Utc::now().into())]).await?;
        let Some(row) = row else { return Ok(None) };
        let text = row["session_data"].as_str().unwrap_or_default();
        // A row that does not decode is an empty session under its key, as in Django.
        let data = self.codec.decode(text, None, SystemTime::now()).unwrap_or_default();
        Ok(Some((data, row["expire_date"].as_str().and_then(parse_time))))
    }

    async fn insert(&self, data: &SessionData, expires: DateTime<Utc>) -> Result<String, SessionError> {
        const SQL: &str = "INSERT INTO django_session (session_key, session_data, expire_date) \
                           VALUES (:key, :data, :expires)";
        let encoded = self.codec.encode(data, SystemTime::now());
        loop {
            let key = new_key();
            let values = [("key", (&*key).into()), ("data", (&*encoded).into()), ("expires", expires.into())];
            match self.database.execute(SQL, &values).await {
                Ok(_) => return Ok(key),
                // Another session has this key already, which happens once in 36³² keys.
                Err(DatabaseError::Conflict(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn update(
        &self,
        key: &str,
        data: &SessionData,
        expires: DateTime<Utc>,
    ) -> Result<(), SessionError> {
        const SQL: &str =
            "UPDATE django_session SET session_data = :data, expire_date = :expires WHERE session_key = :key";
        let encoded = self.codec.encode(data, SystemTime::now());
        let values = [("key", key.into()), ("data", encoded.into()), ("expires", expires.into())];
        match self.database.execute(SQL, &values).await? {
            0 => Err(SessionError::Deleted),
            _ => Ok(()),
        }
    }
}

/// A time as the databases give it: PostgreSQL with a zone, SQLite as the text that Django wrote, in UTC.
fn parse_time(text: &str) -> Option<DateTime<Utc>> {
    let zoned = text.parse::<DateTime<Utc>>().ok();
    zoned.or_else(|| {
        NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f").ok().map(|naive| naive.and_utc())
    })
}

/// Whether a key can be in the column at all.
fn is_storable(key: &str) -> bool {
    key.chars().count() <= KEY_CHARACTERS && !key.contains('\0')
}

impl SessionStore for DatabaseSessions {
    fn load<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<SessionData>, SessionError>> {
        Box::pin(async move { Ok(self.load_with_end(key).await?.map(|(data, _)| data)) })
    }

    fn save<'a>(
        &'a self,
        key: Option<&'a str>,
        data: &'a SessionData,
        expires: DateTime<Utc>,
    ) -> BoxFuture<'a, Result<String, SessionError>> {
        Box::pin(async move {
            match key {
                None => self.insert(data, expires).await,
                Some(key) => self.update(key, data, expires).await.map(|()| key.to_owned()),
            }
        })
    }

    fn delete<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), SessionError>> {
        const SQL: &str = "DELETE FROM django_session WHERE session_key = :key";
        Box::pin(async move {
            if is_storable(key) {
                self.database.execute(SQL, &[("key", key.into())]).await?;
            }
            Ok(())
        })
    }

    fn are_live<'a>(&'a self, keys: &'a [&'a str]) -> BoxFuture<'a, Result<Vec<bool>, SessionError>> {
        const SQL: &str =
            "SELECT session_key FROM django_session WHERE session_key IN (:keys) AND expire_date > :now";
        Box::pin(async move {
            let storable = keys.iter().copied().filter(|key| is_storable(key)).collect();
            let rows = self.database.rows(SQL, &[("keys", storable), ("now", Utc::now().into())]).await?;
            let live: HashSet<&str> = rows.iter().filter_map(|row| row["session_key"].as_str()).collect();
            Ok(keys.iter().map(|key| live.contains(key)).collect())
        })
    }

    fn clear_expired(&self) -> BoxFuture<'_, Result<u64, SessionError>> {
        const SQL: &str = "DELETE FROM django_session WHERE expire_date < :now";
        Box::pin(async move { Ok(self.database.execute(SQL, &[("now", Utc::now().into())]).await?) })
    }
}
