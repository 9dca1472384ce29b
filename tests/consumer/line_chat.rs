//! A protocol of one's own (the example `line_chat`): terminals and browsers in one group.

use serde_json::json;
use solent::layers::MemoryChannelLayer;
use solent::server::{AccessLog, Running, Server};
use tokio::net::TcpListener;

use crate::raw::Raw;
use crate::waiting::until;

#[path = "../../examples/line_chat/lines.rs"]
mod lines;
#[path = "../../examples/line_chat/members.rs"]
mod members;

struct Chat {
    running: Running,
    lines: std::net::SocketAddr,
}

impl Chat {
    async fn start() -> Self {
        let app = members::application().unwrap();
        let server = Server::new(app.clone()).channel_layer(MemoryChannelLayer::new());
        let running = server.bind("127.0.0.1:0").access_log(AccessLog::off()).start().await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let lines = listener.local_addr().unwrap();
        tokio::spawn(lines::listen(listener, app, running.env().clone()));
        Self { running, lines }
    }

    async fn terminal(&self, opening: &str) -> Raw {
        let mut raw = Raw::connect(self.lines).await;
        raw.send(opening).await;
        raw
    }

    async fn browser(&self, path: &str) -> Raw {
        Raw::websocket(self.running.addresses()[0], path).await
    }

    fn mailboxes(&self) -> usize {
        self.running.env().layers.default_handle().unwrap().layer().stats().mailboxes
    }
}

/// A line, which ends as Unix has it.
async fn line(raw: &mut Raw) -> String {
    let mut line = Vec::new();
    while line.last() != Some(&b'\n') {
        line.extend(raw.bytes(1).await);
    }
    String::from_utf8(line).unwrap().trim_end().to_owned()
}

#[tokio::test]
async fn a_terminal_and_a_browser_talk_in_one_room_and_another_room_hears_nothing() {
    let chat = Chat::start().await;
    let mut terminal = chat.terminal("room/1/\n").await;
    let mut windows = chat.terminal("room/1/\r\n").await;
    let mut elsewhere = chat.terminal("room/2/\n").await;
    let mut browser = chat.browser("/ws/room/1/").await;
    until(|| chat.mailboxes() == 4).await;

    terminal.send("from a ter").await;
    terminal.send("minal\n").await;
    let event = json!({"type": "chat.message", "message": "from a terminal"});
    assert_eq!(browser.frame().await.json(), event);
    browser.send_text("from a browser").await;
    for member in [&mut terminal, &mut windows] {
        assert_eq!(line(member).await, "from a terminal");
        assert_eq!(line(member).await, "from a browser");
    }
    elsewhere.send("in room 2\n").await;
    assert_eq!(line(&mut elsewhere).await, "in room 2");
}

#[tokio::test]
async fn a_terminal_that_hangs_up_leaves_its_room() {
    let chat = Chat::start().await;
    let terminal = chat.terminal("room/1/\n").await;
    until(|| chat.mailboxes() == 1).await;
    drop(terminal);
    until(|| chat.mailboxes() == 0).await;
}

#[tokio::test]
async fn the_routers_know_the_protocol_and_no_other_has_its_rooms() {
    let chat = Chat::start().await;
    let mut lost = chat.terminal("room/none/\n").await;
    assert_eq!(line(&mut lost).await, "no such room");
    assert!(lost.ended().await);
    let mut raw = Raw::connect(chat.running.addresses()[0]).await;
    raw.send(crate::raw::handshake("/room/1/", "")).await;
    assert_eq!(raw.head().await.status, 404);
}

#[tokio::test]
async fn a_line_without_end_is_cut_off_at_its_limit() {
    let chat = Chat::start().await;
    let mut terminal = chat.terminal("room/1/\n").await;
    until(|| chat.mailboxes() == 1).await;
    terminal.send("x".repeat(1000)).await;
    until(|| chat.mailboxes() == 0).await;
}
