//! Views that tell what reached them, and how they are asked.

use http::Method;
use solent::http::{Body, Request, RequestExt, Response};
use solent::routing::ViewRouter;
use tower::ServiceExt;

pub(crate) fn request(method: Method, uri: &str) -> Request {
    http::Request::builder().method(method).uri(uri).body(Body::empty()).unwrap()
}

pub(crate) async fn ask(views: &ViewRouter, method: Method, uri: &str) -> Response {
    views.clone().oneshot(request(method, uri)).await.unwrap()
}

pub(crate) async fn body_of(response: Response) -> String {
    String::from_utf8(response.into_body().bytes().await.unwrap().to_vec()).unwrap()
}

pub(crate) async fn page(views: &ViewRouter, uri: &str) -> String {
    let response = ask(views, Method::GET, uri).await;
    let status = response.status().as_u16();
    format!("{status} {}", body_of(response).await)
}

/// What the view was told: the route and its captures.
pub(crate) async fn told(request: Request) -> String {
    let route = request.url_route();
    let name = route.name.as_deref().unwrap_or("-");
    let kwargs: Vec<_> = route.kwargs.iter().map(|(name, value)| format!("{name}={value}")).collect();
    format!("{} {name} [{}]", route.pattern, kwargs.join(" "))
}
