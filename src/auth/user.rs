//! The user of a connection: an account, or nobody.

use std::sync::Arc;

/// The user of a connection. Cheap to clone; anonymous by default.
#[derive(Debug, Clone, Default)]
pub struct User(Option<Arc<Account>>);

/// A row of the users' table, without its password.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Account {
    /// The primary key, as text.
    pub id: String,
    /// The name that the user logs in with.
    pub username: String,
    /// Whether the account may log in and be used.
    pub is_active: bool,
    /// Whether the user may enter Django's admin.
    pub is_staff: bool,
    /// Whether the user has every permission.
    pub is_superuser: bool,
}

impl User {
    /// The user of an account.
    pub fn new(account: Account) -> Self {
        Self(Some(Arc::new(account)))
    }

    /// Nobody.
    pub fn anonymous() -> Self {
        Self(None)
    }

    /// Whether there is an account.
    pub fn is_authenticated(&self) -> bool {
        self.0.is_some()
    }

    /// The user's name; empty for nobody.
    pub fn username(&self) -> &str {
        self.0.as_ref().map_or("", |account| &account.username)
    }
}
