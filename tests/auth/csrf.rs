//! Only the site's own pages can send forms to it.

use std::convert::Infallible;

use http::{HeaderMap, StatusCode, header};
use solent::Scoped as _;
use solent::auth::MemorySessions;
use solent::http::{Body, CsrfLayer, CsrfSettings, CsrfToken, Form, Request, context};
use solent::http::{Templates, TemplatesLayer};
use solent::middleware::SessionLayer;
use solent::routing::{ViewRouter, include, path};
use tower::util::BoxCloneSyncService;
use tower::{Layer as _, ServiceExt as _};

use crate::support::cases;

type Views = BoxCloneSyncService<Request, solent::http::Response, Infallible>;

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

async fn token(request: Request) -> String {
    request.scope().extensions.get::<CsrfToken>().unwrap().token()
}

async fn post(mut request: Request) -> solent::Result<String> {
    let form = Form::read(&mut request).await?;
    Ok(format!("posted {}", form.get("text").unwrap_or("nothing")))
}

async fn upload(_: Request) -> &'static str {
    "taken"
}

async fn rotate(request: Request) -> &'static str {
    request.scope().extensions.get::<CsrfToken>().unwrap().rotate();
    "rotated"
}

async fn page(request: Request) -> solent::Result<solent::http::Response> {
    use solent::http::Render as _;
    request.render("page.html", context! {})
}

fn views(settings: CsrfSettings) -> Views {
    let hooks = ViewRouter::new([path("in/", upload)]).unwrap();
    let router = ViewRouter::new([
        path("token/", token),
        path("post/", post),
        path("upload/", upload),
        path("rotate/", rotate),
        path("page/", page),
        path("shadowed/open/", upload),
        path("shadowed/<str:name>/", upload).csrf_exempt(),
        include("hooks/", hooks).csrf_exempt(),
    ])
    .unwrap();
    let templates = Templates::embedded([("page.html", "{{ csrf_input }}|{{ csrf_token }}")]);
    let router = TemplatesLayer::new(templates).layer(router);
    let sessions = SessionLayer::new(MemorySessions::new());
    BoxCloneSyncService::new(sessions.layer(CsrfLayer::with_settings(settings).layer(router)))
}

async fn ask(views: &Views, request: http::request::Builder, body: impl Into<Body>) -> Answer {
    ask_over(views, "http", request, body).await
}

async fn ask_over(
    views: &Views,
    scheme: &'static str,
    request: http::request::Builder,
    body: impl Into<Body>,
) -> Answer {
    let mut request = request.header("host", "site.example").body(body.into()).unwrap();
    request.scope_mut().scheme = scheme.into();
    let response = views.clone().oneshot(request).await.unwrap();
    let (head, body) = response.into_parts();
    let body = String::from_utf8(body.bytes().await.unwrap().to_vec()).unwrap();
    Answer { status: head.status, headers: head.headers, body }
}

fn form(path: &str, cookie: &str) -> http::request::Builder {
    http::Request::builder()
        .method("POST")
        .uri(path)
        .header("cookie", cookie)
        .header("content-type", "application/x-www-form-urlencoded")
}

/// The cookie with a secret, and a token for it.
async fn secret(views: &Views) -> (String, String) {
    let answer = ask(views, http::Request::builder().uri("/token/"), "").await;
    let cookie = answer.headers[header::SET_COOKIE].to_str().unwrap();
    assert!(cookie.ends_with("; Max-Age=31449600; Path=/; SameSite=Lax"), "{cookie}");
    assert_eq!(answer.headers[header::VARY], "Cookie");
    (cookie.split(';').next().unwrap().to_owned(), answer.body)
}

#[tokio::test]
async fn a_form_of_the_sites_own_page_is_taken_and_read_by_its_view() {
    let views = views(CsrfSettings::default());
    let (cookie, token) = secret(&views).await;
    let body = format!("csrfmiddlewaretoken={token}&text=hello");
    let answer = ask(&views, form("/post/", &cookie), body).await;
    assert_eq!((answer.status, &*answer.body), (StatusCode::OK, "posted hello"));
    assert!(
        !answer.headers.contains_key(header::SET_COOKIE),
        "a page that asks for no token renews no cookie"
    );
}

#[tokio::test]
async fn requests_that_change_something_need_a_token_whatever_their_method() {
    let views = views(CsrfSettings::default());
    let (cookie, token) = secret(&views).await;
    for method in ["POST", "PUT", "PATCH", "DELETE", "QUERY"] {
        let request = || http::Request::builder().method(method).uri("/upload/").header("cookie", &cookie);
        assert_eq!(ask(&views, request(), "").await.status, StatusCode::FORBIDDEN, "{method}");
        assert_eq!(
            ask(&views, request().header("x-csrftoken", &token), "").await.status,
            StatusCode::OK,
            "{method}"
        );
    }
    for method in ["GET", "HEAD", "OPTIONS", "TRACE"] {
        let answer = ask(&views, http::Request::builder().method(method).uri("/upload/"), "").await;
        assert_eq!(answer.status, StatusCode::OK, "{method}");
    }
}

