//! Places for connections: so many at once, so many from one address.

use tokio::io::AsyncReadExt;
use tokio::time::timeout;

use crate::raw::Raw;
use crate::site::{GET, SHORT, Site};

async fn is_served(raw: &mut Raw) {
    raw.send(GET).await;
    assert_eq!(raw.response().await.1, "hello");
}

/// Whether nothing comes for a while.
async fn is_waiting(raw: &mut Raw) -> bool {
    timeout(SHORT, raw.stream.read_u8()).await.is_err()
}

#[tokio::test]
async fn at_the_limit_accepting_pauses_and_recovers() {
    let site = Site::with(|limits| limits.connections = Some(2)).await;
    let mut one = Raw::connect(site.address()).await;
    let mut two = Raw::connect(site.address()).await;
    is_served(&mut one).await;
    is_served(&mut two).await;
    // The system completes it; the server does not take it yet.
    let mut three = Raw::connect(site.address()).await;
    three.send(GET).await;
    assert!(is_waiting(&mut three).await);
    is_served(&mut one).await;
    drop(two);
    assert_eq!(three.response().await.1, "hello");
}

#[tokio::test]
async fn an_open_websocket_keeps_its_place() {
    let site = Site::with(|limits| limits.connections = Some(1)).await;
    let mut socket = Raw::websocket(site.address(), "/ws/").await;
    let mut next = Raw::connect(site.address()).await;
    next.send(GET).await;
    assert!(is_waiting(&mut next).await);
    socket.send_text("still here").await;
    assert_eq!(socket.text().await, "still here");
    drop(socket);
    assert_eq!(next.response().await.1, "hello");
}

#[tokio::test]
async fn one_address_over_its_share_is_told_429() {
    let site = Site::with(|limits| limits.connections_per_address = Some(2)).await;
    let mut one = Raw::connect(site.address()).await;
    let mut two = Raw::connect(site.address()).await;
    is_served(&mut one).await;
    is_served(&mut two).await;
    let mut three = Raw::connect(site.address()).await;
    let (head, _) = three.response().await;
    assert_eq!((head.status, head.header("connection")), (429, Some("close")));
    assert!(three.ended().await);
    is_served(&mut one).await;
    drop(two);
    // The place is free once the server has noticed.
    let deadline = tokio::time::Instant::now() + crate::raw::PATIENCE;
    loop {
        let mut next = Raw::connect(site.address()).await;
        next.send(GET).await;
        if next.response().await.0.status == 200 {
            break;
        }
        assert!(tokio::time::Instant::now() < deadline, "the place is never given back");
    }
}

#[tokio::test]
async fn another_address_is_not_concerned() {
    let site = Site::with(|limits| limits.connections_per_address = Some(1)).await;
    let mut one = Raw::connect(site.address()).await;
    is_served(&mut one).await;
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
    let mut other = Raw::over(socket.connect(site.address()).await.unwrap());
    is_served(&mut other).await;
}
