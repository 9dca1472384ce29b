//! Which table users are in, for sites with a user model of their own.

use crate::auth::DatabaseError;

/// The users' table and the columns that a user model of one's own may call otherwise.
///
/// Django's `password`, `last_login`, `is_active`, `is_staff` and `is_superuser` keep their names; without
/// `is_active` all are active, without the others nobody is staff or superuser.
///
/// A user model with another key:
///
/// ```
/// use solent::auth::{Database, DatabaseUsers, UserTable};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> solent::Result<()> {
/// let database = Database::connect("sqlite::memory:", Default::default()).await?;
/// let mut table = UserTable::default();
/// table.table = "members_member".to_owned();
/// table.username = "email".to_owned();
/// assert_eq!(database.missing_tables(&table).await?, ["django_session"]);
/// database.migrate_with_users_in(&table).await?;
/// let users = DatabaseUsers::in_table(database, table)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UserTable {
    /// The table: `auth_user`.
    pub table: String,
    /// The primary key: `id`.
    pub id: String,
    /// The name that users log in with: `username`.
    pub username: String,
}

impl Default for UserTable {
    fn default() -> Self {
        Self { table: "auth_user".to_owned(), id: "id".to_owned(), username: "username".to_owned() }
    }
}

impl UserTable {
    /// The table as it stands in a statement; a schema may stand in front of its name.
    pub(super) fn quoted(&self) -> Result<Quoted, DatabaseError> {
        let table: Result<Vec<String>, _> = self.table.split('.').map(quote).collect();
        Ok(Quoted { table: table?.join("."), id: quote(&self.id)?, username: quote(&self.username)? })
    }
}

/// Names that are safe to stand in a statement.
#[derive(Debug)]
pub(super) struct Quoted {
    pub(super) table: String,
    pub(super) id: String,
    pub(super) username: String,
}

fn quote(name: &str) -> Result<String, DatabaseError> {
    let legal = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if legal {
        return Ok(format!("\"{name}\""));
    }
    let message = format!("expected a table or column of letters, digits and _, found {name:?}");
    Err(DatabaseError::Statement(message))
}
