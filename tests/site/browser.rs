//! What people see: scenarios of `tests/browser/`, each in a Chromium of its own.

use std::path::Path;

use tokio::process::Command;

use super::live::Live;
use super::outside::play;
use super::site::Handlers;
use super::tools;

/// Plays a scenario against the site; gives how many things were checked.
async fn scenario(name: &str, handlers: Handlers) -> usize {
    let mut live = Live::start(handlers).await;
    let harness = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/harness.mjs");
    let mut command = Command::new(tools::node());
    command
        .arg(harness)
        .args([name, &live.url()])
        .env("SOLENT_TEST_NODE_MODULES", tools::node_modules())
        .env("SOLENT_TEST_CHROMIUM", tools::chromium());
    let held = play(command, async |wish| match wish {
        "restart" => live.restart().await,
        other => panic!("the scenario asked for {other:?}"),
    });
    held.await.len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_of_a_room_hear_each_other_and_nobody_else() {
    assert_eq!(scenario("rooms", Handlers::Async).await, 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_hear_each_other_through_blocking_consumers_too() {
    assert_eq!(scenario("rooms", Handlers::Blocking).await, 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_room_page_does_what_it_promises() {
    assert_eq!(scenario("page", Handlers::Async).await, 24);
}
