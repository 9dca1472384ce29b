//! One view per method: `get(show).post(submit)`.

use std::future::ready;

use ::http::Method;
use futures_util::FutureExt as _;

use super::view::{BoxedView, IntoView};
use crate::Error;

/// Views by method, on one route. Made by [`get`], [`post`] and [`on`].
#[derive(Debug, Clone)]
pub struct ByMethod(Vec<(Method, BoxedView)>);

/// A view for `GET` and `HEAD`; further ones can be chained.
///
/// ```
/// use solent::http::{Request, get};
/// use solent::routing::{ViewRouter, path};
/// async fn show(_: Request) -> &'static str { "the form" }
/// async fn submit(_: Request) -> &'static str { "thank you" }
/// let views = ViewRouter::new([path("form/", get(show).post(submit))])?;
/// # Ok::<_, solent::routing::RouteError>(())
/// ```
pub fn get<M>(view: impl IntoView<M>) -> ByMethod {
    on(Method::GET, view)
}

/// A view for `POST`; further ones can be chained.
pub fn post<M>(view: impl IntoView<M>) -> ByMethod {
    on(Method::POST, view)
}

/// A view for any one method; further ones can be chained.
///
/// ```
/// use http::Method;
/// use solent::http::{Request, get, on};
/// use solent::routing::{ViewRouter, path};
/// async fn page(_: Request) -> &'static str { "one" }
/// async fn change(_: Request) -> &'static str { "changed" }
/// let views = ViewRouter::new([
///     path("item/", get(page).on(Method::DELETE, change)),
///     path("hook/", on(Method::PUT, change)),
/// ])?;
/// # Ok::<_, solent::routing::RouteError>(())
/// ```
pub fn on<M>(method: Method, view: impl IntoView<M>) -> ByMethod {
    ByMethod(Vec::new()).on(method, view)
}

impl ByMethod {
    /// Adds a view for `GET` and `HEAD`.
    #[must_use]
    pub fn get<M>(self, view: impl IntoView<M>) -> Self {
        self.on(Method::GET, view)
    }

    /// Adds a view for `POST`.
    #[must_use]
    pub fn post<M>(self, view: impl IntoView<M>) -> Self {
        self.on(Method::POST, view)
    }

    /// Adds a view for a method; one set before for this method is replaced.
    #[must_use]
    pub fn on<M>(mut self, method: Method, view: impl IntoView<M>) -> Self {
        self.0.retain(|(known, _)| *known != method);
        self.0.push((method, view.into_view()));
        self
    }
}

/// Marks [`IntoView`] for views by method.
#[derive(Debug)]
pub struct MethodViews;

impl IntoView<MethodViews> for ByMethod {
    fn into_view(self) -> BoxedView {
        let methods: Vec<Method> = self.0.iter().map(|(method, _)| method.clone()).collect();
        let views = self.0;
        let view = BoxedView::new(move |request| {
            let find = |method: &Method| views.iter().find(|(known, _)| known == method);
            let asked = request.method();
            let found = find(asked).or_else(|| (asked == Method::HEAD).then(|| find(&Method::GET))?);
            match found {
                Some((_, view)) => view.ask(request),
                None => {
                    let error = Error::msg("a view was asked for a method that it does not list");
                    ready(Err(error)).boxed()
                }
            }
        });
        view.with_methods(methods)
    }
}
