//! Channels' own behaviours of middleware, sessions and users, row by row (E1–E21): each holds, or differs on purpose
//! and says how.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use http::{HeaderMap, header};
use solent::auth::{
    Account, Auth, AuthSettings, MemorySessions, SecretKeys, Session, SessionError, SessionSettings, User,
};
use solent::consumer::consumer;
use solent::http::{Body, Request};
use solent::middleware::{
    AllowedHosts, AuthLayer, CookieLayer, Cookies, OriginValidator, SameSite, SessionLayer, SetCookie,
    session_stack,
};
use solent::routing::{ProtocolTypeRouter, UrlRouter, ViewRouter, path};
use solent::server::{AccessLog, Running, Server};
use solent::{Result, Scoped};
use tower::{Layer, Service, ServiceExt};

use crate::raw::Raw;
use crate::site::{Plan, Site, WhoAmI, cookie_of, set_password, whoami};

fn request(path: &str) -> Request {
    http::Request::builder().uri(path).body(Body::empty()).unwrap()
}

async fn text_of(response: http::Response<Body>) -> String {
    String::from_utf8(response.into_body().bytes().await.unwrap().to_vec()).unwrap()
}

/// A middleware of one's own: the user of a token in the query.
#[derive(Clone)]
struct TokenAuth<S>(S);

impl<S: Service<R>, R: Scoped> Service<R> for TokenAuth<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, mut request: R) -> S::Future {
        let scope = request.scope_mut();
        if scope.query_string == "token=alices" {
            scope.user = User::new(Account::new("1", "alice"));
        }
        self.0.call(request)
    }
}

impl<S: solent::routing::Routes> solent::routing::Routes for TokenAuth<S> {
    fn routes(&self) -> Vec<solent::routing::RouteInfo> {
        self.0.routes()
    }

    fn is_router(&self) -> bool {
        self.0.is_router()
    }
}

async fn with_token_auth() -> Running {
    let views = TokenAuth(ViewRouter::new([path("whoami/", whoami)]).unwrap());
    let sockets = TokenAuth(UrlRouter::new([path("ws/whoami/", consumer::<WhoAmI>())]).unwrap());
    let application = ProtocolTypeRouter::new().http(views).websocket(sockets);
    Server::new(application).bind("127.0.0.1:0").access_log(AccessLog::off()).start().await.unwrap()
}

/// Differs: the scope is not copied. It belongs to its connection alone, and a router that goes on to its next route
/// restores it.
#[tokio::test]
async fn e1_middleware_keeps_its_state_in_the_scope() {
    let running = with_token_auth().await;
    for (query, name) in [("?token=alices", "alice"), ("", "nobody"), ("?token=alices", "alice")] {
        let mut socket = Raw::websocket(running.addresses()[0], &format!("/ws/whoami/{query}")).await;
        assert_eq!(socket.text().await, name);
    }
}

/// Differs: all `Cookie` headers count, where Channels reads the first; without the middleware there are no cookies,
/// where Channels raises.
#[tokio::test]
async fn e2_cookies_are_in_the_scope_for_both_protocols() {
    let mut headers = HeaderMap::new();
    headers.append(header::COOKIE, "a=1; b=2".parse().unwrap());
    headers.append(header::COOKIE, "c=3".parse().unwrap());
    let cookies = Cookies::from_headers(&headers);
    assert_eq!(cookies.iter().collect::<Vec<_>>(), [("a", "1"), ("b", "2"), ("c", "3")]);

    let mut asked = request("/");
    assert!(asked.scope_mut().cookies.is_empty());
    asked.headers_mut().append(header::COOKIE, "a=1".parse().unwrap());
    let seen =
        async |request: Request| Ok::<_, SessionError>(request.scope().cookies.get("a").map(str::to_owned));
    let service = CookieLayer::new().layer(tower::service_fn(seen));
    assert_eq!(service.oneshot(asked).await.unwrap().as_deref(), Some("1"));
}

