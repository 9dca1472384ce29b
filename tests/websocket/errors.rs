//! A client's errors: reported or closed, by the route's policy.

use serde_json::json;

use crate::raw::Raw;
use crate::site::Site;

#[tokio::test]
async fn a_clients_error_is_reported_and_the_socket_lives_on() {
    for path in ["/ws/echo/", "/ws/blocking/"] {
        let site = Site::start().await;
        let mut raw = Raw::websocket(site.address(), path).await;
        raw.send_text("mistake").await;
        let report = raw.frame().await.json();
        assert_eq!(report, json!({"type": "error", "code": "mistake", "message": "you made one"}));
        raw.send_text("still here").await;
        assert_eq!(raw.text().await, "still here");
    }
}

#[tokio::test]
async fn malformed_json_is_a_clients_error() {
    let site = Site::start().await;
    let mut raw = Raw::websocket(site.address(), "/ws/echo/").await;
    raw.send_text("json").await;
    assert_eq!(raw.frame().await.json()["code"], "malformed");
}

#[tokio::test]
async fn a_strict_route_closes_with_1008() {
    let site = Site::start().await;
    let mut raw = Raw::websocket(site.address(), "/ws/strict/").await;
    raw.send_text("mistake").await;
    assert_eq!(raw.frame().await.close_code(), 1008);
}
