//! axum's WebSockets and tokio's broadcast channel, with their defaults: the room as most would write it.

use axum::Router;
use axum::extract::State;
use axum::extract::ws::{Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use axum::routing::get;
use tokio::sync::broadcast::{Sender, channel};

pub fn serve() {
    super::runtime().block_on(async {
        let (room, _) = channel::<Utf8Bytes>(1024);
        let app = Router::new()
            .route("/ws/room/1/", get(join).with_state(room))
            .route("/plain/", get(async || "hello"));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        super::announce(listener.local_addr().expect("an address"), "");
        axum::serve(listener, app).await.expect("it serves");
    });
}

async fn join(State(room): State<Sender<Utf8Bytes>>, upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(move |socket| converse(socket, room))
}

async fn converse(mut socket: WebSocket, room: Sender<Utf8Bytes>) {
    let mut events = room.subscribe();
    loop {
        tokio::select! {
            event = events.recv() => {
                let Ok(event) = event else { return };
                if socket.send(Message::Text(event)).await.is_err() {
                    return;
                }
            }
            incoming = socket.recv() => match incoming {
                Some(Ok(Message::Text(text))) => drop(room.send(text)),
                Some(Ok(_)) => {}
                _ => return,
            },
        }
    }
}
