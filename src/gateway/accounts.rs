//! The accounts of a deployment, for the commands that change them.

use tracing::warn;

use super::Loaded;
use super::build::{BuildError, table_of, users_of};
use super::settings::Backend;
use crate::Environment;
use crate::auth::{Account, Auth, DatabaseUsers, Passwords, User};

/// The accounts of a deployment.
#[derive(Debug)]
pub(crate) struct UserAccounts {
    pub(crate) users: DatabaseUsers,
    pub(crate) passwords: Passwords,
    auth: Option<Auth>,
    env: Environment,
}

impl Loaded {
    /// The accounts in the file's database.
    pub(crate) async fn accounts(&self) -> Result<UserAccounts, BuildError> {
        let users = self.users().await?;
        let Some(database) = &users.database else { return Err(BuildError::NoDatabase) };
        let table = table_of(self.settings());
        if database.missing_tables(&table).await?.contains(&table.table.as_str()) {
            return Err(BuildError::NoTable(table.table));
        }
        let mut env = Environment::default();
        let default = self.settings().channel_layers.get("default");
        if default.is_some_and(|layer| layer.backend.value != Backend::Memory) {
            env.layers = self.layers()?;
        }
        Ok(UserAccounts {
            users: users_of(self.settings(), database)?,
            passwords: Passwords::default(),
            auth: users.auth.clone(),
            env,
        })
    }

    /// Makes the tables that are missing.
    ///
    /// # Errors
    /// [`BuildError`]: there is no database, or it cannot be reached, or refuses a file of SQL.
    pub async fn make_tables(&self) -> Result<(), BuildError> {
        let users = self.users().await?;
        if users.database.is_none() {
            return Err(BuildError::NoDatabase);
        }
        self.migrate(&users).await
    }

    /// Forgets the sessions that have expired; how many there were. Django: `clearsessions`.
    ///
    /// # Errors
    /// [`BuildError`]: the file names no place for sessions, or it cannot be reached.
    pub async fn clear_expired_sessions(&self) -> Result<u64, BuildError> {
        let users = self.users().await?;
        let store = users.store.ok_or(BuildError::NoSessions)?;
        Ok(store.clear_expired().await?)
    }
}

impl UserAccounts {
    /// Has a user's open sockets closed in all processes that a layer reaches. Where none does, the re-check closes them.
    pub(crate) async fn close_sockets(&self, account: Account) {
        let Some(auth) = &self.auth else { return };
        for (alias, layer) in self.env.layers.iter() {
            if let Err(error) = layer.start().await {
                warn!(alias, %error, "open sockets are closed at their next re-check");
                return;
            }
        }
        auth.close_sockets(&self.env, &User::new(account)).await;
    }
}