/// Differs: `SetCookie` is a value with Django's attributes; a `samesite` that does not exist does not compile.
#[test]
fn e3_cookies_are_set_with_channels_attributes() {
    let cookie = SetCookie::new("theme", "dark")
        .max_age(Duration::from_secs(60))
        .domain(Some("example.com"))
        .path("/a/")
        .secure(true)
        .http_only(true)
        .same_site(SameSite::Strict);
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600);
    let expected = "theme=dark; Domain=example.com; expires=Thu, 01 Jan 2026 00:01:00 GMT; HttpOnly; Max-Age=60; \
                    Path=/a/; SameSite=Strict; Secure";
    assert_eq!(cookie.header(now).unwrap(), expected);
}

/// Differs: the date is written as Django writes it (`01 Jan 1970`).
#[test]
fn e4_cookies_are_deleted_by_an_age_of_0_and_a_date_in_1970() {
    let cookie =
        SetCookie::deletion("theme").path("/a/").domain(Some("example.com")).same_site(SameSite::Lax);
    let expected = "theme=\"\"; Domain=example.com; expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/a/; \
                    SameSite=Lax";
    assert_eq!(cookie.header(SystemTime::now()).unwrap(), expected);
}

/// Differs: it reads the cookies itself where no cookie middleware stands in front, where Channels raises.
#[tokio::test]
async fn e5_sessions_load_at_their_first_use_and_one_that_is_there_passes_through() {
    let store = Arc::new(MemorySessions::new());
    let own = Session::new(store, Arc::new(SessionSettings::default()), None);
    own.set("from", "outside").await.unwrap();
    let mut asked = request("/");
    asked.scope_mut().session = own;
    let seen = async |request: Request| {
        let from = request.scope().session.get::<String>("from").await.unwrap().unwrap_or_default();
        Ok::<_, std::convert::Infallible>(http::Response::new(Body::from(from)))
    };
    let service = SessionLayer::new(MemorySessions::new()).layer(tower::service_fn(seen));
    assert_eq!(text_of(service.clone().oneshot(asked).await.unwrap()).await, "outside");
    assert_eq!(text_of(service.oneshot(request("/")).await.unwrap()).await, "");

    // A database that is away hurts only who asks for the session.
    let site = Site::start().await;
    site.database.execute("ALTER TABLE django_session RENAME TO gone", &[]).await.unwrap();
    assert_eq!(site.get("/plain/", "").await.1, "plain");
}

/// Differs: no answer of 500 and above saves (Django's rule), where Channels excepts 500 alone.
#[tokio::test]
async fn e6_a_changed_session_is_saved_with_the_response_unless_the_server_failed() {
    let site = Site::start().await;
    let cookie = cookie_of(&site.get("/count/", "").await.0);
    assert_eq!(site.get("/fail/", &cookie).await.0.status, 500);
    assert_eq!(site.get("/count/", &cookie).await.1, "2");
    assert!(site.get("/plain/", &cookie).await.0.header("set-cookie").is_none());
}

#[tokio::test]
async fn e7_the_cookie_comes_and_goes_with_the_response_and_a_deleted_session_is_a_400() {
    let site = Site::start().await;
    let cookie = cookie_of(&site.get("/count/", "").await.0);
    let (head, _) = site.post("/logout/", &cookie, "").await;
    assert!(head.header("set-cookie").unwrap().starts_with("sessionid=\"\"; expires=Thu, 01 Jan 1970"));

    let (store, settings) = (Arc::new(MemorySessions::new()), Arc::new(SessionSettings::default()));
    let first = Session::new(store.clone(), settings.clone(), None);
    first.set("a", &1).await.unwrap();
    first.save().await.unwrap();
    let key = first.key().await.unwrap();
    let second = Session::new(store, settings, key.as_deref());
    second.set("b", &2).await.unwrap();
    first.flush().await.unwrap();
    let error = second.save().await.unwrap_err();
    assert!(matches!(error, SessionError::Deleted));
    assert_eq!(error.status(), 400);
}

