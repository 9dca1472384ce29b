//! A route: a pattern, where it leads, its name and its extra values.

use super::application::{Application, BoxedApplication};
use super::pattern::Syntax;
use crate::Kwargs;

/// A route of a [`UrlRouter`](super::UrlRouter), or of a [`ViewRouter`](super::ViewRouter). Made by [`path`] and
/// [`re_path`]; the pattern is checked when the router is built.
#[derive(Debug, Clone)]
#[must_use = "a route does nothing until a router is built from it"]
pub struct Route<T = BoxedApplication> {
    pub(super) pattern: String,
    pub(super) syntax: Syntax,
    pub(super) prefix: bool,
    pub(super) target: T,
    pub(super) name: Option<String>,
    pub(super) namespace: Option<String>,
    pub(super) kwargs: Kwargs,
    pub(super) csrf_exempt: bool,
}

/// What a route can lead to. `T` is the kind of router that takes it; `M` tells the implementations apart and is
/// always inferred.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot stand behind this route",
    note = "in a `UrlRouter`: a `tower::Service<Connection, Response = (), Error = Refusal>` that implements `Routes`",
    note = "in a `ViewRouter`: an `async fn(Request) -> impl IntoResponse`, `blocking(…)`, `get(…)`, or a service \
            over requests that implements `Routes`",
    note = "wrap a service that is not Solent's own in `solent::routing::mount`"
)]
pub trait IntoTarget<T, M>: sealed::Target<T, M> {
    /// The target as its router holds it, and whether it takes what a prefix leaves.
    fn into_target(self) -> (T, bool);
}

/// Only Solent says what may stand behind a route, so that there may be more one day.
pub(super) mod sealed {
    pub trait Target<T, M> {}
}

impl<A: Application> sealed::Target<BoxedApplication, ToApplication> for A {}

/// Marks [`IntoTarget`] for WebSocket applications.
#[derive(Debug)]
pub struct ToApplication;

impl<A: Application> IntoTarget<BoxedApplication, ToApplication> for A {
    fn into_target(self) -> (BoxedApplication, bool) {
        let is_router = self.is_router();
        (BoxedApplication::new(self), is_router)
    }
}

/// A route with Django's `path()` syntax: literal text and `<converter:name>` parameters.
///
/// It matches the whole remaining path; when the target is itself a router, inside middleware or not, it matches a
/// prefix and the inner router goes on with the rest.
///
/// ```
/// use solent::routing::{BoxedApplication, Route, path};
/// # fn chat() -> BoxedApplication { unimplemented!() }
/// fn route() -> Route {
///     path("ws/chat/room/<int:course_id>/", chat()).name("chat:socket")
/// }
/// ```
pub fn path<T, M>(pattern: impl Into<String>, target: impl IntoTarget<T, M>) -> Route<T> {
    Route::new(pattern.into(), Syntax::Path, target.into_target())
}

/// A route with a regular expression: searched in the remaining path, unless it is anchored; one that ends in `$`
/// must match the whole of it.
///
/// Named groups become `kwargs`; without any, all groups become `args`.
pub fn re_path<T, M>(pattern: impl Into<String>, target: impl IntoTarget<T, M>) -> Route<T> {
    Route::new(pattern.into(), Syntax::Regex, target.into_target())
}

impl<T> Route<T> {
    fn new(pattern: String, syntax: Syntax, (target, prefix): (T, bool)) -> Self {
        Self {
            pattern,
            syntax,
            prefix,
            target,
            name: None,
            namespace: None,
            kwargs: Kwargs::default(),
            csrf_exempt: false,
        }
    }

    /// Names the route, for reversing: `socket`, or with its namespace `chat:socket`.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Puts the names of all routes below into a namespace: `socket` becomes `chat:socket`.
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = Some(namespace.into());
        self
    }

    /// Adds a fixed value to `kwargs`; it wins over a capture of the same name.
    ///
    ///
    ///
    /// ```
    /// use solent::http::{Request, RequestExt};
    /// use solent::routing::{ViewRouter, path};
    /// async fn list(request: Request) -> String {
    ///     format!("a list {}", request.kwargs().text("order").unwrap_or_default())
    /// }
    ///
    /// let views = ViewRouter::new([
    ///     path("new/", list).kwarg("order", "by date"),
    ///     path("all/", list).kwarg("order", "by title"),
    /// ])?;
    /// # Ok::<_, solent::routing::RouteError>(())
    /// ```
    pub fn kwarg(mut self, name: &str, value: impl Into<String>) -> Self {
        self.kwargs.insert(name, value);
        self
    }
}
