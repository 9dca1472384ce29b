//! Where users come from: Django's table, or a service's own.

mod database;
mod table;

use std::fmt;

use futures_util::future::BoxFuture;

use super::{Account, AuthError};

pub use database::{DatabaseUsers, NewUser};
pub use table::UserTable;

/// An account with its password column, as a store gives it.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredUser {
    /// The account.
    pub account: Account,
    /// The password column. Sessions are bound to it: whatever a store puts here, a change of it ends them.
    pub password: String,
}

impl StoredUser {
    /// An account with its password column.
    pub fn new(account: Account, password: impl Into<String>) -> Self {
        Self { account, password: password.into() }
    }
}

impl fmt::Debug for StoredUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredUser").field("account", &self.account).finish_non_exhaustive()
    }
}

/// Where users come from. A service with users of its own implements it.
///
/// # Errors
/// Everywhere [`AuthError::Unavailable`] while the store is away, which is a 503 and closes no socket;
/// [`AuthError::Store`] for everything else.
pub trait UserStore: fmt::Debug + Send + Sync + 'static {
    /// The user of a primary key.
    fn by_id<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Option<StoredUser>, AuthError>>;

    /// The user of exactly this name.
    fn by_username<'a>(&'a self, username: &'a str) -> BoxFuture<'a, Result<Option<StoredUser>, AuthError>>;

    /// The users of many primary keys, in any order; those that are not there are left out. Asked of whole batches,
    /// for the users of open sockets.
    fn by_ids<'a>(&'a self, ids: &'a [&'a str]) -> BoxFuture<'a, Result<Vec<StoredUser>, AuthError>> {
        Box::pin(async move {
            let mut users = Vec::with_capacity(ids.len());
            for id in ids {
                users.extend(self.by_id(id).await?);
            }
            Ok(users)
        })
    }

    /// Stores another password column.
    fn set_password<'a>(&'a self, id: &'a str, encoded: &'a str) -> BoxFuture<'a, Result<(), AuthError>>;

    /// Notes that a user has just logged in.
    fn logged_in<'a>(&'a self, _id: &'a str) -> BoxFuture<'a, Result<(), AuthError>> {
        Box::pin(std::future::ready(Ok(())))
    }
}
