//! `ProtocolTypeRouter` and `ChannelNameRouter`: what is configured is reached, what is not is named.

use http::StatusCode;
use solent::http::{Body, HttpError, Request, Response};
use solent::routing::{ChannelNameRouter, ProtocolTypeRouter, UrlRouter, ViewRouter, mount, path};
use solent::websocket::{Denial, Refusal};
use solent::{Protocol, Scope, Scoped};

use crate::support::{Never, Scribbles, Seen, connection, given_back, send, websocket};

fn denial(outcome: Result<(), Refusal>) -> Denial {
    match outcome {
        Err(Refusal::Denied(denial)) => *denial,
        other => panic!("expected a denial, found {other:?}"),
    }
}

fn get(uri: &str) -> Request {
    http::Request::get(uri).body(Body::empty()).unwrap()
}

async fn body_of(response: Response) -> String {
    String::from_utf8(response.into_body().bytes().await.unwrap().to_vec()).unwrap()
}

#[tokio::test]
async fn a1_the_scopes_type_picks_the_application_and_a_missing_one_is_named() {
    let (socket, lines) = (Seen::default(), Seen::default());
    let app = ProtocolTypeRouter::new().websocket(socket.clone()).protocol("lines", lines.clone());
    send(&app, websocket("/")).await.unwrap();
    assert!(socket.take().is_some());
    app.call(connection(Scope::new(Protocol::new("lines"), "/"))).await.unwrap();
    assert!(lines.take().is_some());
    let denial = denial(app.call(connection(Scope::new(Protocol::new("x"), "/"))).await);
    assert_eq!(denial.detail, "No application configured for scope type 'x'; configured: lines, websocket");
    assert_eq!(denial.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(!denial.text.contains("configured"));
}

#[tokio::test]
async fn a2_channels_own_types_and_any_custom_one_are_keys_and_lifespan_is_none() {
    let seen = Seen::default();
    let app = ProtocolTypeRouter::new().channel(seen.clone()).protocol("telegram", seen.clone());
    let types: Vec<_> = app.protocols().map(|protocol| protocol.as_str().to_owned()).collect();
    assert_eq!(types, ["channel", "telegram"]);
    for name in types {
        app.call(connection(Scope::new(Protocol::new(name), ""))).await.unwrap();
        assert!(seen.take().is_some());
    }
    let lifespan = denial(app.call(connection(Scope::new(Protocol::new("lifespan"), ""))).await);
    assert!(lifespan.detail.contains("'lifespan'"));
}

#[tokio::test]
async fn an_upgrade_without_a_websocket_application_is_not_found() {
    let outcome = ProtocolTypeRouter::new().call(websocket("/ws/")).await;
    assert_eq!(given_back(outcome).scope().path, "/ws/");
}

#[tokio::test]
async fn without_an_http_entry_every_request_is_a_404_page() {
    let response = ProtocolTypeRouter::new().call_http(get("/")).await;
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a15_and_a16_the_application_is_a_value_and_a_view_router_is_its_http_entry() {
    let views = ViewRouter::new([path("page/", async |_: Request| "a page")]).unwrap();
    let app = ProtocolTypeRouter::new().http(views);
    assert_eq!(body_of(app.call_http(get("/page/")).await).await, "a page");
    assert_eq!(app.call_http(get("/other/")).await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_foreign_http_service_serves_all_requests() {
    let hello = tower::service_fn(|request: Request| async move {
        Ok::<_, Never>(http::Response::new(request.uri().path().to_owned()))
    });
    let app = ProtocolTypeRouter::new().http(mount(hello));
    assert_eq!(body_of(app.call_http(get("/hello")).await).await, "/hello");
}

#[tokio::test]
async fn a_plain_get_on_a_sockets_path_is_told_to_upgrade() {
    let rooms = UrlRouter::new([path("<int:room>/", Seen::default())]).unwrap();
    let sockets = UrlRouter::new([path("ws/", Scribbles(rooms))]).unwrap();
    let app = ProtocolTypeRouter::new().websocket(Scribbles(sockets));
    let response = app.call_http(get("/ws/1/")).await;
    assert_eq!(response.status(), StatusCode::UPGRADE_REQUIRED);
    assert_eq!(response.headers()["upgrade"], "websocket");
    assert_eq!(response.headers()["connection"], "Upgrade");
    assert!(body_of(response).await.contains("dropped the Upgrade header"));
    assert_eq!(app.call_http(get("/ws/x/")).await.status(), StatusCode::NOT_FOUND);
    let post = http::Request::post("/ws/1/").body(Body::empty()).unwrap();
    assert_eq!(app.call_http(post).await.status(), StatusCode::NOT_FOUND);
    assert!(app.socket_matches("/ws/1/") && !app.socket_matches("/ws/x/"));
}

#[tokio::test]
async fn a_views_own_404_on_a_sockets_path_stays() {
    let missing = tower::service_fn(|_: Request| async {
        let mut response = http::Response::new(String::from("no such page"));
        *response.status_mut() = StatusCode::NOT_FOUND;
        Ok::<_, Never>(response)
    });
    let sockets = UrlRouter::new([path("ws/", Seen::default())]).unwrap();
    let app = ProtocolTypeRouter::new().http(mount(missing)).websocket(sockets);
    assert_eq!(app.call_http(get("/ws/")).await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a14_the_channels_name_picks_the_worker_and_a_missing_one_is_named() {
    let seen = Seen::default();
    let workers =
        ChannelNameRouter::new().channel("thumbnails", seen.clone()).channel("mail", Seen::default());
    let app = ProtocolTypeRouter::new().channel(workers);
    let on = |name: Option<&str>| {
        let mut scope = Scope::new(Protocol::CHANNEL, "");
        scope.channel = name.map(str::to_owned);
        connection(scope)
    };
    app.call(on(Some("thumbnails"))).await.unwrap();
    assert!(seen.take().is_some());
    let unknown = denial(app.call(on(Some("x"))).await);
    assert_eq!(
        unknown.detail,
        "No application configured for channel name \"x\"; configured: mail, thumbnails"
    );
    assert!(denial(app.call(on(None)).await).detail.contains("no channel name"));
}

#[tokio::test]
async fn a_refusal_by_middleware_is_a_page_for_browsers_and_keeps_its_headers() {
    let refuses = tower::service_fn(|_: Request| async {
        let mut response = http::Response::new(String::from("Busy <now>."));
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        response.headers_mut().insert("retry-after", 5.into());
        response.headers_mut().insert("content-type", "text/plain".parse().unwrap());
        response.extensions_mut().insert(HttpError::new(StatusCode::SERVICE_UNAVAILABLE, "Busy <now>."));
        Ok::<_, Never>(response)
    });
    let app = ProtocolTypeRouter::new().http(mount(refuses));
    assert_eq!(body_of(app.call_http(get("/")).await).await, "Busy <now>.");
    let mut browser = get("/");
    browser.headers_mut().insert("accept", "text/html".parse().unwrap());
    let response = app.call_http(browser).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(response.headers()["retry-after"], "5");
    assert_eq!(response.headers()["content-type"], "text/html; charset=utf-8");
    assert!(body_of(response).await.contains("Busy &lt;now&gt;."));
}

#[tokio::test]
async fn a_sites_own_error_page_stays() {
    let own = tower::service_fn(|_: Request| async {
        let mut response = solent::http::html("<h1>Our own page</h1>");
        response.extensions_mut().insert(HttpError::not_found());
        Ok::<_, Never>(response)
    });
    let mut browser = get("/");
    browser.headers_mut().insert("accept", "text/html".parse().unwrap());
    let response = ProtocolTypeRouter::new().http(mount(own)).call_http(browser).await;
    assert_eq!(body_of(response).await, "<h1>Our own page</h1>");
}
