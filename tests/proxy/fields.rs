//! What a server behind is told of the client, with trusted proxies in front and without.

use crate::raw::Raw;
use crate::site::{Behind, serve, serve_with};

/// The value of a field that must stand once.
fn field<'r>(request: &'r str, name: &str) -> Option<&'r str> {
    let mut found = request.split("\r\n").filter_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    let first = found.next();
    assert!(found.next().is_none(), "{name} stands twice: {request}");
    first
}

#[tokio::test]
async fn the_way_through_trusted_proxies_is_continued() {
    let behind = Behind::honest().await;
    let trusted = ["127.0.0.1".parse().unwrap(), "10.0.0.0/8".parse().unwrap()];
    let running = serve_with(behind.proxy(), |server| server.trusted_proxies(trusted)).await;
    let mut raw = Raw::connect(running.addresses()[0]).await;
    raw.send(
        "GET / HTTP/1.1\r\nHost: inner\r\nX-Forwarded-For: 6.6.6.6, 2001:db8::7, 10.0.0.9\r\nX-Forwarded-Proto: https\r\n\
         X-Forwarded-Host: example.com\r\nX-Request-ID: abc-1\r\nVia: 1.1 nginx\r\n\r\n",
    )
    .await;
    let (head, _) = raw.answer("GET").await;
    assert_eq!(head.header("x-request-id"), Some("abc-1"));
    let got = behind.log.all().remove(0);
    // What stood in front of the first who is not trusted was that one's own invention.
    assert_eq!(field(&got, "x-forwarded-for"), Some("2001:db8::7, 10.0.0.9, 127.0.0.1"));
    assert_eq!(field(&got, "x-forwarded-proto"), Some("https"));
    assert_eq!(field(&got, "x-forwarded-host"), Some("example.com"));
    assert_eq!(field(&got, "x-request-id"), Some("abc-1"));
    assert_eq!(
        field(&got, "forwarded"),
        Some("for=\"[2001:db8::7]\";host=\"inner\";proto=https, for=10.0.0.9, for=127.0.0.1")
    );
    assert!(got.contains("via: 1.1 nginx\r\n") && got.contains("via: 1.1 solent\r\n"), "{got}");
}

#[tokio::test]
async fn a_request_that_goes_in_a_circle_is_a_508() {
    let behind = Behind::honest().await;
    let running = serve(behind.proxy()).await;
    let mut raw = Raw::connect(running.addresses()[0]).await;
    let passes = ["1.1 solent"; 8].join(", ");
    raw.send(format!("GET / HTTP/1.1\r\nHost: a\r\nVia: {passes}\r\n\r\n")).await;
    assert_eq!(raw.head().await.status, 508);
    assert!(behind.log.all().is_empty());
}

/// RFC 9110 section 7.6.2.
#[tokio::test]
async fn max_forwards_is_counted_off_and_ends_the_way_at_zero() {
    let behind = Behind::honest().await;
    let running = serve(behind.proxy()).await;
    for (method, given, told) in [
        ("OPTIONS", "2", Ok(Some("1"))),
        ("TRACE", "1", Ok(Some("0"))),
        ("OPTIONS", "0", Err(200)),
        ("TRACE", "0", Err(501)),
        ("OPTIONS", "many", Ok(Some("many"))),
        ("GET", "0", Ok(Some("0"))),
    ] {
        let before = behind.log.all().len();
        let mut raw = Raw::connect(running.addresses()[0]).await;
        raw.send(format!(
            "{method} /x HTTP/1.1\r\nHost: a\r\nMax-Forwards: {given}\r\nConnection: close\r\n\r\n"
        ))
        .await;
        let (head, body) = raw.answer(method).await;
        let got = behind.log.all().split_off(before);
        match told {
            Ok(told) => {
                assert_eq!(head.status, 200, "{method} {given}: {}", head.text);
                assert_eq!(field(&got[0], "max-forwards"), told, "{method} {given}");
            }
            Err(status) => {
                assert_eq!((head.status, &*body), (status, ""), "{method} {given}");
                assert!(got.is_empty(), "{got:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_request_without_a_host_gets_the_servers() {
    let behind = Behind::honest().await;
    let running = serve(behind.proxy()).await;
    let mut raw = Raw::connect(running.addresses()[0]).await;
    raw.send("GET / HTTP/1.0\r\n\r\n").await;
    assert_eq!(raw.answer("GET").await.0.status, 200);
    let got = behind.log.all().remove(0);
    assert_eq!(field(&got, "host"), Some(&*behind.address.to_string()));
    assert_eq!(field(&got, "x-forwarded-host"), None);
    assert_eq!(field(&got, "via"), Some("1.0 solent"));
}

#[tokio::test]
async fn cookies_and_credentials_are_the_servers() {
    let behind = Behind::honest().await;
    let running = serve(behind.proxy()).await;
    let mut raw = Raw::connect(running.addresses()[0]).await;
    raw.send(
        "GET / HTTP/1.1\r\nHost: a\r\nCookie: sessionid=x; csrftoken=y\r\nAuthorization: Bearer z\r\n\r\n",
    )
    .await;
    raw.answer("GET").await;
    let got = behind.log.all().remove(0);
    assert_eq!(field(&got, "cookie"), Some("sessionid=x; csrftoken=y"));
    assert_eq!(field(&got, "authorization"), Some("Bearer z"));
}
