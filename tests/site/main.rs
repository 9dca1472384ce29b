//! The chat site as people and programs meet it: raw sockets, Python's `websockets`, Chromium.
#![allow(missing_docs, unreachable_pub)]

mod browser;
mod clients;
mod live;
mod outside;
#[path = "../support/raw.rs"]
mod raw;
#[path = "../../examples/chat/site/mod.rs"]
mod site;
#[path = "../support/tools.rs"]
mod tools;
mod wire;
