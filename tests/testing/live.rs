//! `LiveServer`: row I8 of Channels' checklist.

use solent::layers::MemoryChannelLayer;
use solent::routing::{ProtocolTypeRouter, UrlRouter, ViewRouter, path};
use solent::server::{AccessLog, Server};
use solent::testing::{LiveServer, WebsocketCommunicator};

use crate::consumers::{Seen, echo, member};

async fn page(_: solent::http::Request) -> &'static str {
    "a page"
}

fn app(seen: &Seen) -> ProtocolTypeRouter {
    let sockets = UrlRouter::new([path("echo/", echo()), path("room/", member(seen))]).unwrap();
    ProtocolTypeRouter::new().http(ViewRouter::new([path("page/", page)]).unwrap()).websocket(sockets)
}

#[tokio::test]
async fn i8_a_live_server_has_urls_and_a_free_port() {
    let server = LiveServer::start(app(&Seen::default())).await;
    let other = LiveServer::start(app(&Seen::default())).await;
    assert_ne!(server.address(), other.address());
    assert_eq!(server.url("/page/"), format!("http://{}/page/", server.address()));
    assert_eq!(server.ws_url("/echo/"), format!("ws://{}/echo/", server.address()));
    let mut client = server.raw().await;
    client.send("GET /page/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await;
    let head = client.read_head().await;
    assert_eq!((head.status.as_u16(), head.header("Content-Type")), (200, Some("text/plain; charset=utf-8")));
    assert_eq!(client.read_body(&head).await, "a page");
    assert!(client.read_to_end().await.is_empty());
}

#[tokio::test]
async fn sockets_over_tcp_speak_as_communicators_do() {
    let server = LiveServer::start(app(&Seen::default())).await;
    let offer = [("Sec-WebSocket-Protocol", "a, b")];
    let (mut client, accepted) = server.websocket("/echo/?subprotocol=b", &offer).await.unwrap();
    assert_eq!(
        (accepted.subprotocol.as_deref(), &accepted.headers["x-room"]),
        (Some("b"), &"7".parse().unwrap())
    );
    client.send_text("hello").await;
    assert_eq!(client.receive_text().await, "hello");
    client.send_text("close").await;
    assert_eq!(client.receive_close().await.to_string(), "4000 as you wish");
    client.ended().await;
    let denial = server.websocket("/echo/?deny", &[]).await.unwrap_err();
    assert_eq!((denial.status.as_u16(), &*denial.text), (402, "Pay first."));
    assert_eq!(server.websocket("/nowhere/", &[]).await.unwrap_err().status.as_u16(), 404);
}

#[tokio::test]
async fn a_live_socket_and_a_communicator_share_a_server() {
    let seen = Seen::default();
    let server = Server::new(app(&seen)).channel_layer(MemoryChannelLayer::new());
    let server = LiveServer::serve(server.access_log(AccessLog::off())).await;
    let (mut live, _) = server.websocket("/room/", &[]).await.unwrap();
    let mut local = WebsocketCommunicator::new(app(&seen), "/room/").env(server.env().clone());
    local.connect().await.unwrap();
    local.send_text("hello").await;
    assert_eq!(live.receive_json::<serde_json::Value>().await["text"], "hello");
    assert_eq!(local.receive_json::<serde_json::Value>().await["text"], "hello");
    // A drain reaches both.
    let (shutdown, (), ()) = tokio::join!(server.shutdown(), live.ended(), local.ended());
    let () = shutdown;
    assert_eq!(live.receive_close().await.code.0, 1012);
    assert_eq!(local.receive_close().await.code.0, 1012);
}
