//! The opening handshake: what is accepted, and every way to be refused.

use crate::raw::{ACCEPT, KEY, Raw, handshake};
use crate::site::{CONNECTS, Site};

#[tokio::test]
async fn a_handshake_is_answered_with_101_and_the_accept_key() {
    let site = Site::start().await;
    let mut raw = Raw::connect(site.address()).await;
    raw.send(handshake("/ws/echo/", "")).await;
    let head = raw.head().await;
    assert_eq!(head.status, 101);
    assert_eq!(head.header("sec-websocket-accept"), Some(ACCEPT));
    assert_eq!(head.header("upgrade"), Some("websocket"));
    assert_eq!(head.header("connection"), Some("upgrade"));
    assert_eq!(head.header("sec-websocket-extensions"), None);
    assert_eq!(head.header("sec-websocket-protocol"), None);
}

/// The status of a request, whose connection must then be closed.
async fn refused(request: &str) -> (u16, crate::raw::Head, String) {
    let site = Site::start().await;
    let mut raw = Raw::connect(site.address()).await;
    raw.send(request).await;
    let (head, body) = raw.response().await;
    let options = head.header("connection").unwrap_or_default();
    assert!(options.split(", ").any(|option| option == "close"), "{}", head.text);
    assert!(raw.ended().await, "a refused upgrade closes the connection");
    (head.status, head, body)
}

#[tokio::test]
async fn an_unknown_path_is_refused_with_404() {
    assert_eq!(refused(&handshake("/ws/nowhere/", "")).await.0, 404);
}

#[tokio::test]
async fn another_version_is_refused_with_426_and_the_version_spoken() {
    let request = handshake("/ws/echo/", "").replace("Version: 13", "Version: 8");
    let (status, head, _) = refused(&request).await;
    assert_eq!((status, head.header("sec-websocket-version")), (426, Some("13")));
}

#[tokio::test]
async fn a_method_other_than_get_is_refused_with_405() {
    let (status, head, _) = refused(&handshake("/ws/echo/", "").replace("GET ", "PUT ")).await;
    assert_eq!((status, head.header("allow")), (405, Some("GET")));
}

#[tokio::test]
async fn a_key_that_is_missing_malformed_or_repeated_is_refused_with_400() {
    let good = handshake("/ws/echo/", "");
    let key = format!("Sec-WebSocket-Key: {KEY}\r\n");
    for (what, instead) in [
        ("missing", String::new()),
        ("too short", "Sec-WebSocket-Key: c2hvcnQ=\r\n".to_owned()),
        ("not base 64", "Sec-WebSocket-Key: !!!!!!!!!!!!!!!!!!!!!!==\r\n".to_owned()),
        ("repeated", key.repeat(2)),
    ] {
        assert_eq!(refused(&good.replace(&key, &instead)).await.0, 400, "{what}");
    }
}

#[tokio::test]
async fn a_handshake_with_a_body_is_refused_with_400() {
    assert_eq!(refused(&handshake("/ws/echo/", "Content-Length: 5\r\n")).await.0, 400);
}

#[tokio::test]
async fn upgrade_tokens_are_found_in_lists_and_in_any_case() {
    let site = Site::start().await;
    let mut raw = Raw::connect(site.address()).await;
    let request = handshake("/ws/echo/", "")
        .replace("Connection: Upgrade", "Connection: keep-alive, UPGRADE")
        .replace("Upgrade: websocket", "Upgrade: foo, WebSocket");
    raw.send(request).await;
    assert_eq!(raw.head().await.status, 101);
}

