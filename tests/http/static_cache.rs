//! Static files kept in memory: quick, bounded, never more than a second behind the disk; and those too large for it.

use std::fs;
use std::path::Path;
use std::time::Duration;

use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use solent::Scoped;
use solent::http::{Body, BodyError, Request, StaticFiles};
use tempfile::TempDir;
use tokio::time::advance;
use tower::ServiceExt;

/// A file of so many bytes, each different from its neighbours.
fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|place| (place % 251) as u8).collect()
}

fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (path, text) in files {
        fs::write(dir.path().join(path), text).unwrap();
    }
    dir
}

fn get(path: &str) -> Request {
    http::Request::get(path).body(Body::empty()).unwrap()
}

fn in_debug(mut request: Request) -> Request {
    let mut env = solent::Environment::default();
    env.debug = true;
    request.scope_mut().env = env.into();
    request
}

async fn answer(files: &StaticFiles, request: Request) -> (StatusCode, HeaderMap, Vec<u8>) {
    let (head, body) = files.clone().oneshot(request).await.unwrap().into_parts();
    (head.status, head.headers, body.bytes().await.unwrap().to_vec())
}

fn value(text: &str) -> HeaderValue {
    text.parse().unwrap()
}

async fn text(files: &StaticFiles, path: &str) -> String {
    String::from_utf8(answer(files, get(path)).await.2).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_changed_file_is_seen_within_a_second() {
    let dir = folder(&[("a.css", b"old")]);
    let files = StaticFiles::folder(dir.path());
    let before = answer(&files, get("/a.css")).await;
    fs::write(dir.path().join("a.css"), "new { }").unwrap();
    assert_eq!(text(&files, "/a.css").await, "old", "within the second the disk is left alone");
    advance(Duration::from_secs(1)).await;
    let after = answer(&files, get("/a.css")).await;
    assert_eq!(after.2, b"new { }");
    assert_ne!(before.1[header::ETAG], after.1[header::ETAG]);
    fs::remove_file(dir.path().join("a.css")).unwrap();
    advance(Duration::from_secs(1)).await;
    assert_eq!(answer(&files, get("/a.css")).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test(start_paused = true)]
async fn a_change_within_the_resolution_of_the_clock_is_seen_too() {
    let dir = folder(&[("a.css", b"one")]);
    let files = StaticFiles::folder(dir.path());
    assert_eq!(text(&files, "/a.css").await, "one");
    fs::write(dir.path().join("a.css"), "two").unwrap();
    advance(Duration::from_secs(1)).await;
    assert_eq!(text(&files, "/a.css").await, "two");
}

#[tokio::test(start_paused = true)]
async fn with_debug_on_or_without_the_cache_a_change_is_seen_at_once() {
    let dir = folder(&[("a.css", b"old")]);
    let (cached, uncached) = (StaticFiles::folder(dir.path()), StaticFiles::folder(dir.path()).cache(0));
    for text in ["first", "second", "third"] {
        fs::write(dir.path().join("a.css"), text).unwrap();
        assert_eq!(answer(&cached, in_debug(get("/a.css"))).await.2, text.as_bytes());
        assert_eq!(answer(&uncached, get("/a.css")).await.2, text.as_bytes());
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_there_is_not_remembered() {
    let dir = folder(&[]);
    let files = StaticFiles::folder(dir.path()).hashed_names();
    for path in ["/a.css", "/a.0123456789ab.css"] {
        assert_eq!(answer(&files, get(path)).await.0, StatusCode::NOT_FOUND);
    }
    fs::write(dir.path().join("a.css"), "here").unwrap();
    assert_eq!(text(&files, "/a.css").await, "here");
    assert_eq!(text(&files, "/a.0123456789ab.css").await, "here");
}

/// Which of the files are answered from memory: those whose change within the second is not seen.
async fn kept(files: &StaticFiles, folder: &Path, paths: &[&str]) -> Vec<bool> {
    for path in paths {
        fs::write(folder.join(path), "changed").unwrap();
    }
    let mut kept = Vec::new();
    for path in paths {
        kept.push(answer(files, get(&format!("/{path}"))).await.2 != b"changed");
    }
    kept
}

#[tokio::test(start_paused = true)]
async fn the_bound_is_kept_and_the_files_that_were_asked_for_last_stay() {
    let file = bytes(100 << 10);
    let dir = folder(&[("a", &file), ("b", &file), ("c", &file)]);
    let files = StaticFiles::folder(dir.path()).cache(250 << 10);
    for path in ["/a", "/b", "/c"] {
        answer(&files, get(path)).await;
        advance(Duration::from_millis(100)).await;
    }
    // The last asked comes last: that `a` is read again makes room for it.
    assert_eq!(kept(&files, dir.path(), &["c", "b", "a"]).await, [true, true, false]);
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_too_large_is_not_kept() {
    let (largest, larger) = (bytes(256 << 10), bytes((256 << 10) + 1));
    let dir = folder(&[("kept", &largest), ("not", &larger)]);
    let files = StaticFiles::folder(dir.path());
    for path in ["/kept", "/not"] {
        answer(&files, get(path)).await;
    }
    assert_eq!(kept(&files, dir.path(), &["kept", "not"]).await, [true, false]);
    let small = StaticFiles::folder(dir.path()).cache(1);
    assert_eq!(text(&small, "/kept").await, "changed");
    fs::write(dir.path().join("kept"), "again").unwrap();
    assert_eq!(text(&small, "/kept").await, "again", "one file alone can be more than the bound");
}

#[tokio::test]
async fn a_large_file_comes_whole_and_in_parts() {
    let file = bytes(700_001);
    let dir = folder(&[("large", &file)]);
    let cached = StaticFiles::folder(dir.path());
    for files in [&cached, &cached.clone().cache(0), &cached] {
        let whole = answer(files, get("/large")).await;
        assert_eq!((whole.0, &whole.1[header::CONTENT_LENGTH]), (StatusCode::OK, &value("700001")));
        assert!(whole.2 == file);
        for (range, part) in [
            ("bytes=0-99", 0..100),
            ("bytes=131000-131199", 131_000..131_200),
            ("bytes=262143-262144", 262_143..262_145),
            ("bytes=200000-", 200_000..700_001),
            ("bytes=-1", 700_000..700_001),
        ] {
            let mut request = get("/large");
            request.headers_mut().insert(header::RANGE, range.parse().unwrap());
            let (status, head, body) = answer(files, request).await;
            let length = part.len().to_string();
            assert_eq!(
                (status, &head[header::CONTENT_LENGTH]),
                (StatusCode::PARTIAL_CONTENT, &value(&length))
            );
            assert!(body == file[part], "{range}");
        }
    }
}

#[tokio::test]
async fn a_large_file_that_becomes_shorter_breaks_its_answer_off() {
    let dir = folder(&[("large", &bytes(1_000_000))]);
    let response = StaticFiles::folder(dir.path()).oneshot(get("/large")).await.unwrap();
    fs::File::options().write(true).open(dir.path().join("large")).unwrap().set_len(300_000).unwrap();
    let outcome: Result<_, BodyError> = http_body_util::BodyExt::collect(response.into_body()).await;
    assert!(outcome.is_err());
}

/// Requests whose answers are worth comparing; `{tag}` and `{date}` are those of the file.
const QUESTIONS: [&[(&str, &str)]; 12] = [
    &[],
    &[("accept-encoding", "br, gzip")],
    &[("accept-encoding", "gzip;q=1, br;q=0.1")],
    &[("accept-encoding", "identity, br;q=0")],
    &[("range", "bytes=2-5")],
    &[("range", "bytes=2-5"), ("accept-encoding", "gzip")],
    &[("range", "bytes=999-")],
    &[("range", "bytes=2-5"), ("if-range", "{date}")],
    &[("if-none-match", "{tag}")],
    &[("if-none-match", "{tag}"), ("accept-encoding", "br")],
    &[("if-match", "\"another\"")],
    &[("if-modified-since", "{date}")],
];

#[tokio::test]
async fn the_cache_changes_no_answer() {
    let dir = folder(&[("a.css", b"body { margin: 0 }"), ("a.css.br", b"brotli"), ("a.css.gz", b"zipped")]);
    let cached = StaticFiles::folder(dir.path()).precompressed().hashed_names();
    let uncached = cached.clone().cache(0);
    let hashed = format!("/{}", cached.name_of("a.css"));
    let (_, plain, _) = answer(&uncached, get("/a.css")).await;
    let mut compared = 0;
    for path in ["/a.css", &hashed, "/a.0123456789ab.css", "/none.css", "/a.css.gz"] {
        for (fields, method) in
            QUESTIONS.iter().flat_map(|fields| [(fields, Method::GET), (fields, Method::HEAD)])
        {
            let request = || {
                let mut request = get(path);
                *request.method_mut() = method.clone();
                for (name, value) in *fields {
                    let value = value
                        .replace("{tag}", plain[header::ETAG].to_str().unwrap())
                        .replace("{date}", plain[header::LAST_MODIFIED].to_str().unwrap());
                    request.headers_mut().insert(*name, value.parse().unwrap());
                }
                request
            };
            // The first answer fills the cache, the second comes out of it.
            let expected = answer(&uncached, request()).await;
            for _ in 0..2 {
                assert_eq!(answer(&cached, request()).await, expected, "{method} {path} {fields:?}");
            }
            compared += 1;
        }
    }
    assert_eq!(compared, 120);
}

#[tokio::test]
async fn a_pipe_is_no_file() {
    let dir = folder(&[]);
    let made = std::process::Command::new("mkfifo").arg(dir.path().join("pipe")).status().unwrap();
    assert!(made.success());
    for files in [StaticFiles::folder(dir.path()), StaticFiles::folder(dir.path()).cache(0)] {
        assert_eq!(answer(&files, get("/pipe")).await.0, StatusCode::NOT_FOUND);
    }
}
