//! A site that only this machine may use.

use std::convert::Infallible;

use http::{StatusCode, header};
use solent::Scoped;
use solent::http::{Body, Request, Response};
use solent::middleware::LocalOnlyLayer;
use tower::{Layer, ServiceExt, service_fn};

async fn ask(request: Request) -> (StatusCode, String) {
    let site = service_fn(async |_: Request| Ok::<_, Infallible>(Response::new(Body::from("hello"))));
    let response = LocalOnlyLayer::new("it has demo accounts").layer(site).oneshot(request).await.unwrap();
    let status = response.status();
    (status, String::from_utf8(response.into_body().bytes().await.unwrap().to_vec()).unwrap())
}

fn addressed_to(host: &str) -> Request {
    http::Request::builder().header(header::HOST, host).body(Body::empty()).unwrap()
}

#[tokio::test]
async fn direct_requests_to_this_machine_pass() {
    for host in
        ["localhost", "LocalHost:8000", "chat.localhost", "127.0.0.1:8000", "127.1.2.3", "[::1]", "[::1]:80"]
    {
        let mut request = addressed_to(host);
        request.scope_mut().client = Some("127.0.0.1:50000".parse().unwrap());
        assert_eq!(ask(request).await, (StatusCode::OK, "hello".to_owned()), "{host}");
    }
}

#[tokio::test]
async fn another_host_is_a_403_with_the_reason() {
    for host in
        ["example.com", "localhost.example.com", "10.0.0.1", "[2001:db8::1]", "notlocalhost", "", "a b"]
    {
        let (status, text) = ask(addressed_to(host)).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{host}");
        let reason = "This site is for this machine only, since it has demo accounts; it is addressed to another host.";
        assert_eq!(text, reason, "{host}");
    }
    assert_eq!(ask(Request::new(Body::empty())).await.0, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn what_a_proxy_has_passed_on_is_a_403() {
    for name in [
        "Forwarded",
        "X-Forwarded-For",
        "X-Forwarded-Host",
        "X-Forwarded-Proto",
        "X-Forwarded",
        "X-Real-IP",
        "Via",
        "CF-Connecting-IP",
        "True-Client-IP",
    ] {
        let mut request = addressed_to("localhost");
        request
            .headers_mut()
            .insert(header::HeaderName::try_from(name).unwrap(), "127.0.0.1".parse().unwrap());
        let (status, text) = ask(request).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{name}");
        assert!(text.contains(&format!("header {}", name.to_lowercase())), "{text}");
    }
}

#[tokio::test]
async fn another_machine_is_a_403() {
    let mut request = addressed_to("localhost");
    request.scope_mut().client = Some("192.0.2.7:50000".parse().unwrap());
    assert_eq!(ask(request).await.0, StatusCode::FORBIDDEN);
}
