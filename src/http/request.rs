//! What views ask of a request beyond its head and body.

use std::fmt::Display;

use serde::de::DeserializeOwned;

use crate::auth::User;
use crate::middleware::host_of;
use crate::routing::ReverseError;
use crate::{ClientError, Kwargs, Scoped, UrlRoute};

/// What views ask of a request: the route's captures, the user, the query, paths by name.
///
/// ```
/// use solent::http::{Request, RequestExt};
/// async fn course(request: Request) -> solent::Result<String> {
///     let id: i64 = request.kwargs().get("course_id")?; // does not fit: 404
///     Ok(format!("course {id}, asked for by {}", request.user().username()))
/// }
/// ```
pub trait RequestExt: Scoped {
    /// The route that matched and what it captured.
    fn url_route(&self) -> &UrlRoute;

    /// The route's named captures.
    fn kwargs(&self) -> &Kwargs;

    /// The user; anonymous until the auth middleware has run.
    fn user(&self) -> &User;

    /// The host that the request is addressed to, with its port, as the client has it; `None` without one, and with
    /// more than one. Who acts on it has [`AllowedHosts`](crate::middleware::AllowedHosts) in front.
    fn host(&self) -> Option<&str>;

    /// The query as a `T`.
    ///
    /// # Errors
    /// A [`ClientError`] `malformed` (400 when unhandled) when a field is missing or does not fit.
    fn query<T: DeserializeOwned>(&self) -> Result<T, ClientError>;

    /// The path of a named route, `root_path` included.
    ///
    /// # Errors
    /// As [`Names::reverse`](crate::routing::Names::reverse).
    fn reverse(&self, name: &str, args: &[(&str, &(dyn Display + Sync))]) -> Result<String, ReverseError>;
}

impl<B> RequestExt for ::http::Request<B> {
    fn url_route(&self) -> &UrlRoute {
        &self.scope().url_route
    }

    fn kwargs(&self) -> &Kwargs {
        &self.scope().url_route.kwargs
    }

    fn user(&self) -> &User {
        &self.scope().user
    }

    fn host(&self) -> Option<&str> {
        host_of(self.headers())
    }

    fn query<T: DeserializeOwned>(&self) -> Result<T, ClientError> {
        serde_urlencoded::from_str(self.uri().query().unwrap_or_default())
            .map_err(|error| ClientError::new("malformed", format!("The query is malformed: {error}.")))
    }

    fn reverse(&self, name: &str, args: &[(&str, &(dyn Display + Sync))]) -> Result<String, ReverseError> {
        let scope = self.scope();
        let path = scope.env.names.reverse(name, args)?;
        Ok(format!("{}{path}", scope.root_path.trim_end_matches('/')))
    }
}
