//! Users in the database, in Django's table.

use chrono::Utc;
use futures_util::future::BoxFuture;
use serde_json::Value;

use super::table::Quoted;
use super::{StoredUser, UserStore, UserTable};
use crate::auth::{Account, AuthError, Database, DatabaseError, Parameter, Row};

/// Users in the table `auth_user`, or in one that takes its place.
///
/// # Cancel safety
/// As of [`Database`]: what was sent may be done although nobody waits for it.
///
/// ```
/// use solent::auth::{Database, DatabaseUsers, NewUser, UserStore as _};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> solent::Result<()> {
/// let database = Database::connect("sqlite::memory:", Default::default()).await?;
/// database.migrate().await?;
/// let users = DatabaseUsers::new(database.clone());
/// let ada = users.create(NewUser { username: "ada", password: "!", ..NewUser::default() }).await?;
/// users.set_active(&ada.id, false).await?;
/// users.logged_in(&ada.id).await?;
/// assert!(!users.by_ids(&[&ada.id]).await?[0].account.is_active);
/// database.close().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct DatabaseUsers {
    database: Database,
    columns: UserTable,
    names: Quoted,
}

/// A user to be created.
#[derive(Debug, Clone, Default)]
pub struct NewUser<'a> {
    /// The name to log in with. Normalise what people type by [`normalize_username`](crate::auth::normalize_username).
    pub username: &'a str,
    /// The password column, as [`Passwords::make`](crate::auth::Passwords::make) makes it.
    pub password: &'a str,
    /// May be empty.
    pub email: &'a str,
    /// Whether the user may enter Django's admin.
    pub is_staff: bool,
    /// Whether the user has every permission.
    pub is_superuser: bool,
}

impl DatabaseUsers {
    /// Users in Django's own table.
    pub fn new(database: Database) -> Self {
        let columns = UserTable::default();
        let names = Quoted {
            table: format!("\"{}\"", columns.table),
            id: format!("\"{}\"", columns.id),
            username: format!("\"{}\"", columns.username),
        };
        Self { database, columns, names }
    }

    /// Users in another table.
    ///
    /// # Errors
    /// [`DatabaseError::Statement`] for a name with other characters than letters, digits and `_`.
    pub fn in_table(database: Database, columns: UserTable) -> Result<Self, DatabaseError> {
        let names = columns.quoted()?;
        Ok(Self { database, columns, names })
    }

    /// Creates a user in Django's own table.
    ///
    /// # Errors
    /// [`DatabaseError::Conflict`] when there is a user of this name.
    pub async fn create(&self, user: NewUser<'_>) -> Result<Account, DatabaseError> {
        let sql = format!(
            "INSERT INTO {} (username, password, email, is_staff, is_superuser, is_active, first_name, last_name, \
             last_login, date_joined) VALUES (:username, :password, :email, :staff, :superuser, :active, '', '', \
             NULL, :now)",
            self.names.table
        );
        let values = [
            ("username", user.username.into()),
            ("password", user.password.into()),
            ("email", user.email.into()),
            ("staff", user.is_staff.into()),
            ("superuser", user.is_superuser.into()),
            ("active", true.into()),
            ("now", Utc::now().into()),
        ];
        self.database.execute(&sql, &values).await?;
        let created = self.select(&self.names.username, user.username.into()).await?;
        created
            .map(|user| user.account)
            .ok_or_else(|| DatabaseError::Statement("a user that was just created is not there".to_owned()))
    }

    /// All users, by name.
    ///
    /// # Errors
    /// As [`Database::rows`].
    pub async fn all(&self) -> Result<Vec<Account>, DatabaseError> {
        let sql = format!("SELECT * FROM {} ORDER BY {}", self.names.table, self.names.username);
        let rows = self.database.rows(&sql, &[]).await?;
        Ok(rows.iter().map(|row| self.read(row).account).collect())
    }

    /// Lets a user log in, or no longer.
    ///
    /// Open sockets notice at their next re-check, or at once by
    /// [`Auth::close_sockets`](crate::auth::Auth::close_sockets).
    ///
    /// # Errors
    /// As [`Database::execute`].
    pub async fn set_active(&self, id: &str, active: bool) -> Result<(), DatabaseError> {
        self.update("is_active", id, active.into()).await
    }

