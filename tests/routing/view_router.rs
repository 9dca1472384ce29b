//! `ViewRouter`: order, includes, methods, redirects, mounted services.

use std::sync::Arc;

use http::{Method, StatusCode, Uri};
use solent::Scoped;
use solent::http::{
    Body, Form, HttpError, NoRoute, Request, RequestExt, blocking, get, html, json, on, post, redirect, text,
    with_state,
};
use solent::routing::{
    Converter, Converters, ProtocolTypeRouter, RouteError, Routes, UrlRouter, ViewRouter, include, mount,
    path, re_path,
};
use tower::ServiceExt;

use crate::support::{Never, Seen};
use crate::views::{ask, body_of, page, request, told};

#[tokio::test]
async fn the_first_matching_route_wins_and_its_captures_reach_the_view() {
    let views = ViewRouter::new([
        path("", told).name("index"),
        path("chat/room/<int:course_id>/", told).name("chat:room").kwarg("extra", "1"),
        path("chat/room/<slug:name>/", told),
        re_path(r"^chat/(?P<rest>.*)$", told),
    ])
    .unwrap();
    assert_eq!(page(&views, "/").await, "200  index []");
    let room = page(&views, "/chat/room/007/").await;
    assert_eq!(room, "200 chat/room/<int:course_id>/ chat:room [course_id=7 extra=1]");
    assert_eq!(page(&views, "/chat/room/x-7/").await, "200 chat/room/<slug:name>/ - [name=x-7]");
    assert_eq!(page(&views, "/chat/room/%C3%A9/").await, "200 ^chat/(?P<rest>.*)$ - [rest=room/é/]");
    assert_eq!(page(&views, "/chat/a%2520b").await, "200 ^chat/(?P<rest>.*)$ - [rest=a%20b]");
}

#[tokio::test]
async fn converters_of_ones_own_serve_views_too() {
    let even = |text: &str| text.parse::<u32>().ok().filter(|n| n % 2 == 0).map(|n| n.to_string());
    let converters = Converters::default().with(Converter::new("even", "[0-9]+", even));
    let views = ViewRouter::with_converters(&converters, [path("page/<even:n>/", told)]).unwrap();
    assert_eq!(page(&views, "/page/042/").await, "200 page/<even:n>/ - [n=42]");
    assert!(page(&views, "/page/43/").await.starts_with("404"));
}

#[tokio::test]
async fn an_included_router_goes_on_behind_the_prefix_and_a_miss_comes_back() {
    let rooms = ViewRouter::new([path("<int:id>/", told).name("room"), path("new/", told)]).unwrap();
    let chat = ViewRouter::new([include("room/", rooms).kwarg("from", "chat"), path("", told).name("index")]);
    let views = ViewRouter::new([
        include("<slug:site>/chat/", chat.unwrap()).namespace("chat").kwarg("from", "root"),
        path("<str:any>/chat/room/<str:name>/", told),
    ])
    .unwrap();
    assert_eq!(page(&views, "/a/chat/").await, "200 <slug:site>/chat/ chat:index [from=root site=a]");
    assert_eq!(
        page(&views, "/a/chat/room/7/").await,
        "200 <slug:site>/chat/room/<int:id>/ chat:room [from=chat id=7 site=a]"
    );
    assert_eq!(page(&views, "/a/chat/room/x/").await, "200 <str:any>/chat/room/<str:name>/ - [any=a name=x]");
}