#[tokio::test]
async fn a_plain_get_on_a_socket_route_is_told_to_upgrade() {
    let site = Site::start().await;
    let mut raw = Raw::connect(site.address()).await;
    raw.send("GET /ws/echo/ HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let (head, body) = raw.response().await;
    assert_eq!((head.status, head.header("upgrade")), (426, Some("websocket")));
    assert!(body.contains("proxy"), "{body}");
}

#[tokio::test]
async fn an_upgrade_to_h2c_is_ignored() {
    let site = Site::start().await;
    let mut raw = Raw::connect(site.address()).await;
    raw.send("GET /x HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n").await;
    assert_eq!(raw.response().await.0.status, 404);
}

#[tokio::test]
async fn a_route_picks_the_first_of_its_subprotocols_that_is_offered() {
    let site = Site::start().await;
    for (offer, chosen) in [("a, b", Some("b")), ("a", Some("a")), ("c", None)] {
        let mut raw = Raw::connect(site.address()).await;
        raw.send(handshake("/ws/spoken/", &format!("Sec-WebSocket-Protocol: {offer}\r\n"))).await;
        let head = raw.head().await;
        assert_eq!((head.status, head.header("sec-websocket-protocol")), (101, chosen));
    }
}

#[tokio::test]
async fn c3_accept_takes_a_subprotocol_and_headers() {
    let site = Site::start().await;
    for base in CONNECTS {
        let mut raw = Raw::connect(site.address()).await;
        let offer = "Sec-WebSocket-Protocol: chat.v1, chat.v2\r\n";
        raw.send(handshake(&format!("{base}/subprotocol/"), offer)).await;
        let head = raw.head().await;
        assert_eq!(head.header("sec-websocket-protocol"), Some("chat.v2"));
        assert_eq!(head.header("x-room"), Some("1"));
    }
}

#[tokio::test]
async fn deny_is_403_or_any_status_with_headers_and_a_text() {
    for base in CONNECTS {
        let (status, head, body) = refused(&handshake(&format!("{base}/teapot/"), "")).await;
        assert_eq!((status, head.header("retry-after"), &*body), (418, Some("7"), "short and stout"));
    }
}

#[tokio::test]
async fn c6_what_connect_does_instead_of_accepting_has_its_status() {
    for base in CONNECTS {
        for (what, status) in [
            ("deny", 403),
            ("close", 403),
            ("fail", 500),
            ("panic", 500),
            // A capture that does not fit its type.
            ("number", 404),
            // It accepts a subprotocol that was not offered, which is the program's error.
            ("subprotocol", 500),
        ] {
            assert_eq!(refused(&handshake(&format!("{base}/{what}/"), "")).await.0, status, "{base} {what}");
        }
    }
}

#[tokio::test]
async fn c2_and_j7_a_consumer_that_does_not_decide_in_time_is_503() {
    for path in ["/ws/connect/never/", "/ws/connect/undecided/", "/ws/blocking/connect/undecided/"] {
        let site = Site::with(|limits| limits.accept_time = std::time::Duration::from_millis(100)).await;
        let mut raw = Raw::connect(site.address()).await;
        raw.send(handshake(path, "")).await;
        assert_eq!(raw.response().await.0.status, 503, "{path}");
        assert!(!site.notes.all().concat().contains("disconnect"), "never accepted: no disconnect");
    }
}

#[tokio::test]
async fn a_client_that_leaves_during_its_handshake_drops_what_its_consumer_holds() {
    let site = Site::with(|limits| limits.accept_time = std::time::Duration::from_millis(300)).await;
    let mut raw = Raw::connect(site.address()).await;
    raw.send(handshake("/ws/connect/never/", "")).await;
    crate::waiting::until(|| site.lines.text().contains("HANDSHAKING")).await;
    drop(raw);
    assert_eq!(site.notes.wait(1).await, ["dropped"]);
    crate::waiting::until(|| site.lines.text().contains("WebSocket DISCONNECT /ws/connect/never/ [")).await;
    assert_eq!(site.notes.all(), ["dropped"], "never accepted: no disconnect");
}

#[tokio::test]
async fn k12_sending_before_accept_is_an_error() {
    for base in CONNECTS {
        let site = Site::start().await;
        let _raw = Raw::websocket(site.address(), &format!("{base}/send-early/")).await;
        assert!(site.notes.wait(1).await[0].contains("not accepted yet"));
    }
}

#[tokio::test]
async fn frames_sent_in_connect_follow_the_handshake_in_order() {
    let site = Site::start().await;
    for base in CONNECTS {
        let mut raw = Raw::websocket(site.address(), &format!("{base}/push/")).await;
        for number in 0..3 {
            assert_eq!(raw.text().await, number.to_string());
        }
    }
}
