//! The chat site as people and programs meet it: raw sockets, Python's `websockets`, Chromium.
#![allow(missing_docs, unreachable_pub)]

mod browser;
mod clients;
mod live;
mod outside;
mod pages;
#[path = "../support/raw.rs"]
mod raw;
#[path = "../../examples/chat/site/mod.rs"]
#[allow(dead_code, reason = "the programs read their settings from the command line")]
mod site;
mod start;
#[path = "../support/tools.rs"]
mod tools;
mod wire;
