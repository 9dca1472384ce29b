//! The page cache: what is the same for everybody comes from memory, and nothing that is somebody's ever does.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::{HeaderValue, Method, StatusCode, header};
use solent::auth::QueryPermission;
use solent::http::{Body, CsrfLayer, CsrfToken, HttpError, Request, Response, get, html, text, with_state};
use solent::middleware::{
    CacheLayer, CacheSettings, LoginRequiredLayer, PermissionLayer, SessionLayer, auth_stack, cache_page,
    never_cache,
};
use solent::routing::{ProtocolTypeRouter, ViewRouter, path};
use solent::server::{AccessLog, Running, Server};
use solent::{Result, Scoped};
use tower::{Layer, ServiceExt};

use crate::raw::{Head, Raw};
use crate::site::{Site, cookie_line};

/// How many pages have been made.
type Made = Arc<AtomicUsize>;

fn next(made: &Made) -> String {
    format!("page {}", made.fetch_add(1, Ordering::SeqCst) + 1)
}

async fn page(made: Made, request: Request) -> String {
    let user = &request.scope().user;
    format!("{} for {}", next(&made), if user.is_authenticated() { user.username() } else { "anybody" })
}

async fn with_session(made: Made, request: Request) -> Result<String> {
    request.scope().session.get::<String>("theme").await?;
    Ok(next(&made))
}

async fn with_form(made: Made, request: Request) -> String {
    let token = request.scope().extensions.get::<CsrfToken>().map(CsrfToken::token);
    format!("{} {}", next(&made), token.unwrap_or_default())
}

async fn with_header(made: Made, request: Request) -> Response {
    // The query names a header and its value.
    let query = request.scope().query_string.replace('+', " ");
    let (name, value) = query.split_once('=').unwrap_or(("x-none", ""));
    let mut response = text(next(&made));
    let name = header::HeaderName::try_from(name).unwrap();
    response.headers_mut().insert(name, HeaderValue::try_from(value).unwrap());
    response
}

async fn missing(made: Made, _: Request) -> Result<String> {
    Err(HttpError::new(StatusCode::NOT_FOUND, next(&made)).into())
}

async fn streamed(made: Made, _: Request) -> Response {
    let frames =
        futures_util::stream::iter([Ok::<_, std::io::Error>(http_body::Frame::data(next(&made).into()))]);
    html(Body::new(http_body_util::StreamBody::new(frames)))
}

async fn large(made: Made, _: Request) -> String {
    format!("{} {}", next(&made), "x".repeat(20_000))
}

fn views(made: &Made, site: Option<&Site>) -> ViewRouter {
    let with = |view| get(with_state(made.clone(), view));
    let mut routes = vec![
        path("page/", with(page)),
        path("page/<int:number>/", get(with_state(made.clone(), page))),
        path("timed/", with(page)).layer(cache_page(Duration::from_secs(30))),
        path("never/", with(page)).layer(never_cache()),
        path("session/", get(with_state(made.clone(), with_session))),
        path("form/", get(with_state(made.clone(), with_form))),
        path("header/", get(with_state(made.clone(), with_header))),
        path("missing/", get(with_state(made.clone(), missing))),
        path("stream/", get(with_state(made.clone(), streamed))),
        path("large/", get(with_state(made.clone(), large))),
        path("posted/", with_state(made.clone(), page)).csrf_exempt(),
    ];
    if let Some(site) = site {
        let sql = "SELECT 1 FROM enrolled WHERE course_id = :course_id AND user_id = :user_id";
        let enrolled = QueryPermission::new("enrolled", site.database.clone(), sql);
        let room = path("room/<int:course_id>/", get(with_state(made.clone(), page)));
        routes.push(room.layer(PermissionLayer::new(enrolled)).layer(LoginRequiredLayer::new("/login/")));
    }
    ViewRouter::new(routes).unwrap()
}

/// Everything is kept for a minute, unless it must not be.
fn everything() -> CacheSettings {
    let mut settings = CacheSettings::default();
    settings.page_time = Some(Duration::from_secs(60));
    settings.page_bytes = 10_000;
    settings
}

/// A site with users and a cache, on real sockets. Its log-in view is the other site's: both share a database.
struct Cached {
    site: Site,
    running: Running,
}

