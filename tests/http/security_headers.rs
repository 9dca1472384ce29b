//! Headers that make browsers careful.

use std::convert::Infallible;

use http::{Request, Response};
use solent::middleware::SecurityHeadersLayer;
use tower::{Layer, ServiceExt, service_fn};

async fn answer(layer: SecurityHeadersLayer, own: &'static [(&'static str, &'static str)]) -> Vec<String> {
    let site = service_fn(move |_: Request<()>| async move {
        let mut response = Response::new(());
        for (name, value) in own {
            response.headers_mut().insert(*name, value.parse().unwrap());
        }
        Ok::<_, Infallible>(response)
    });
    let response = layer.layer(site).oneshot(Request::new(())).await.unwrap();
    let mut lines: Vec<String> = response
        .headers()
        .iter()
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .collect();
    lines.sort();
    lines
}

#[tokio::test]
async fn responses_carry_djangos_defaults() {
    assert_eq!(
        answer(SecurityHeadersLayer::new(), &[]).await,
        [
            "cross-origin-opener-policy: same-origin",
            "referrer-policy: same-origin",
            "x-content-type-options: nosniff",
            "x-frame-options: DENY",
        ]
    );
}

#[tokio::test]
async fn what_a_response_says_itself_stands() {
    let layer = SecurityHeadersLayer::new().content_security_policy("default-src 'self'").unwrap();
    let own = &[("x-frame-options", "SAMEORIGIN"), ("content-security-policy", "default-src 'none'")];
    let lines = answer(layer, own).await;
    assert!(lines.contains(&"x-frame-options: SAMEORIGIN".to_owned()), "{lines:?}");
    assert!(lines.contains(&"content-security-policy: default-src 'none'".to_owned()), "{lines:?}");
    assert_eq!(lines.len(), 5);
}

#[test]
fn a_policy_that_no_header_can_hold_is_an_error() {
    assert!(SecurityHeadersLayer::new().content_security_policy("a\r\nb").is_err());
}