#[tokio::test]
async fn forged_tokens_and_secrets_are_refused() {
    let views = views(CsrfSettings::default());
    let (cookie, token) = secret(&views).await;
    let (other_cookie, other_token) = secret(&views).await;
    let field = |token: &str| format!("csrfmiddlewaretoken={token}");
    for (cookie, body) in [
        (&*cookie, String::new()),
        (&*cookie, field("")),
        (&*cookie, field("x")),
        (&*cookie, field(&other_token)),
        (&*other_cookie, field(&token)),
        ("", field(&token)),
        ("csrftoken=short", field("short")),
        ("csrftoken=", field("")),
    ] {
        let answer = ask(&views, form("/post/", cookie), body.clone()).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{cookie} {body}");
        assert_eq!(answer.body, "CSRF verification failed. Request aborted.");
    }
    // The field comes first: a wrong one is not made good by the header.
    let request = form("/post/", &cookie).header("x-csrftoken", &token);
    assert_eq!(ask(&views, request, field("wrong")).await.status, StatusCode::FORBIDDEN);
    let request = form("/post/", &cookie).header("x-csrftoken", &token);
    assert_eq!(ask(&views, request, field("")).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_multipart_forms_token_is_found() {
    let views = views(CsrfSettings::default());
    let (cookie, token) = secret(&views).await;
    let request = || {
        let kind = "multipart/form-data; boundary=XX";
        http::Request::builder()
            .method("POST")
            .uri("/upload/")
            .header("cookie", &cookie)
            .header("content-type", kind)
    };
    let body = |token: &str| {
        format!(
            "--XX\r\nContent-Disposition: form-data; name=\"csrfmiddlewaretoken\"\r\n\r\n{token}\r\n--XX--\r\n"
        )
    };
    assert_eq!(ask(&views, request(), body(&token)).await.status, StatusCode::OK);
    assert_eq!(ask(&views, request(), body("wrong")).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn another_sites_origin_fails_at_once_and_a_trusted_one_passes() {
    let mut settings = CsrfSettings::default();
    settings.trusted_origins = vec!["https://app.example".to_owned(), "https://*.trusted.example".to_owned()];
    let views = views(settings);
    let (cookie, token) = secret(&views).await;
    let mut found = Vec::new();
    let origins = [
        ("http://site.example", 200),
        ("https://app.example", 200),
        ("https://a.trusted.example", 200),
        ("https://trusted.example", 200),
        ("http://a.trusted.example", 403),
        ("https://eviltrusted.example", 403),
        ("https://site.example", 403),
        ("http://site.example:8000", 403),
        ("http://evil.example", 403),
        ("null", 403),
        ("", 403),
    ];
    for (origin, status) in origins {
        let request = form("/upload/", &cookie).header("x-csrftoken", &token).header("origin", origin);
        found.push((origin, ask(&views, request, "").await.status.as_u16()));
        assert_eq!(found.last(), Some(&(origin, status)));
    }
}

#[tokio::test]
async fn over_tls_a_request_without_an_origin_needs_a_referer_of_the_site() {
    let views = views(CsrfSettings::default());
    let (cookie, token) = secret(&views).await;
    for (referer, status) in [
        (Some("https://site.example/page/"), 200),
        (Some("http://site.example/page/"), 403),
        (Some("https://evil.example/"), 403),
        (Some("/page/"), 403),
        (Some("https://[::1"), 403),
        (None, 403),
    ] {
        let mut request = form("/upload/", &cookie).header("x-csrftoken", &token);
        if let Some(referer) = referer {
            request = request.header("referer", referer);
        }
        let answer = ask_over(&views, "https", request, "").await;
        assert_eq!(answer.status.as_u16(), status, "{referer:?}");
    }
    let request =
        form("/upload/", &cookie).header("x-csrftoken", &token).header("origin", "https://site.example");
    assert_eq!(ask_over(&views, "https", request, "").await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_cookies_of_secret_and_session_that_were_given_over_tls_go_back_over_tls_alone() {
    for (use_sessions, name) in [(false, "csrftoken="), (true, "sessionid=")] {
        let mut settings = CsrfSettings::default();
        settings.use_sessions = use_sessions;
        let views = views(settings);
        for (scheme, is_secure) in [("https", true), ("http", false)] {
            let answer = ask_over(&views, scheme, http::Request::builder().uri("/token/"), "").await;
            let cookie = answer.headers[header::SET_COOKIE].to_str().unwrap();
            assert!(cookie.starts_with(name), "{cookie}");
            assert_eq!(cookie.ends_with("; Secure"), is_secure, "{scheme}: {cookie}");
        }
    }
}

#[tokio::test]
async fn exempt_routes_take_what_others_refuse_and_only_where_they_serve() {
    let views = views(CsrfSettings::default());
    for (path, status) in [
        ("/hooks/in/", 200),
        ("/shadowed/x/", 200),
        ("/shadowed/open/", 403),
        ("/upload/", 403),
        ("/nowhere/", 403),
    ] {
        let answer = ask(&views, http::Request::builder().method("POST").uri(path), "").await;
        assert_eq!(answer.status.as_u16(), status, "{path}");
    }
}

#[tokio::test]
async fn a_login_changes_the_secret() {
    let views = views(CsrfSettings::default());
    let (cookie, token) = secret(&views).await;
    let answer = ask(&views, form("/rotate/", &cookie).header("x-csrftoken", &token), "").await;
    let new = answer.headers[header::SET_COOKIE].to_str().unwrap();
    assert!(new.starts_with("csrftoken=") && !new.starts_with(&cookie), "{new}");

    // The real login does it.
    let site = crate::site::Site::start().await;
    let stack = solent::middleware::auth_stack(SessionLayer::new(MemorySessions::new()), site.auth.clone());
    async fn log_in(mut request: Request) -> solent::Result<&'static str> {
        let user = solent::auth::authenticate(&request, "alice", "wonderland-1").await?.unwrap();
        solent::auth::login(&mut request, &user).await?;
        Ok("in")
    }
    let router = ViewRouter::new([path("login/", log_in)]).unwrap();
    let views: Views = BoxCloneSyncService::new(stack.layer(CsrfLayer::new().layer(router)));
    let answer = ask(&views, form("/login/", &cookie).header("x-csrftoken", &token), "").await;
    let cookies: Vec<_> =
        answer.headers.get_all(header::SET_COOKIE).iter().map(|cookie| cookie.to_str().unwrap()).collect();
    let new = cookies.iter().find(|cookie| cookie.starts_with("csrftoken=")).unwrap();
    assert!(!new.starts_with(&cookie), "{new}");
    assert!(cookies.iter().any(|cookie| cookie.starts_with("sessionid=")), "{cookies:?}");
}

#[tokio::test]
async fn a_secret_of_before_django_4_1_is_still_good() {
    let views = views(CsrfSettings::default());
    let vectors = crate::support::vectors("csrf.json");
    let all = cases(&vectors, "mask");
    for case in &all {
        let text = |key: &str| case[key].as_str().unwrap();
        let cookie = format!("csrftoken={}", text("token"));
        let request = form("/upload/", &cookie).header("x-csrftoken", text("secret"));
        assert_eq!(ask(&views, request, "").await.status, StatusCode::OK);
    }
    assert_eq!(all.len(), 12);
}

#[tokio::test]
async fn the_session_can_hold_the_secret() {
    let mut settings = CsrfSettings::default();
    settings.use_sessions = true;
    let views = views(settings);
    let answer = ask(&views, http::Request::builder().uri("/token/"), "").await;
    let cookie = answer.headers[header::SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned();
    assert!(cookie.starts_with("sessionid="), "{cookie}");
    let request = form("/post/", &cookie);
    let body = format!("csrfmiddlewaretoken={}", answer.body);
    assert_eq!(ask(&views, request, body).await.status, StatusCode::OK);
    let body = format!("csrfmiddlewaretoken={}", answer.body);
    assert_eq!(
        ask(&views, form("/post/", "sessionid=other-session"), body).await.status,
        StatusCode::FORBIDDEN
    );
}

#[tokio::test]
async fn templates_have_the_token_and_its_field() {
    let views = views(CsrfSettings::default());
    let answer = ask(&views, http::Request::builder().uri("/page/"), "").await;
    let cookie = answer.headers[header::SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned();
    let (input, token) = answer.body.split_once('|').unwrap();
    let field = input.strip_prefix(r#"<input type="hidden" name="csrfmiddlewaretoken" value=""#).unwrap();
    for token in [token, field.strip_suffix(r#"">"#).unwrap()] {
        let request = form("/upload/", &cookie).header("x-csrftoken", token);
        assert_eq!(ask(&views, request, "").await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn a_form_that_is_too_large_is_refused_before_it_is_searched() {
    let views = views(CsrfSettings::default());
    let (cookie, _) = secret(&views).await;
    let answer = ask(&views, form("/post/", &cookie), vec![b'a'; 3 << 20]).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
}
