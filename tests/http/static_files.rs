//! Static files: from a folder and from the program, by the same rules.

use std::fs;
use std::time::Duration;

use http::{Method, Response, StatusCode, header};
use solent::Scoped;
use solent::http::{Body, Request, StaticFiles};
use tempfile::TempDir;
use tower::ServiceExt;

const CSS: &[u8] = b"body { margin: 0 }\n";

fn folder() -> (TempDir, StaticFiles) {
    let dir = tempfile::tempdir().unwrap();
    for (path, text) in
        [("css/base.css", CSS), (".secret", b"x"), ("css/.hidden", b"x"), ("a b%41.txt", b"odd")]
    {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let files = StaticFiles::folder(dir.path());
    (dir, files)
}

fn embedded() -> StaticFiles {
    StaticFiles::embedded(&[("css/base.css", CSS), ("a b%41.txt", b"odd")])
}

fn get(path: &str) -> Request {
    http::Request::builder().uri(path).body(Body::empty()).unwrap()
}

async fn ask(files: &StaticFiles, request: Request) -> Response<Body> {
    files.clone().oneshot(request).await.unwrap()
}

fn text(response: &Response<Body>, name: header::HeaderName) -> &str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

async fn for_each_source(check: impl AsyncFn(&StaticFiles)) {
    let (_dir, files) = folder();
    check(&files).await;
    check(&embedded()).await;
}

#[tokio::test]
async fn a_file_comes_with_its_type_its_tag_and_a_time_to_keep_it() {
    for_each_source(async |files| {
        let response = ask(files, get("/css/base.css")).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(text(&response, header::CONTENT_TYPE), "text/css; charset=utf-8");
        assert_eq!(text(&response, header::CONTENT_LENGTH), CSS.len().to_string());
        assert_eq!(text(&response, header::CACHE_CONTROL), "public, max-age=60");
        assert_eq!(text(&response, header::X_CONTENT_TYPE_OPTIONS), "nosniff");
        assert!(text(&response, header::ETAG).starts_with('"'));
        assert_eq!(response.into_body().bytes().await.unwrap(), CSS);
    })
    .await;
}

#[tokio::test]
async fn a_browser_that_has_the_file_gets_a_304_without_a_body() {
    for_each_source(async |files| {
        let tag = text(&ask(files, get("/css/base.css")).await, header::ETAG).to_owned();
        for list in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".to_owned()] {
            let mut request = get("/css/base.css");
            request.headers_mut().insert(header::IF_NONE_MATCH, list.parse().unwrap());
            let response = ask(files, request).await;
            assert_eq!(response.status(), StatusCode::NOT_MODIFIED, "{list}");
            assert_eq!(text(&response, header::ETAG), tag);
            assert_eq!(text(&response, header::CACHE_CONTROL), "public, max-age=60");
            assert!(response.into_body().bytes().await.unwrap().is_empty());
        }
        let mut request = get("/css/base.css");
        request.headers_mut().insert(header::IF_NONE_MATCH, "\"other\"".parse().unwrap());
        assert_eq!(ask(files, request).await.status(), StatusCode::OK);
    })
    .await;
}

#[tokio::test]
async fn head_is_a_get_without_its_body() {
    for_each_source(async |files| {
        let mut request = get("/css/base.css");
        *request.method_mut() = Method::HEAD;
        let response = ask(files, request).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(text(&response, header::CONTENT_LENGTH), CSS.len().to_string());
        assert!(response.into_body().bytes().await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn other_methods_are_a_405_that_names_the_right_ones() {
    for_each_source(async |files| {
        let mut request = get("/css/base.css");
        *request.method_mut() = Method::POST;
        let response = ask(files, request).await;
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(text(&response, header::ALLOW), "GET,HEAD");
    })
    .await;
}

#[tokio::test]
async fn nothing_but_plain_files_below_the_folder_is_ever_served() {
    let long_name = format!("/{}", "x".repeat(256));
    let long_path = "/x".repeat(4000);
    let paths = [
        "/",
        "/css",
        "/css/",
        "/css/base.css/",
        "/css/base.css/x",
        "//css/base.css",
        "/css//base.css",
        "/nothing.css",
        "/.secret",
        "/css/.hidden",
        "/../secret",
        "/css/../css/base.css",
        "/css/./base.css",
        "/%2e%2e/css/base.css",
        "/css/..%2fcss/base.css",
        "/css%5cbase.css",
        "/css/base.css%00",
        "/%00",
        "/c:/css/base.css",
        "/%ff",
        "/%2fetc/passwd",
        "/css/base.css%2500",
        "/css%252fbase.css",
        &long_name,
        &long_path,
    ];
    for_each_source(async |files| {
        for path in paths {
            assert_eq!(ask(files, get(path)).await.status(), StatusCode::NOT_FOUND, "{path}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_path_is_decoded_once() {
    for_each_source(async |files| {
        let response = ask(files, get("/a%20b%2541.txt")).await;
        assert_eq!(response.into_body().bytes().await.unwrap(), "odd");
    })
    .await;
}

#[tokio::test]
async fn below_a_router_only_the_rest_of_the_path_counts() {
    for_each_source(async |files| {
        let mut request = get("/static/css/base.css");
        request.scope_mut().path_remaining = Some("css/base.css".to_owned());
        assert_eq!(ask(files, request).await.status(), StatusCode::OK);
    })
    .await;
}

#[tokio::test]
async fn part_of_a_file_is_a_206() {
    let (_dir, files) = folder();
    let mut request = get("/css/base.css");
    request.headers_mut().insert(header::RANGE, "bytes=0-3".parse().unwrap());
    let response = ask(&files, request).await;
    assert_eq!(response.status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(response.into_body().bytes().await.unwrap(), "body");
}

#[tokio::test]
async fn a_changed_file_is_live_without_a_restart_and_has_another_tag() {
    let (dir, files) = folder();
    let before = ask(&files, get("/css/base.css")).await;
    fs::write(dir.path().join("css/base.css"), "new { }").unwrap();
    let after = ask(&files, get("/css/base.css")).await;
    assert_ne!(text(&before, header::ETAG), text(&after, header::ETAG));
    assert_eq!(after.into_body().bytes().await.unwrap(), "new { }");
}

#[tokio::test]
async fn with_debug_on_browsers_ask_each_time() {
    for_each_source(async |files| {
        let mut request = get("/css/base.css");
        let mut env = solent::Environment::default();
        env.debug = true;
        request.scope_mut().env = env.into();
        assert_eq!(text(&ask(files, request).await, header::CACHE_CONTROL), "no-cache");
    })
    .await;
}

#[tokio::test]
async fn the_time_to_keep_a_file_can_be_set() {
    let files = embedded().max_age(Duration::from_secs(3600));
    assert_eq!(text(&ask(&files, get("/css/base.css")).await, header::CACHE_CONTROL), "public, max-age=3600");
}
