//! The user of a connection: an account, or nobody.

use std::sync::Arc;

/// The user of a connection. Cheap to clone; anonymous by default.
///
/// ```
/// use solent::auth::{Account, User};
///
/// let user = User::new(Account::new("1", "alice"));
/// assert!(user.is_authenticated() && user.is_active());
/// assert_eq!((user.id(), user.username()), (Some("1"), "alice"));
/// assert!(!User::anonymous().is_authenticated());
/// ```
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

impl Account {
    /// An active account without further rights.
    pub fn new(id: impl Into<String>, username: impl Into<String>) -> Self {
        let (id, username) = (id.into(), username.into());
        Self { id, username, is_active: true, is_staff: false, is_superuser: false }
    }
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

    /// The account; `None` for nobody.
    pub fn account(&self) -> Option<&Account> {
        self.0.as_deref()
    }

    /// Whether there is an account.
    pub fn is_authenticated(&self) -> bool {
        self.0.is_some()
    }

    /// The user's name; empty for nobody.
    pub fn username(&self) -> &str {
        self.0.as_ref().map_or("", |account| &account.username)
    }

    /// The primary key, as text; `None` for nobody.
    pub fn id(&self) -> Option<&str> {
        self.0.as_ref().map(|account| account.id.as_str())
    }

    /// Whether there is an account that may be used.
    pub fn is_active(&self) -> bool {
        self.0.as_ref().is_some_and(|account| account.is_active)
    }

    /// Whether the user may enter Django's admin.
    pub fn is_staff(&self) -> bool {
        self.0.as_ref().is_some_and(|account| account.is_staff)
    }

    /// Whether the user has every permission.
    pub fn is_superuser(&self) -> bool {
        self.0.as_ref().is_some_and(|account| account.is_superuser)
    }
}
