//! The whole suite of the site once more, with its rooms on channels_redis' lists and sorted sets.
#![allow(dead_code, reason = "what starts and stops sites serves the tests in memory, too")]

use super::{outside, raw, rooms, site, tools};

/// Where this suite's rooms are.
const ROOMS: rooms::Kind = rooms::Kind::Redis;

#[path = "../blocking.rs"]
mod blocking;
#[path = "../browser.rs"]
mod browser;
#[path = "../clients.rs"]
mod clients;
#[path = "../coded.rs"]
mod hosting;
#[path = "../live.rs"]
mod live;
#[path = "../pages.rs"]
mod pages;
#[path = "../wire.rs"]
mod wire;