#[tokio::test]
async fn e8_one_stack_holds_cookies_and_session_another_the_user_too() {
    let counted = async |request: Request| {
        let session = &request.scope().session;
        let count = session.get::<u32>("count").await.unwrap().unwrap_or(0) + 1;
        session.set("count", &count).await.unwrap();
        Ok::<_, std::convert::Infallible>(http::Response::new(Body::from(count.to_string())))
    };
    let service = session_stack(SessionLayer::new(MemorySessions::new())).layer(tower::service_fn(counted));
    let first = service.clone().oneshot(request("/")).await.unwrap();
    let cookie = first.headers()[header::SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned();
    let mut again = request("/");
    again.headers_mut().insert(header::COOKIE, cookie.parse().unwrap());
    assert_eq!(text_of(service.oneshot(again).await.unwrap()).await, "2");
    // The whole stack: all other tests here.
    let site = Site::start().await;
    assert_eq!(site.get("/whoami/", &site.alice().await).await.1, "alice");
}

/// Differs: the user is there before the application is, so nobody can ask too early. Without sessions in front the
/// answer is a 500, and the log says what is missing.
#[tokio::test]
async fn e9_the_scope_has_a_user_or_nobody() {
    let site = Site::start().await;
    assert_eq!(site.get("/whoami/", "").await.1, "nobody");
    assert_eq!(site.socket("/ws/whoami/", "").await.text().await, "nobody");
    let auth = Auth::new(site.users().await, SecretKeys::new(crate::site::KEY), AuthSettings::default());
    let alone = AuthLayer::new(auth).layer(ViewRouter::new([path("whoami/", whoami)]).unwrap());
    assert_eq!(alone.oneshot(request("/whoami/")).await.unwrap().status(), 500);
}

/// Differs: the fallback keys count for sockets too, where Channels deletes the session.
#[tokio::test]
async fn e10_the_user_is_who_id_backend_and_hash_agree_on() {
    let site = Site::start().await;
    let alice = site.alice().await;
    assert_eq!(site.socket("/ws/whoami/", &alice).await.text().await, "alice");
    set_password(&site, "alice", "changed").await;
    assert_eq!(site.socket("/ws/whoami/", &alice).await.text().await, "nobody");
    assert!(site.database.rows("SELECT session_key FROM django_session", &[]).await.unwrap().is_empty());

    let before = site.login("carol", "singer-3").await;
    let keys = SecretKeys::new("the next key, long enough to be one").with_fallbacks([crate::site::KEY]);
    let after = Site::on(site.database.clone(), Plan { keys, ..Plan::default() }).await;
    assert_eq!(after.socket("/ws/whoami/", &before).await.text().await, "carol");
    assert_eq!(after.get("/whoami/", &before).await.1, "carol");
}

/// Differs: in a WebSocket it works before accept, saves by itself, and its cookie goes with the handshake; afterwards
/// it is an error that says so. The CSRF secret changes (`a_login_changes_the_secret`). Of several backends the first
/// is written.
#[tokio::test]
async fn e11_login_gives_the_session_a_new_key_and_the_scope_its_user() {
    let site = Site::start().await;
    let visitor = cookie_of(&site.get("/count/", "").await.0);
    let (head, _) = site.post("/login/", &visitor, "username=alice&password=wonderland-1").await;
    let alice = cookie_of(&head);
    assert_ne!(alice, visitor);
    assert_eq!(site.get("/count/", &alice).await.1, "2", "what the visitor had stays");
    let mut raw = Raw::connect(site.address()).await;
    raw.send(crate::raw::handshake("/ws/login/?username=carol&password=singer-3", "")).await;
    let carol = cookie_of(&raw.head().await);
    assert_eq!(raw.text().await, "carol");
    assert_eq!(site.get("/whoami/", &carol).await.1, "carol");
    let late = site.socket("/ws/late/", "").await.text().await;
    assert!(late.contains("before accept"), "{late}");
}

#[tokio::test]
async fn e12_logout_empties_the_session_and_makes_the_user_nobody() {
    let site = Site::start().await;
    let alice = site.alice().await;
    assert_eq!(site.post("/logout/", &alice, "").await.1, "");
    assert_eq!(site.get("/whoami/", &alice).await.1, "nobody");
}

#[tokio::test]
async fn e13_an_auth_middleware_of_ones_own_serves_both_protocols() {
    let running = with_token_auth().await;
    let address = running.addresses()[0];
    let mut socket = Raw::websocket(address, "/ws/whoami/?token=alices").await;
    assert_eq!(socket.text().await, "alice");
    let mut raw = Raw::connect(address).await;
    raw.send("GET /whoami/?token=alices HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    assert_eq!(raw.response().await.1, "alice");
}

/// Differs: around anything but sockets it does not compile, where Channels raises.
#[tokio::test]
async fn e14_a_refused_origin_is_a_403_on_the_handshake() {
    let sockets = UrlRouter::new([path("ws/whoami/", consumer::<WhoAmI>())]).unwrap();
    let origins = solent::middleware::OriginValidatorLayer::new(["example.com"]);
    let server = Server::new(ProtocolTypeRouter::new().websocket(origins.layer(sockets))).bind("127.0.0.1:0");
    let running = server.access_log(AccessLog::off()).start().await.unwrap();
    for (origin, status) in [("http://example.com", 101), ("http://evil.example", 403)] {
        let mut raw = Raw::connect(running.addresses()[0]).await;
        raw.send(crate::raw::handshake("/ws/whoami/", &format!("Origin: {origin}\r\n"))).await;
        assert_eq!(raw.head().await.status, status, "{origin}");
    }
}

fn allows<'a>(patterns: &[&str], origin: impl Into<Option<&'a str>>) -> bool {
    OriginValidator::new(patterns).allows(origin.into())
}

#[test]
fn e15_without_an_origin_only_a_star_lets_in() {
    assert!(!allows(&["example.com"], None));
    assert!(allows(&["*"], None));
}

#[test]
fn e16_patterns_without_a_scheme_compare_hosts_alone() {
    assert!(allows(&["*"], "http://anything.example"));
    assert!(allows(&["example.com"], "https://example.com:8443"));
    assert!(!allows(&["example.com"], "http://www.example.com"));
    assert!(
        allows(&[".example.com"], "http://www.example.com")
            && allows(&[".example.com"], "http://example.com")
    );
}

#[test]
fn e17_patterns_with_a_scheme_compare_scheme_host_and_port() {
    assert!(allows(&["https://example.com"], "https://example.com:443"));
    assert!(allows(&["ws://example.com"], "ws://example.com:80"));
    assert!(!allows(&["https://example.com"], "http://example.com"));
    assert!(!allows(&["https://example.com"], "wss://example.com"));
    assert!(!allows(&["https://example.com"], "https://example.com:8443"));
}

/// Differs: a port that is no number is refused, where Channels raises.
#[test]
fn e18_and_k16_an_origin_without_a_host_matches_nothing_but_a_star() {
    for origin in ["null", "file://", "example.com", "http://example.com:port"] {
        assert!(!allows(&["http://example.com", "null.example"], origin), "{origin}");
    }
    assert!(allows(&["*"], "null"));
}

#[test]
fn e19_the_sites_own_hosts_are_allowed_origins() {
    let site = OriginValidator::from_hosts(&AllowedHosts::new(["example.com", ".example.org"]));
    assert!(site.allows(Some("https://example.com")) && site.allows(Some("http://a.example.org:8000")));
    assert!(!site.allows(Some("http://evil.example")));
    let local = OriginValidator::from_hosts(&AllowedHosts::local());
    for origin in ["http://localhost:8000", "http://127.0.0.1:8000", "http://[::1]:8000"] {
        assert!(local.allows(Some(origin)), "{origin}");
    }
    assert!(!local.allows(Some("http://example.com")));
}

/// Differs: a middleware refuses by itself, so there is no consumer for it. A consumer denies by `ctx.deny`.
#[tokio::test]
async fn e20_what_refuses_needs_no_denier() {
    let site = Site::start().await;
    assert_eq!(site.handshake("/ws/private/", "").await.status, 403);
}

#[tokio::test]
async fn e21_sockets_have_no_csrf_check_but_the_origins() {
    let site = Site::start().await;
    let alice = site.alice().await;
    assert_eq!(site.handshake("/ws/whoami/", &alice).await.status, 101);
}
