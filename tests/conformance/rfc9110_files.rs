//! RFC 9110 on files: conditional requests (section 13) and ranges (section 14), from a folder and from the program.

use std::fs;

use solent::http::StaticFiles;
use solent::routing::{ProtocolTypeRouter, ViewRouter, include};
use solent::server::{AccessLog, Running, Server};
use tempfile::TempDir;

use crate::raw::{Head, Raw};

const TEN: &[u8] = b"0123456789";
const LATER: &str = "Fri, 31 Dec 2100 23:59:59 GMT";
const EARLIER: &str = "Thu, 01 Jan 1970 00:00:01 GMT";

/// A file of ten bytes (`{tag}`, `{date}` stand for its own): the rule, the method, the request's fields, the status,
/// `Content-Range`, and the body.
type Case = (&'static str, &'static str, &'static str, u16, &'static str, &'static str);

#[rustfmt::skip]
const RANGES: &[Case] = &[
    ("14.1.2: the first bytes", "GET", "Range: bytes=0-3", 206, "bytes 0-3/10", "0123"),
    ("14.1.2: one byte", "GET", "Range: bytes=9-9", 206, "bytes 9-9/10", "9"),
    ("14.1.2: up to the end", "GET", "Range: bytes=7-", 206, "bytes 7-9/10", "789"),
    ("14.1.2: all of it", "GET", "Range: bytes=0-", 206, "bytes 0-9/10", "0123456789"),
    ("14.1.2: beyond the end is cut", "GET", "Range: bytes=8-99", 206, "bytes 8-9/10", "89"),
    ("14.1.2: a last place that overflows", "GET", "Range: bytes=8-99999999999999999999999", 206, "bytes 8-9/10", "89"),
    ("14.1.2: the last bytes", "GET", "Range: bytes=-2", 206, "bytes 8-9/10", "89"),
    ("14.1.2: a suffix that is longer than the file", "GET", "Range: bytes=-99", 206, "bytes 0-9/10", "0123456789"),
    ("14.1.2: a suffix that overflows", "GET", "Range: bytes=-99999999999999999999999", 206, "bytes 0-9/10", "0123456789"),
    ("14.1: units are case-insensitive", "GET", "Range: BYTES=0-3", 206, "bytes 0-3/10", "0123"),
    ("5.6.1: empty elements of a list are nothing", "GET", "Range: bytes=,0-3,", 206, "bytes 0-3/10", "0123"),
    ("5.6.1: whitespace in a list", "GET", "Range: bytes= 0-3 ,\t", 206, "bytes 0-3/10", "0123"),
    ("14.2: of several ranges only one is there", "GET", "Range: bytes=20-30,4-5", 206, "bytes 4-5/10", "45"),
    ("15.5.17: behind the end", "GET", "Range: bytes=10-", 416, "bytes */10", ""),
    ("15.5.17: far behind the end", "GET", "Range: bytes=99999999999999999999999-", 416, "bytes */10", ""),
    ("15.5.17: a suffix of nothing", "GET", "Range: bytes=-0", 416, "bytes */10", ""),
    ("15.5.17: several ranges behind the end", "GET", "Range: bytes=10-11,20-", 416, "bytes */10", ""),
    ("14.2: another unit is ignored", "GET", "Range: lines=0-3", 200, "", "0123456789"),
    ("14.2: no unit", "GET", "Range: 0-3", 200, "", "0123456789"),
    ("14.2: no range", "GET", "Range: bytes=", 200, "", "0123456789"),
    ("14.1.1: last before first is malformed", "GET", "Range: bytes=5-2", 200, "", "0123456789"),
    ("14.1.1: letters", "GET", "Range: bytes=a-b", 200, "", "0123456789"),
    ("14.1.1: a dash alone", "GET", "Range: bytes=-", 200, "", "0123456789"),
    ("14.1.1: a sign", "GET", "Range: bytes=+1-3", 200, "", "0123456789"),
    ("14.1.1: no dash", "GET", "Range: bytes=3", 200, "", "0123456789"),
    ("14.1.1: one of several is malformed", "GET", "Range: bytes=0-1,x", 200, "", "0123456789"),
    ("14.2: two Range fields say nothing", "GET", "Range: bytes=0-1\r\nRange: bytes=2-3", 200, "", "0123456789"),
    ("17.15: overlapping ranges cost more than the file", "GET", "Range: bytes=0-,0-,0-", 200, "", "0123456789"),
    ("17.15: many small ranges", "GET", "Range: bytes=0-0,1-1,2-2,3-3,4-4,0-0,1-1,2-2,3-3,4-4,0-0,1-1,2-2,3-3,4-4,0-0,1-1", 200, "", "0123456789"),
    ("14.2: ranges are for GET", "HEAD", "Range: bytes=0-3", 200, "", ""),
    ("14.2: a range behind the end is for GET too", "HEAD", "Range: bytes=99-", 200, "", ""),
    ("13.1.5: If-Range without Range", "GET", "If-Range: {tag}", 200, "", "0123456789"),
    ("13.1.5: a part of the same version", "GET", "Range: bytes=0-3\r\nIf-Range: {tag}", 206, "bytes 0-3/10", "0123"),
    ("13.1.5: all of another version", "GET", "Range: bytes=0-3\r\nIf-Range: \"other\"", 200, "", "0123456789"),
    ("13.1.5: a weak tag is not the same", "GET", "Range: bytes=0-3\r\nIf-Range: W/{tag}", 200, "", "0123456789"),
    ("13.1.5: another date, even a later one", "GET", "Range: bytes=0-3\r\nIf-Range: Fri, 31 Dec 2100 23:59:59 GMT", 200, "", "0123456789"),
    ("13.1.5: what is neither tag nor date", "GET", "Range: bytes=0-3\r\nIf-Range: x", 200, "", "0123456789"),
    ("13.1.5: of another version nothing is unsatisfiable", "GET", "Range: bytes=99-\r\nIf-Range: \"other\"", 200, "", "0123456789"),
    ("13.2.2: If-None-Match comes before Range", "GET", "Range: bytes=0-3\r\nIf-None-Match: {tag}", 304, "", ""),
    ("13.2.2: If-None-Match comes before a range that is not there", "GET", "Range: bytes=99-\r\nIf-None-Match: {tag}", 304, "", ""),
    ("13.2.2: If-Match comes before Range", "GET", "Range: bytes=0-3\r\nIf-Match: \"other\"", 412, "", ""),
];

#[rustfmt::skip]
const CONDITIONS: &[Case] = &[
    ("13.1.2: the same tag", "GET", "If-None-Match: {tag}", 304, "", ""),
    ("13.1.2: the same tag, HEAD", "HEAD", "If-None-Match: {tag}", 304, "", ""),
    ("13.1.2: compared weakly", "GET", "If-None-Match: W/{tag}", 304, "", ""),
    ("13.1.2: in a list", "GET", "If-None-Match: \"a\", {tag} , \"b\"", 304, "", ""),
    ("13.1.2: in a second field", "GET", "If-None-Match: \"a\"\r\nIf-None-Match: {tag}", 304, "", ""),
    ("13.1.2: any", "GET", "If-None-Match: *", 304, "", ""),
    ("13.1.2: another tag", "GET", "If-None-Match: \"a\"", 200, "", "0123456789"),
    ("13.1.2: another tag with a comma", "GET", "If-None-Match: \"a,b\"", 200, "", "0123456789"),
    ("13.1.2: a tag without its quotes", "GET", "If-None-Match: a", 200, "", "0123456789"),
    ("13.1.1: the same tag", "GET", "If-Match: {tag}", 200, "", "0123456789"),
    ("13.1.1: in a list", "GET", "If-Match: \"a\", {tag}", 200, "", "0123456789"),
    ("13.1.1: in a second field", "GET", "If-Match: \"a\"\r\nIf-Match: {tag}", 200, "", "0123456789"),
    ("13.1.1: any", "GET", "If-Match: *", 200, "", "0123456789"),
    ("13.1.1: another tag", "GET", "If-Match: \"a\"", 412, "", ""),
    ("13.1.1: compared strongly", "GET", "If-Match: W/{tag}", 412, "", ""),
    ("13.1.1: another tag, HEAD", "HEAD", "If-Match: \"a\"", 412, "", ""),
    ("13.2.2: If-Match comes first", "GET", "If-Match: \"a\"\r\nIf-None-Match: {tag}", 412, "", ""),
    ("13.2.1: other methods than GET and HEAD", "POST", "If-None-Match: {tag}", 405, "", ""),
    ("13.1.3: what is no date is ignored", "GET", "If-Modified-Since: yesterday", 200, "", "0123456789"),
    ("13.1.3: If-None-Match wins", "GET", "If-None-Match: \"a\"\r\nIf-Modified-Since: Fri, 31 Dec 2100 23:59:59 GMT", 200, "", "0123456789"),
    ("13.1.4: what is no date is ignored", "GET", "If-Unmodified-Since: yesterday", 200, "", "0123456789"),
    ("13.1.4: If-Match wins", "GET", "If-Match: *\r\nIf-Unmodified-Since: Thu, 01 Jan 1970 00:00:01 GMT", 200, "", "0123456789"),
];

/// A folder's files bear dates.
#[rustfmt::skip]
const DATES: &[Case] = &[
    ("13.1.3: not modified since", "GET", "If-Modified-Since: {date}", 304, "", ""),
    ("13.1.3: not modified since, HEAD", "HEAD", "If-Modified-Since: {date}", 304, "", ""),
    ("13.1.3: modified since", "GET", "If-Modified-Since: Thu, 01 Jan 1970 00:00:01 GMT", 200, "", "0123456789"),
    ("13.1.3: not modified since a day to come", "GET", "If-Modified-Since: Fri, 31 Dec 2100 23:59:59 GMT", 304, "", ""),
    ("13.1.4: not modified since", "GET", "If-Unmodified-Since: {date}", 200, "", "0123456789"),
    ("13.1.4: modified since", "GET", "If-Unmodified-Since: Thu, 01 Jan 1970 00:00:01 GMT", 412, "", ""),
    ("13.1.5: the very same date", "GET", "Range: bytes=0-3\r\nIf-Range: {date}", 206, "bytes 0-3/10", "0123"),
    ("13.1.5: an earlier date", "GET", "Range: bytes=0-3\r\nIf-Range: Thu, 01 Jan 1970 00:00:01 GMT", 200, "", "0123456789"),
];

/// How many cases this file's tables hold.
pub fn count() -> usize {
    RANGES.len() + CONDITIONS.len() + DATES.len()
}

async fn start() -> (TempDir, Running) {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in
        [("ten.txt", TEN), ("empty.txt", b""), ("page.css", TEN), ("page.css.gz", b"squeezed")]
    {
        fs::write(folder.path().join(name), bytes).unwrap();
    }
    let views = ViewRouter::new([
        include("folder/", StaticFiles::folder(folder.path())),
        include("uncached/", StaticFiles::folder(folder.path()).cache(0)),
        include("variants/", StaticFiles::folder(folder.path()).precompressed()),
        include("inside/", StaticFiles::embedded(&[("ten.txt", TEN), ("empty.txt", b"")])),
    ]);
    let app = ProtocolTypeRouter::new().http(views.unwrap());
    let server = Server::new(app).bind("127.0.0.1:0").access_log(AccessLog::off()).start().await.unwrap();
    (folder, server)
}

async fn ask(server: &Running, method: &str, path: &str, fields: &str) -> (Head, String) {
    let mut raw = Raw::connect(server.addresses()[0]).await;
    raw.send(format!("{method} {path} HTTP/1.1\r\nHost: a\r\n{fields}\r\n")).await;
    raw.answer(method).await
}

async fn run(path: &str, cases: &[Case]) {
    let (_folder, server) = start().await;
    let (plain, _) = ask(&server, "GET", path, "").await;
    let tag = plain.header("etag").expect("a tag").to_owned();
    let date = plain.header("last-modified").unwrap_or_default().to_owned();
    let mut failed = Vec::new();
    for (rule, method, fields, status, range, body) in cases {
        let fields = format!("{}\r\n", fields.replace("{tag}", &tag).replace("{date}", &date));
        let (head, found) = ask(&server, method, path, &fields).await;
        let is_right = (head.status, head.header("content-range").unwrap_or_default(), &*found)
            == (*status, range, body)
            && fits(&head, &tag, &found, method);
        if !is_right {
            failed.push(format!("{path} {rule}: {fields:?} got {found:?} and {}", head.text));
        }
    }
    assert!(failed.is_empty(), "{} of {}:\n{}", failed.len(), cases.len(), failed.join("\n"));
}

/// What belongs to each status, whatever was asked.
fn fits(head: &Head, tag: &str, body: &str, method: &str) -> bool {
    let field = |name| head.header(name);
    match head.status {
        200 if method == "HEAD" => field("content-length") == Some("10") && field("etag") == Some(tag),
        200 | 206 => {
            field("etag") == Some(tag)
                && field("accept-ranges") == Some("bytes")
                && field("cache-control").is_some()
                && field("content-length") == Some(&*body.len().to_string())
        }
        304 => {
            field("etag") == Some(tag) && field("cache-control").is_some() && field("content-type").is_none()
        }
        405 => field("allow").is_some(),
        416 => field("content-length") == Some("0"),
        _ => true,
    }
}

#[tokio::test]
async fn ranges() {
    assert_eq!(RANGES.len(), 41);
    run("/folder/ten.txt", RANGES).await;
    run("/uncached/ten.txt", RANGES).await;
    run("/inside/ten.txt", RANGES).await;
}

#[tokio::test]
async fn conditions() {
    assert_eq!(CONDITIONS.len(), 22);
    run("/folder/ten.txt", CONDITIONS).await;
    run("/uncached/ten.txt", CONDITIONS).await;
    run("/inside/ten.txt", CONDITIONS).await;
}

#[tokio::test]
async fn dates() {
    assert_eq!(DATES.len(), 8);
    assert!(
        DATES.iter().any(|case| case.2.contains(LATER)) && DATES.iter().any(|case| case.2.contains(EARLIER))
    );
    run("/folder/ten.txt", DATES).await;
    run("/uncached/ten.txt", DATES).await;
}

/// Section 14.6: several parts are a multipart body, each with its place, and no Content-Range outside of it.
#[tokio::test]
async fn several_parts_come_in_one_body() {
    let (_folder, server) = start().await;
    for path in ["/folder/ten.txt", "/uncached/ten.txt", "/inside/ten.txt"] {
        for (ranges, parts) in [
            ("0-1,8-9", vec![("bytes 0-1/10", "01"), ("bytes 8-9/10", "89")]),
            ("-1, 0-0,4-", vec![("bytes 9-9/10", "9"), ("bytes 0-0/10", "0"), ("bytes 4-9/10", "456789")]),
            ("0-0,50-60,2-2", vec![("bytes 0-0/10", "0"), ("bytes 2-2/10", "2")]),
        ] {
            let (head, body) = ask(&server, "GET", path, &format!("Range: bytes={ranges}\r\n")).await;
            assert_eq!((head.status, head.header("content-range")), (206, None), "{ranges}");
            let kind = head.header("content-type").unwrap();
            let boundary = kind.strip_prefix("multipart/byteranges; boundary=").expect(kind);
            let expected = parts.iter().map(|(range, bytes)| {
                format!("\r\n--{boundary}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Range: {range}\r\n\r\n{bytes}")
            });
            let expected = expected.collect::<String>() + &format!("\r\n--{boundary}--\r\n");
            assert_eq!(body, expected, "{ranges}");
        }
    }
}

/// Section 14.2: a file of no bytes has no part that could be told of.
#[tokio::test]
async fn an_empty_file_has_no_parts() {
    let (_folder, server) = start().await;
    for path in ["/folder/empty.txt", "/uncached/empty.txt", "/inside/empty.txt"] {
        for (range, status) in [("0-", 416), ("0-0", 416), ("-5", 200)] {
            let (head, body) = ask(&server, "GET", path, &format!("Range: bytes={range}\r\n")).await;
            assert_eq!((head.status, &*body), (status, ""), "{path} {range}");
            let content_range = (status == 416).then_some("bytes */0");
            assert_eq!(head.header("content-range"), content_range, "{path} {range}");
        }
    }
}

/// Section 14.2: a range is one of the selected representation, encoding included.
#[tokio::test]
async fn a_range_of_a_compressed_variant_counts_its_own_bytes() {
    let (_folder, server) = start().await;
    let ask = async |fields: &str| ask(&server, "GET", "/variants/page.css", fields).await;
    let (plain, _) = ask("").await;
    let (gzip, whole) = ask("Accept-Encoding: gzip\r\n").await;
    assert_eq!((gzip.header("content-encoding"), &*whole), (Some("gzip"), "squeezed"));
    assert_ne!(plain.header("etag"), gzip.header("etag"), "another representation has another tag");
    let (head, part) = ask("Accept-Encoding: gzip\r\nRange: bytes=1-3\r\n").await;
    assert_eq!((head.status, head.header("content-range"), &*part), (206, Some("bytes 1-3/8"), "que"));
    assert_eq!(
        (head.header("content-encoding"), head.header("vary"), head.header("etag")),
        (Some("gzip"), Some("accept-encoding"), gzip.header("etag"))
    );
    // A part of the one is never put beside parts of the other.
    let other = format!(
        "Accept-Encoding: gzip\r\nRange: bytes=1-3\r\nIf-Range: {}\r\n",
        plain.header("etag").unwrap()
    );
    assert_eq!(ask(&other).await.1, "squeezed");
    let (head, _) = ask("Accept-Encoding: gzip\r\nRange: bytes=9-\r\n").await;
    assert_eq!((head.status, head.header("content-range")), (416, Some("bytes */8")));
}
