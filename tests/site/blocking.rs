//! The coded site with its blocking consumers, which behave as the others.

use super::browser::scenario;
use super::clients::{CHECKS, websockets};
use super::live::Live;
use super::site::Handlers;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_hear_each_other_through_blocking_consumers_too() {
    assert_eq!(scenario("rooms", Live::start(Handlers::Blocking).await).await, 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_whole_site_is_the_same_with_blocking_consumers() {
    assert_eq!(scenario("site", Live::start(Handlers::Blocking).await).await, 8);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pythons_websockets_chats_with_blocking_consumers_too() {
    assert_eq!(websockets(Handlers::Blocking).await, CHECKS);
}