impl Cached {
    async fn start() -> Self {
        let site = Site::start().await;
        let cached = CacheLayer::new(everything()).layer(views(&Made::default(), Some(&site)));
        let store = solent::auth::DatabaseSessions::new(
            site.database.clone(),
            solent::auth::SecretKeys::new(crate::site::KEY),
        );
        let stack = auth_stack(SessionLayer::new(store), site.auth.clone());
        let application = ProtocolTypeRouter::new().http(stack.layer(CsrfLayer::new().layer(cached)));
        let server = Server::new(application).bind("127.0.0.1:0").access_log(AccessLog::off());
        Self { site, running: server.start().await.unwrap() }
    }

    async fn get(&self, path: &str, cookie: &str) -> (Head, String) {
        self.send("GET", path, &cookie_line(cookie)).await
    }

    async fn send(&self, method: &str, path: &str, lines: &str) -> (Head, String) {
        let mut raw = Raw::connect(self.running.addresses()[0]).await;
        raw.send(format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n{lines}\r\n"))
            .await;
        raw.answer(method).await
    }
}

#[tokio::test]
async fn what_is_the_same_for_everybody_is_made_once() {
    let site = Cached::start().await;
    let (first, body) = site.get("/page/", "").await;
    assert_eq!(body, "page 1 for anybody");
    assert_eq!((first.header("age"), first.header("cache-control")), (None, Some("max-age=60")));
    let (second, body) = site.get("/page/", "").await;
    assert_eq!((body.as_str(), second.header("age")), ("page 1 for anybody", Some("0")));
    let (head, nothing) = site.send("HEAD", "/page/", "").await;
    assert_eq!((head.status, nothing.as_str(), head.header("content-length")), (200, "", Some("18")));
    assert_eq!(site.get("/page/?other", "").await.1, "page 2 for anybody");
    assert_eq!(site.get("/page/", "sessionid=nobodys00").await.1, "page 1 for anybody");
    let other = site.send("GET", "/page/", "").await;
    assert_eq!(other.1, "page 1 for anybody");
}

#[tokio::test]
async fn a_logged_in_user_gets_pages_of_ones_own_and_leaves_none_behind() {
    let site = Cached::start().await;
    let (alice, carol) = (site.site.alice().await, site.site.login("carol", "singer-3").await);
    assert_eq!(site.get("/page/", &alice).await.1, "page 1 for alice");
    assert_eq!(site.get("/page/", "").await.1, "page 2 for anybody");
    let (head, body) = site.get("/page/", &carol).await;
    assert_eq!((body.as_str(), head.header("age")), ("page 3 for carol", None));
    assert!(head.header("cache-control").is_none());
    assert_eq!(site.get("/page/", &alice).await.1, "page 4 for alice");
    assert_eq!(site.get("/timed/", &alice).await.1, "page 5 for alice");
    assert_eq!(site.get("/timed/", "").await.1, "page 6 for anybody");
    assert_eq!(site.get("/page/", "").await.1, "page 2 for anybody");
}

#[tokio::test]
async fn a_room_page_is_never_served_from_memory() {
    let site = Cached::start().await;
    let (alice, carol) = (site.site.alice().await, site.site.login("carol", "singer-3").await);
    for made in 1..=2 {
        assert_eq!(site.get("/room/1/", &alice).await.1, format!("page {made} for alice"));
        assert_eq!(site.get("/room/1/", &carol).await.0.status, 403);
        assert_eq!(site.get("/room/1/", "").await.0.status, 302);
        assert_eq!(site.get("/room/1/", "").await.0.status, 302);
    }
    for made in 3..=4 {
        let (head, body) = site.get("/never/", "").await;
        assert_eq!(body, format!("page {made} for anybody"));
        let expected = "max-age=0, no-cache, no-store, must-revalidate, private";
        assert_eq!(head.header("cache-control"), Some(expected));
    }
}

#[tokio::test]
async fn what_may_be_somebodys_is_made_anew_each_time() {
    let site = Cached::start().await;
    let mut made = 0;
    for path in [
        "/session/",
        "/form/",
        "/header/?set-cookie=theme=dark",
        "/header/?cache-control=private",
        "/header/?cache-control=no-store,+max-age=60",
        "/header/?cache-control=max-age=0",
        "/header/?vary=*",
        "/header/?vary=Accept,+Cookie",
        "/missing/",
        "/stream/",
        "/large/",
    ] {
        for _ in 0..2 {
            made += 1;
            let (head, body) = site.get(path, "").await;
            assert!(body.starts_with(&format!("page {made}")), "{path}: {body:.60}");
            assert_eq!(head.header("age"), None, "{path}");
        }
    }
    for lines in ["Authorization: Bearer x\r\n", "Range: bytes=0-1\r\n"] {
        for _ in 0..2 {
            made += 1;
            assert_eq!(site.send("GET", "/page/", lines).await.1, format!("page {made} for anybody"));
        }
    }
    for _ in 0..2 {
        made += 1;
        assert_eq!(site.send("POST", "/posted/", "").await.1, format!("page {made} for anybody"));
    }
}

#[tokio::test]
async fn a_page_is_kept_in_as_many_forms_as_its_vary_tells_apart() {
    let site = Cached::start().await;
    let ask = async |language: &str| {
        let lines = format!("Accept-Language: {language}\r\nX-Other: {language}\r\n");
        site.send("GET", "/header/?vary=Accept-Language", &lines).await.1
    };
    assert_eq!(ask("en").await, "page 1");
    assert_eq!(ask("de").await, "page 2");
    assert_eq!(ask("en").await, "page 1");
    assert_eq!(ask("de").await, "page 2");
    assert_eq!(site.get("/header/?vary=Accept-Language", "").await.1, "page 3");
}

/// A cache without a server around it, for tests that turn the clock.
fn alone(settings: CacheSettings) -> impl AsyncFn(Method, &str, Option<&str>) -> String {
    let service = CacheLayer::new(settings).layer(views(&Made::default(), None));
    async move |method, path, cookie: Option<&str>| {
        let mut request = http::Request::builder().method(method).uri(path).header("host", "localhost");
        if let Some(cookie) = cookie {
            request = request.header("cookie", cookie);
        }
        let response = service.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        String::from_utf8(response.into_body().bytes().await.unwrap().to_vec()).unwrap()
    }
}

#[tokio::test]
async fn nothing_is_kept_that_nobody_asked_to_keep() {
    let ask = alone(CacheSettings::default());
    assert_eq!(ask(Method::GET, "/page/", None).await, "page 1 for anybody");
    assert_eq!(ask(Method::GET, "/page/", None).await, "page 2 for anybody");
}

#[tokio::test(start_paused = true)]
async fn pages_are_kept_as_long_as_their_view_or_the_site_says() {
    let ask = alone(everything());
    for (path, seconds) in [("/timed/", 30), ("/page/", 60), ("/header/?cache-control=max-age=10", 10)] {
        let first = ask(Method::GET, path, None).await;
        tokio::time::advance(Duration::from_millis(seconds * 1000 - 10)).await;
        assert_eq!(ask(Method::GET, path, None).await, first, "{path}");
        tokio::time::advance(Duration::from_millis(20)).await;
        assert_ne!(ask(Method::GET, path, None).await, first, "{path}");
    }
    let ask = alone(CacheSettings::default());
    assert_eq!(ask(Method::GET, "/timed/", None).await, ask(Method::GET, "/timed/", None).await);
}

#[tokio::test]
async fn without_session_middleware_a_cookie_may_be_anybodys() {
    let ask = alone(everything());
    assert_eq!(ask(Method::GET, "/page/", Some("token=alices")).await, "page 1 for anybody");
    assert_eq!(ask(Method::GET, "/page/", None).await, "page 2 for anybody");
    assert_eq!(ask(Method::GET, "/page/", Some("token=alices")).await, "page 3 for anybody");
}

#[tokio::test]
async fn a_full_cache_forgets_what_was_not_asked_for_the_longest() {
    let mut settings = everything();
    settings.pages = 2;
    let ask = alone(settings);
    for (number, made) in [(1, 1), (2, 2), (1, 1), (3, 3), (1, 1), (2, 4)] {
        let body = ask(Method::GET, &format!("/page/{number}/"), None).await;
        assert_eq!(body, format!("page {made} for anybody"), "page {number}");
    }
    let mut settings = everything();
    settings.bytes = 100;
    let ask = alone(settings);
    assert_eq!(ask(Method::GET, "/page/", None).await, "page 1 for anybody");
    assert_eq!(ask(Method::GET, "/page/", None).await, "page 2 for anybody");
}
