//! What people see: scenarios of `tests/browser/`, each in a Chromium of its own.

use std::path::Path;

use tokio::process::Command;

use super::live::Live;
use super::outside::play;
use super::site::Handlers;
use super::tools;

/// Plays a scenario against the site; gives how many things were checked.
pub async fn scenario(name: &str, mut live: Live) -> usize {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new(tools::node());
    command
        .arg(root.join("tests/browser/harness.mjs"))
        .args([name, &live.url()])
        .env("SOLENT_TEST_NODE_MODULES", tools::node_modules())
        .env("SOLENT_TEST_CHROMIUM", tools::chromium())
        .env("SOLENT_TEST_PICTURES", tools::pictures());
    let held = play(command, async |wish| match wish {
        "restart" => live.restart().await,
        other => panic!("the scenario asked for {other:?}"),
    });
    held.await.len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_of_a_room_hear_each_other_and_nobody_else() {
    assert_eq!(scenario("rooms", Live::start(Handlers::Async).await).await, 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_room_page_does_what_it_promises() {
    assert_eq!(scenario("page", Live::start(Handlers::Async).await).await, 24);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn alice_bob_and_carol_use_the_whole_site() {
    assert_eq!(scenario("site", Live::start(Handlers::Async).await).await, 8);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn alice_bob_and_carol_use_the_whole_site_over_tls() {
    assert_eq!(scenario("site", Live::over_tls(Handlers::Async).await).await, 8);
}

/// What takes over half a minute: `tests/run --all`.
mod slow {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn every_page_fits_a_phone_and_a_desktop_and_can_be_read_light_and_dark() {
        assert_eq!(scenario("pictures", Live::start(Handlers::Async).await).await, 24);
    }
}