    async fn select(&self, column: &str, value: Parameter) -> Result<Option<StoredUser>, DatabaseError> {
        let sql = format!("SELECT * FROM {} WHERE {column} = :value", self.names.table);
        match self.database.row(&sql, &[("value", value)]).await {
            Ok(row) => Ok(row.map(|row| self.read(&row))),
            // A key that cannot stand in the column is nobody's.
            Err(DatabaseError::Unfit { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The user of a primary key. SQLite holds a UUID as Django writes it there, without the hyphens that it has in
    /// sessions.
    async fn select_by_key(&self, id: &str) -> Result<Option<StoredUser>, DatabaseError> {
        let found = self.select(&self.names.id, id.into()).await?;
        match bare_uuid(id).filter(|_| found.is_none() && self.database.is_untyped()) {
            Some(bare) => self.select(&self.names.id, bare.into()).await,
            None => Ok(found),
        }
    }

    async fn select_all(&self, ids: &[&str]) -> Result<Vec<StoredUser>, DatabaseError> {
        let sql = format!("SELECT * FROM {} WHERE {} IN (:ids)", self.names.table, self.names.id);
        match self.database.rows(&sql, &[("ids", ids.iter().copied().collect())]).await {
            Ok(rows) => Ok(rows.iter().map(|row| self.read(row)).collect()),
            Err(DatabaseError::Unfit { .. }) => {
                let mut users = Vec::new();
                for id in ids {
                    users.extend(self.select(&self.names.id, (*id).into()).await?);
                }
                Ok(users)
            }
            Err(error) => Err(error),
        }
    }

    fn read(&self, row: &Row) -> StoredUser {
        let flag = |column: &str, absent| row.get(column).map_or(absent, is_true);
        let account = Account {
            id: text(row.get(&self.columns.id)),
            username: text(row.get(&self.columns.username)),
            is_active: flag("is_active", true),
            is_staff: flag("is_staff", false),
            is_superuser: flag("is_superuser", false),
        };
        StoredUser { account, password: text(row.get("password")) }
    }

    async fn update(&self, column: &str, id: &str, value: Parameter) -> Result<(), DatabaseError> {
        let Quoted { table, id: id_column, .. } = &self.names;
        let sql = format!("UPDATE {table} SET {column} = :value WHERE {id_column} = :id");
        self.database.execute(&sql, &[("value", value), ("id", id.into())]).await?;
        Ok(())
    }
}

/// A UUID's 32 digits, when `key` is one with hyphens.
fn bare_uuid(key: &str) -> Option<String> {
    let uuid = uuid::Uuid::try_parse(key).ok().filter(|_| key.len() == 36)?;
    Some(uuid.simple().to_string())
}

fn text(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

fn is_true(value: &Value) -> bool {
    value.as_bool().unwrap_or_else(|| value.as_i64() == Some(1))
}

impl UserStore for DatabaseUsers {
    fn by_id<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Option<StoredUser>, AuthError>> {
        Box::pin(async move { Ok(self.select_by_key(id).await?) })
    }

    fn by_username<'a>(&'a self, username: &'a str) -> BoxFuture<'a, Result<Option<StoredUser>, AuthError>> {
        Box::pin(async move { Ok(self.select(&self.names.username, username.into()).await?) })
    }

    fn by_ids<'a>(&'a self, ids: &'a [&'a str]) -> BoxFuture<'a, Result<Vec<StoredUser>, AuthError>> {
        Box::pin(async move { Ok(self.select_all(ids).await?) })
    }

    fn set_password<'a>(&'a self, id: &'a str, encoded: &'a str) -> BoxFuture<'a, Result<(), AuthError>> {
        Box::pin(async move { Ok(self.update("password", id, encoded.into()).await?) })
    }

    fn logged_in<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<(), AuthError>> {
        Box::pin(async move { Ok(self.update("last_login", id, Utc::now().into()).await?) })
    }
}
