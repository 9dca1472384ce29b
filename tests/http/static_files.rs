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
    check(&files.cache(0)).await;
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
    for_each_source(async |files| {
        let ask = async |range: &str, version: Option<&str>| {
            let mut request = get("/css/base.css");
            request.headers_mut().insert(header::RANGE, range.parse().unwrap());
            if let Some(version) = version {
                request.headers_mut().insert(header::IF_RANGE, version.parse().unwrap());
            }
            let response = ask(files, request).await;
            let (status, range) =
                (response.status().as_u16(), text(&response, header::CONTENT_RANGE).to_owned());
            (status, range, String::from_utf8(response.into_body().bytes().await.unwrap().to_vec()).unwrap())
        };
        for (range, expected, part) in [
            ("bytes=0-3", "bytes 0-3/19", "body"),
            ("bytes=5-", "bytes 5-18/19", "{ margin: 0 }\n"),
            ("bytes=-2", "bytes 17-18/19", "}\n"),
            ("bytes=15-99", "bytes 15-18/19", "0 }\n"),
        ] {
            assert_eq!(ask(range, None).await, (206, expected.to_owned(), part.to_owned()), "{range}");
        }
        assert_eq!(ask("bytes=19-", None).await.0, 416);
        assert_eq!(ask("lines=0-3", None).await.2.as_bytes(), CSS);
        assert_eq!(ask("bytes=0-3", Some("\"another\"")).await.2.as_bytes(), CSS);
    })
    .await;
}

#[tokio::test]
async fn a_name_with_the_contents_hash_is_kept_for_good() {
    let (dir, files) = folder();
    for files in [files.hashed_names(), embedded().hashed_names()] {
        let name = files.name_of("css/base.css");
        assert!(name.starts_with("css/base.") && name.ends_with(".css") && name.len() == 25, "{name}");
        let response = ask(&files, get(&format!("/{name}"))).await;
        assert_eq!(text(&response, header::CACHE_CONTROL), "public, max-age=31536000, immutable");
        assert_eq!(text(&response, header::CONTENT_TYPE), "text/css; charset=utf-8");
        assert_eq!(response.into_body().bytes().await.unwrap(), CSS);
        // A page of another version gets today's file, and asks again.
        let response = ask(&files, get("/css/base.0123456789ab.css")).await;
        assert_eq!(text(&response, header::CACHE_CONTROL), "public, max-age=60");
        assert_eq!(response.into_body().bytes().await.unwrap(), CSS);
        for path in ["/css/none.0123456789ab.css", "/css/base.0123456789.css", "/css/.0123456789ab.hidden"] {
            assert_eq!(ask(&files, get(path)).await.status(), StatusCode::NOT_FOUND, "{path}");
        }
        assert_eq!(files.name_of("css/none.css"), "css/none.css");
    }
    let files = StaticFiles::folder(dir.path()).hashed_names();
    let before = files.name_of("css/base.css");
    fs::write(dir.path().join("css/base.css"), "body { margin: 1px }").unwrap();
    assert_ne!(files.name_of("css/base.css"), before);
    assert_eq!(StaticFiles::folder(dir.path()).name_of("css/base.css"), "css/base.css");
}

#[tokio::test]
async fn a_compressed_variant_beside_a_file_goes_to_who_takes_it() {
    let (dir, files) = folder();
    fs::write(dir.path().join("css/base.css.br"), "pretend").unwrap();
    let ask = async |files: &StaticFiles, encoding: &str, debug: bool| {
        let mut request = get("/css/base.css");
        request.headers_mut().insert(header::ACCEPT_ENCODING, encoding.parse().unwrap());
        if debug {
            let mut env = solent::Environment::default();
            env.debug = true;
            request.scope_mut().env = std::sync::Arc::new(env);
        }
        let response = ask(files, request).await;
        let (kind, encoding) =
            (text(&response, header::CONTENT_TYPE), text(&response, header::CONTENT_ENCODING));
        assert_eq!(kind, "text/css; charset=utf-8");
        (encoding.to_owned(), text(&response, header::VARY).to_owned())
    };
    assert_eq!(ask(&files, "br, gzip", false).await, (String::new(), String::new()));
    let files = files.precompressed();
    let vary = "accept-encoding".to_owned();
    assert_eq!(ask(&files, "br, gzip", false).await, ("br".to_owned(), vary.clone()));
    assert_eq!(ask(&files, "gzip", false).await, (String::new(), vary.clone()));
    assert_eq!(ask(&files, "br", true).await, (String::new(), vary), "an old variant must not hide a change");
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
