//! Permissions of routes: asked on the way in, and again while a socket is open.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::{Database, DatabaseError, Parameter, User};
use crate::{Error, Kwargs};

/// Whether users may use a route. Views and handshakes that it does not allow get a 403; open sockets are asked about
/// again, and closed (4403) when it has been withdrawn.
///
/// One that a [function](permission()) or a [query](QueryPermission) does not fit:
///
/// ```
/// use futures_util::future::{BoxFuture, FutureExt as _, ready};
/// use solent::auth::{Ask, Permission, User};
///
/// /// Seminars are for staff.
/// #[derive(Debug)]
/// struct Seminars(Vec<i64>);
///
/// impl Permission for Seminars {
///     fn name(&self) -> &str {
///         "seminars"
///     }
///
///     fn allowed<'a>(&'a self, asks: &'a [Ask]) -> BoxFuture<'a, solent::Result<Vec<bool>>> {
///         let is_seminar = |ask: &Ask| ask.kwargs.get("course_id").is_ok_and(|id| self.0.contains(&id));
///         ready(Ok(asks.iter().map(|ask| ask.user.is_staff() || !is_seminar(ask)).collect())).boxed()
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> solent::Result<()> {
/// let mut kwargs = solent::Kwargs::default();
/// kwargs.insert("course_id", "12");
/// assert_eq!(Seminars(vec![12]).allowed(&[Ask::new(User::anonymous(), kwargs)]).await?, [false]);
/// # Ok(())
/// # }
/// ```
pub trait Permission: fmt::Debug + Send + Sync + 'static {
    /// What logs call it.
    fn name(&self) -> &str;

    /// Answers many questions at once, in their order.
    ///
    /// # Errors
    /// When there is no answer at the moment: a 503 or 500 on the way in; open sockets stay.
    fn allowed<'a>(&'a self, asks: &'a [Ask]) -> BoxFuture<'a, Result<Vec<bool>, Error>>;

    /// How soon it is asked again about a socket that no [`AuthLayer`](crate::middleware::AuthLayer) follows; one that
    /// does has [`AuthSettings::recheck_interval`](super::AuthSettings::recheck_interval). Default: 30 s.
    fn recheck_interval(&self) -> Duration {
        Duration::from_secs(30)
    }
}

/// Who wants to use a route, with what it captured.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Ask {
    /// The user; may be nobody.
    pub user: User,
    /// The route's named captures and values.
    pub kwargs: Kwargs,
}

impl Ask {
    /// A question about a user and a route's captures.
    pub fn new(user: User, kwargs: Kwargs) -> Self {
        Self { user, kwargs }
    }
}

/// A permission from a function that answers one question.
///
/// ```
/// use solent::auth::permission;
/// use solent::middleware::PermissionLayer;
///
/// let staff = permission("staff", |ask| async move { Ok(ask.user.is_staff()) });
/// let layer = PermissionLayer::new(staff);
/// ```
pub fn permission<F, Fut>(name: impl Into<String>, ask: F) -> impl Permission
where
    F: Fn(Ask) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<bool, Error>> + Send + 'static,
{
    AskedOneByOne { name: name.into(), ask }
}

struct AskedOneByOne<F> {
    name: String,
    ask: F,
}

impl<F, Fut> Permission for AskedOneByOne<F>
where
    F: Fn(Ask) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<bool, Error>> + Send + 'static,
{
    fn name(&self) -> &str {
        &self.name
    }

    fn allowed<'a>(&'a self, asks: &'a [Ask]) -> BoxFuture<'a, Result<Vec<bool>, Error>> {
        Box::pin(async move {
            let mut allowed = Vec::with_capacity(asks.len());
            for ask in asks {
                allowed.push((self.ask)(ask.clone()).await?);
            }
            Ok(allowed)
        })
    }
}

impl<F> fmt::Debug for AskedOneByOne<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("permission").field(&self.name).finish()
    }
}

/// A permission that the database answers: allowed is whoever the query finds a row for.
///
/// Its parameters are the route's captures, `:user_id` and `:username`. Many questions become one query.
///
/// ```
/// # fn permission(database: solent::auth::Database) -> solent::auth::QueryPermission {
/// solent::auth::QueryPermission::new(
///     "enrolled",
///     database,
///     "SELECT 1 FROM courses_course_students WHERE course_id = :course_id AND user_id = :user_id",
/// )
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct QueryPermission {
    name: Arc<str>,
    database: Database,
    sql: Arc<str>,
}

/// Questions in one query: databases bound the number of parts and of parameters.
const TOGETHER: usize = 100;

impl QueryPermission {
    /// Allows whoever `sql` finds a row for.
    pub fn new(name: impl Into<Arc<str>>, database: Database, sql: impl Into<Arc<str>>) -> Self {
        Self { name: name.into(), database, sql: sql.into() }
    }

    async fn ask(&self, asks: &[Ask]) -> Result<Vec<bool>, DatabaseError> {
        let values: Vec<Vec<(&str, Parameter)>> = asks.iter().map(parameters).collect();
        let values: Vec<&[(&str, Parameter)]> = values.iter().map(Vec::as_slice).collect();
        match self.database.exist(&self.sql, &values).await {
            // One value that fits nowhere must not answer for the others.
            Err(DatabaseError::Unfit { .. }) if asks.len() == 1 => Ok(vec![false]),
            Err(DatabaseError::Unfit { .. }) => {
                let mut allowed = Vec::with_capacity(asks.len());
                for ask in asks {
                    allowed.extend(Box::pin(self.ask(std::slice::from_ref(ask))).await?);
                }
                Ok(allowed)
            }
            found => found,
        }
    }
}

fn parameters(ask: &Ask) -> Vec<(&str, Parameter)> {
    let captures = ask.kwargs.iter().map(|(name, value)| (name, value.into()));
    captures.chain([("user_id", ask.user.id().into()), ("username", ask.user.username().into())]).collect()
}

impl Permission for QueryPermission {
    fn name(&self) -> &str {
        &self.name
    }

    fn allowed<'a>(&'a self, asks: &'a [Ask]) -> BoxFuture<'a, Result<Vec<bool>, Error>> {
        Box::pin(async move {
            let mut allowed = Vec::with_capacity(asks.len());
            for together in asks.chunks(TOGETHER) {
                allowed.extend(self.ask(together).await?);
            }
            Ok(allowed)
        })
    }
}
