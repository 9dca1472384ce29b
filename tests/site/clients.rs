//! Clients of other makers.

use std::path::Path;

use tokio::process::Command;

use super::live::Live;
use super::outside::play;
use super::site::Handlers;
use super::tools;

pub async fn websockets(handlers: Handlers) -> Vec<String> {
    let live = Live::start(handlers).await;
    let mut command = Command::new(tools::python());
    command
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/site/clients.py"))
        .arg(format!("ws://{}", live.address))
        .args([live.login("alice", "wonderland-1").await, live.login("carol", "singer-3").await]);
    play(command, async |wish| panic!("the clients asked for {wish:?}")).await
}

pub const CHECKS: [&str; 6] = [
    "chats",
    "answers pings",
    "closes in good order",
    "is refused from another site",
    "is refused where it is no member",
    "is refused where there is no room",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pythons_websockets_connects_chats_and_is_refused_with_403_and_404() {
    assert_eq!(websockets(Handlers::Async).await, CHECKS);
}