#[tokio::test]
async fn methods_are_told_apart() {
    let views = ViewRouter::new([
        path("form/", get(async |_: Request| "the form").post(async |_: Request| "thank you")),
        path("delete/", on(Method::DELETE, async |_: Request| "gone")),
        path("listed/", told).methods([Method::GET, Method::PUT]),
        path("any/", async |request: Request| request.method().to_string()),
        path("post/", post(told)),
    ])
    .unwrap();
    assert_eq!(page(&views, "/form/").await, "200 the form");
    let thanks = ask(&views, Method::POST, "/form/").await;
    assert_eq!(body_of(thanks).await, "thank you");
    let head = ask(&views, Method::HEAD, "/form/").await;
    assert_eq!(head.headers()["content-length"], "8");
    assert_eq!(body_of(head).await, "");
    for (uri, allow) in [
        ("/form/", "GET, POST, HEAD, OPTIONS"),
        ("/delete/", "DELETE, OPTIONS"),
        ("/listed/", "GET, PUT, HEAD, OPTIONS"),
    ] {
        let refused = ask(&views, Method::PATCH, uri).await;
        assert_eq!(
            (refused.status(), refused.headers()["allow"].as_bytes()),
            (StatusCode::METHOD_NOT_ALLOWED, allow.as_bytes())
        );
        let options = ask(&views, Method::OPTIONS, uri).await;
        assert_eq!(
            (options.status(), options.headers()["allow"].as_bytes()),
            (StatusCode::OK, allow.as_bytes())
        );
    }
    assert_eq!(ask(&views, Method::HEAD, "/post/").await.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(body_of(ask(&views, Method::OPTIONS, "/any/").await).await, "OPTIONS");
    assert_eq!(body_of(ask(&views, Method::from_bytes(b"BREW").unwrap(), "/any/").await).await, "BREW");
}

#[tokio::test]
async fn a_missing_slash_is_appended_by_a_redirect_for_get_and_head() {
    let views =
        ViewRouter::new([path("chat/<str:room>/", told), re_path("^(?P<deep>.+)/deep/$", told)]).unwrap();
    let location = async |method, uri: &str| {
        let response = ask(&views, method, uri).await;
        let location = response.headers().get("location").map(|value| value.to_str().unwrap().to_owned());
        (response.status().as_u16(), location.unwrap_or_default())
    };
    assert_eq!(location(Method::GET, "/chat/a%20b?x=1&y=%2F").await, (301, "/chat/a%20b/?x=1&y=%2F".into()));
    assert_eq!(location(Method::HEAD, "/chat/a").await, (301, "/chat/a/".into()));
    assert_eq!(location(Method::POST, "/chat/a").await, (404, String::new()));
    assert_eq!(location(Method::GET, "/chat/").await, (404, String::new()));
    assert_eq!(location(Method::GET, "/nothing").await, (404, String::new()));
    assert_eq!(location(Method::GET, "//evil.example/deep").await, (301, "/%2Fevil.example/deep/".into()));
    assert_eq!(location(Method::GET, "/\\evil.example/deep").await, (301, "/%5Cevil.example/deep/".into()));
    let off = views.clone().append_slash(false);
    assert_eq!(ask(&off, Method::GET, "/chat/a").await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn two_leading_slashes_are_not_one() {
    let views = ViewRouter::new([path("admin/", told)]).unwrap();
    assert!(page(&views, "//admin/").await.starts_with("404"));
}

#[tokio::test]
async fn a_path_that_is_not_text_is_refused() {
    let views = ViewRouter::new([re_path("", told)]).unwrap();
    for uri in ["/%ff", "/%C3", "/a%00b", "/%ed%a0%80"] {
        assert!(page(&views, uri).await.starts_with("400"), "{uri}");
    }
    assert!(page(&views, "/%C3%A9%25%2F").await.starts_with("200"));
}

#[tokio::test]
async fn views_return_what_reads_best() {
    let views = ViewRouter::new([
        path("text/", async |_: Request| "plain"),
        path("owned/", async |_: Request| String::from("owned")),
        path("html/", async |_: Request| html("<p>")),
        path("json/", async |_: Request| json(&[1, 2])),
        path("status/", async |_: Request| StatusCode::NO_CONTENT),
        path("pair/", async |_: Request| (StatusCode::CREATED, text("made"))),
        path("foreign/", async |_: Request| {
            http::Response::new(http_body_util::Full::new(bytes::Bytes::from("f")))
        }),
        path("result/", async |_: Request| Err::<&str, _>(HttpError::forbidden("No entry."))),
        path("redirect/", async |_: Request| redirect("/next/?a=1\r\nX: y")),
        path("danger/", async |_: Request| redirect(" javascript:alert(1)")),
    ])
    .unwrap();
    let kind = async |uri: &str| {
        let response = ask(&views, Method::GET, uri).await;
        let kind = response.headers().get("content-type").map(|kind| kind.to_str().unwrap().to_owned());
        (response.status().as_u16(), kind.unwrap_or_default(), body_of(response).await)
    };
    let plain = "text/plain; charset=utf-8";
    assert_eq!(kind("/text/").await, (200, plain.into(), "plain".into()));
    assert_eq!(kind("/owned/").await, (200, plain.into(), "owned".into()));
    assert_eq!(kind("/html/").await, (200, "text/html; charset=utf-8".into(), "<p>".into()));
    assert_eq!(kind("/json/").await, (200, "application/json".into(), "[1,2]".into()));
    assert_eq!(kind("/status/").await, (204, String::new(), String::new()));
    assert_eq!(kind("/pair/").await, (201, plain.into(), "made".into()));
    assert_eq!(kind("/foreign/").await, (200, String::new(), "f".into()));
    assert_eq!(kind("/result/").await, (403, plain.into(), "No entry.\n".into()));
    let response = ask(&views, Method::GET, "/redirect/").await;
    assert_eq!(
        (response.status().as_u16(), response.headers()["location"].to_str().unwrap()),
        (302, "/next/?a=1%0D%0AX:%20y")
    );
    assert_eq!(kind("/danger/").await.0, 400);
}

#[tokio::test]
async fn views_with_state_and_blocking_views_are_views() {
    async fn greet(greeting: Arc<str>, request: Request) -> solent::Result<String> {
        Ok(format!("{greeting}, {}", request.kwargs().get::<String>("name")?))
    }
    fn slow(greeting: Arc<str>, request: solent::http::BlockingRequest) -> solent::Result<String> {
        let form = Form::parse(request.body())?;
        Ok(format!(
            "{greeting}, {} on {:?}",
            form.get("name").unwrap_or("nobody"),
            request.kwargs().text("day")
        ))
    }
    let state: Arc<str> = "hello".into();
    let views = ViewRouter::new([
        path("async/<name>/", with_state(Arc::clone(&state), greet)),
        path("blocking/<day>/", post(blocking(with_state(state, slow)))),
        path("panics/", blocking(|_: solent::http::BlockingRequest| -> &'static str { panic!("ouch") })),
    ])
    .unwrap();
    assert_eq!(page(&views, "/async/alice/").await, "200 hello, alice");
    let body = http::Request::post("/blocking/monday/").body(Body::from("name=bob")).unwrap();
    let response = views.clone().oneshot(body).await.unwrap();
    assert_eq!(body_of(response).await, "hello, bob on Some(\"monday\")");
    assert!(page(&views, "/panics/").await.starts_with("500"));
}

#[test]
fn a_router_tells_of_its_routes() {
    let inner = ViewRouter::new([path("form/", get(told).post(told)).name("form"), path("", told)]).unwrap();
    let views =
        ViewRouter::new([include("a/", inner).namespace("a"), path("b/", told).methods([Method::PUT])]);
    let told: Vec<_> = views
        .unwrap()
        .routes()
        .into_iter()
        .map(|route| (route.pattern, route.name.unwrap_or_default(), route.methods))
        .collect();
    let expected = [
        ("a/form/", "a:form", vec![Method::GET, Method::POST]),
        ("a/", "", Vec::new()),
        ("b/", "", vec![Method::PUT]),
    ];
    assert_eq!(told, expected.map(|(pattern, name, methods)| (pattern.to_owned(), name.to_owned(), methods)));
}

#[tokio::test]
async fn any_service_can_be_mounted_and_sees_the_rest_as_its_path() {
    let echo = tower::service_fn(|request: Request| async move {
        Ok::<_, Never>(http::Response::new(request.uri().to_string()))
    });
    let fails = tower::service_fn(|_: Request| async move {
        Err::<http::Response<String>, std::io::Error>(std::io::Error::other("down"))
    });
    let views = ViewRouter::new([
        include("api/<str:version>/", mount(echo)),
        path("exact", mount(echo)),
        include("down/", mount(fails)),
    ])
    .unwrap();
    assert_eq!(page(&views, "/api/v1/a%2Fb/%C3%A9?q=1").await, "200 /a%2Fb/%C3%A9?q=1");
    assert_eq!(page(&views, "/api/v1/").await, "200 /");
    assert_eq!(page(&views, "/exact?q=1").await, "200 /exact?q=1");
    assert!(page(&views, "/exactly").await.starts_with("404"));
    assert!(page(&views, "/down/x").await.starts_with("500"));
    let absolute: Uri = "http://example.org/api/v1/x".parse().unwrap();
    let response =
        views.clone().oneshot(http::Request::get(absolute).body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(body_of(response).await, "http://example.org/x");
}

#[tokio::test]
async fn the_routers_404_can_be_told_from_a_views() {
    let views = ViewRouter::new([path("lost/", async |_: Request| StatusCode::NOT_FOUND)]).unwrap();
    assert!(ask(&views, Method::GET, "/lost/").await.extensions().get::<NoRoute>().is_none());
    assert!(ask(&views, Method::GET, "/nothing/").await.extensions().get::<NoRoute>().is_some());
    assert!(views.resolve("/lost/").is_some() && views.resolve("/nothing/").is_none());
    let sockets = UrlRouter::new([path("lost/", Seen::default()), path("ws/", Seen::default())]).unwrap();
    let app = ProtocolTypeRouter::new().http(views).websocket(sockets);
    let status = async |uri| app.call_http(request(Method::GET, uri)).await.status().as_u16();
    assert_eq!((status("/lost/").await, status("/ws/").await, status("/x/").await), (404, 426, 404));
}

#[tokio::test]
async fn a_root_path_is_cut_off() {
    let views = ViewRouter::new([path("room/", told)]).unwrap();
    let below = async |uri: &str| {
        let mut request = request(Method::GET, uri);
        request.scope_mut().root_path = "/app".to_owned();
        let response = views.clone().oneshot(request).await.unwrap();
        (response.status().as_u16(), response.headers().get("location").cloned())
    };
    assert_eq!(below("/app/room/").await.0, 200);
    assert_eq!(below("/room/").await.0, 404);
    assert_eq!(below("/app/room").await, (301, Some("/app/room/".parse().unwrap())));
}

#[test]
fn a_route_that_can_never_be_reached_is_an_error() {
    let unreachable = [
        ["a/", "a/"],
        ["<str:x>/", "a/"],
        ["<str:x>/", "<int:y>/"],
        ["<slug:x>/", "<uuid:y>/"],
        ["<path:x>", "a/b/<int:y>"],
        ["a/<path:x>", "a/<int:y>/"],
        ["<int:x>/", "007/"],
        ["<str:x>/", "a-<int:y>/"],
    ];
    for [first, second] in unreachable {
        let error = ViewRouter::new([path(first, told), path(second, told)]).unwrap_err();
        let expected = RouteError::Unreachable { pattern: second.into(), earlier: first.into() };
        assert_eq!(error, expected);
    }
    let reachable = [
        ["a/", "a"],
        ["<int:x>/", "<str:y>/"],
        ["<int:x>/", "99999999999999999999/"],
        ["a/<path:x>", "a/"],
        ["<str:x>", "<path:y>"],
        ["<int:x>-<int:y>/", "<slug:z>/"],
        ["<slug:x>/", "a.<int:y>/"],
    ];
    for [first, second] in reachable {
        ViewRouter::new([path(first, told), path(second, told)]).unwrap();
    }
    let behind_regex = [re_path("^a", told), path("abc/", told)];
    assert!(matches!(ViewRouter::new(behind_regex), Err(RouteError::Unreachable { .. })));
    let behind_all = [re_path("", told), re_path("^x/$", told)];
    assert!(matches!(ViewRouter::new(behind_all), Err(RouteError::Unreachable { .. })));
    let inner = || ViewRouter::new([path("<int:x>/", told)]).unwrap();
    let twice = [include("a/", inner()), include("a/", inner())];
    assert!(matches!(ViewRouter::new(twice), Err(RouteError::Unreachable { .. })));
    let service = || {
        mount(tower::service_fn(|_: Request| async { Ok::<_, Never>(http::Response::new(String::new())) }))
    };
    let below = [include("a/", service()), path("a/b/", told).methods([Method::GET])];
    assert!(matches!(ViewRouter::new(below), Err(RouteError::Unreachable { .. })));
    ViewRouter::new([include("a/", service()), path("a", told)]).unwrap();
}
