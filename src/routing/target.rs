//! What a route of a `ViewRouter` leads to: a view, an included router, or a service.

use std::any::Any;

use ::http::Method;
use bytes::Bytes;
use futures_util::FutureExt as _;
use http_body::Body as HttpBody;
use tower::Layer;

use super::RouteInfo;
use super::route::{IntoTarget, Route, sealed};
use super::view_router::ViewRouter;
use crate::http::{BodyError, BoxedHttp, BoxedView, HttpApplication, IntoView, ViewService};

/// What a route of a [`ViewRouter`] leads to.
#[derive(Debug, Clone)]
pub struct ViewTarget {
    pub(super) view: BoxedView,
    /// A router right behind the route, whose routes are tried as if they stood here.
    pub(super) router: Option<ViewRouter>,
    /// What a service tells of its routes.
    pub(super) infos: Vec<RouteInfo>,
    /// Whether this knows routers and looks at `path_remaining`; others see the rest as the whole path.
    pub(super) is_router: bool,
    pub(super) methods: Option<Vec<Method>>,
}

/// Marks [`IntoTarget`] for views.
#[derive(Debug)]
pub struct ToView<M>(std::marker::PhantomData<M>);

impl<V: IntoView<M>, M> sealed::Target<ViewTarget, ToView<M>> for V {}

impl<V: IntoView<M>, M> IntoTarget<ViewTarget, ToView<M>> for V {
    fn into_target(self) -> (ViewTarget, bool) {
        let view = self.into_view();
        (ViewTarget { view, router: None, infos: Vec::new(), is_router: false, methods: None }, false)
    }
}

/// Marks [`IntoTarget`] for services over requests.
#[derive(Debug)]
pub struct ToService<B>(std::marker::PhantomData<B>);

impl<S, B> sealed::Target<ViewTarget, ToService<B>> for S
where
    S: HttpApplication<B>,
    B: HttpBody<Data = Bytes, Error: Into<BodyError>> + Send + 'static,
{
}

impl<S, B> IntoTarget<ViewTarget, ToService<B>> for S
where
    S: HttpApplication<B>,
    B: HttpBody<Data = Bytes, Error: Into<BodyError>> + Send + 'static,
{
    fn into_target(self) -> (ViewTarget, bool) {
        let router = (&self as &dyn Any).downcast_ref::<ViewRouter>().cloned();
        let (infos, is_router) = (self.routes(), self.is_router());
        let service = BoxedHttp::new(self);
        let view = BoxedView::new(move |request| service.call(request).map(Ok).boxed());
        (ViewTarget { view, router, infos, is_router, methods: None }, is_router)
    }
}

/// A route to everything below a prefix: another [`ViewRouter`], or any service (in [`mount`](super::mount) when it is
/// not Solent's own), which sees the rest as its path.
///
/// When no route of an included router matches, the outer router goes on with its next route. A service, and a
/// router inside middleware, has the last word.
///
/// ```
/// use solent::http::Request;
/// use solent::routing::{RouteError, ViewRouter, include, path};
/// async fn room(_: Request) -> &'static str { "the room" }
/// # fn run() -> Result<(), RouteError> {
/// let chat = ViewRouter::new([path("room/<int:course_id>/", room).name("room")])?;
/// let views = ViewRouter::new([include("chat/", chat).namespace("chat")])?; // chat:room
/// # Ok(())
/// # }
/// ```
pub fn include<M>(prefix: impl Into<String>, target: impl IntoTarget<ViewTarget, M>) -> Route<ViewTarget> {
    Route { prefix: true, ..super::path(prefix, target) }
}

impl Route<ViewTarget> {
    /// Puts middleware around this route alone, such as a permission.
    ///
    /// ```
    /// use solent::http::Request;
    /// use solent::middleware::{AllowedHosts, AllowedHostsLayer};
    /// use solent::routing::{ViewRouter, path};
    ///
    /// async fn metrics(_: Request) -> &'static str {
    ///     "for us alone"
    /// }
    /// let inside = AllowedHostsLayer::new(AllowedHosts::new(["intern.example.com"]));
    /// let views = ViewRouter::new([path("metrics/", metrics).layer(inside)])?;
    /// # Ok::<_, solent::routing::RouteError>(())
    /// ```
    pub fn layer<L, B>(mut self, layer: L) -> Self
    where
        L: Layer<ViewService, Service: HttpApplication<B>>,
        B: HttpBody<Data = Bytes, Error: Into<BodyError>> + Send + 'static,
    {
        let service = BoxedHttp::new(layer.layer(ViewService::new(self.target.view)));
        self.target.view = BoxedView::new(move |request| service.call(request).map(Ok).boxed());
        // A router's routes must not be reached around the middleware.
        self.target.router = None;
        self
    }

    /// Lets anybody post to this route, or to those below it, where a
    /// [`CsrfLayer`](https://docs.rs/solent/latest/solent/http/struct.CsrfLayer.html) protects the others: for
    /// machines that prove in another way who they are.
    pub fn csrf_exempt(mut self) -> Self {
        self.csrf_exempt = true;
        self
    }

    /// Takes these methods only; others are answered with 405 and `Allow`. `GET` brings `HEAD` with it.
    ///
    ///
    ///
    /// ```
    /// use http::Method;
    /// use solent::http::Request;
    /// use solent::routing::{ViewRouter, path};
    /// async fn upload(_: Request) -> &'static str { "thank you" }
    ///
    /// let views = ViewRouter::new([path("upload/", upload).methods([Method::POST, Method::PUT])])?;
    /// # Ok::<_, solent::routing::RouteError>(())
    /// ```
    pub fn methods(mut self, methods: impl IntoIterator<Item = Method>) -> Self {
        self.target.methods = Some(methods.into_iter().collect());
        self
    }
}
