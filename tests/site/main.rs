//! The chat site as people and programs meet it: raw sockets, Python's `websockets`, Chromium; the coded site on each channel
//! layer, and the configured one.
#![allow(missing_docs, unreachable_pub)]
#![allow(clippy::duplicate_mod, reason = "one suite, over each channel layer and over the config file")]

mod blocking;
mod browser;
mod clients;
#[path = "coded.rs"]
mod hosting;
mod live;
mod on_config;
mod on_redis;
mod on_redis_pubsub;
mod outside;
mod pages;
#[path = "../support/raw.rs"]
mod raw;
#[path = "../support/redis.rs"]
mod redis_server;
mod rooms;
#[path = "../../examples/chat/site/mod.rs"]
#[allow(dead_code, reason = "the programs read their settings from the command line")]
mod site;
mod start;
#[path = "../support/tools.rs"]
mod tools;
#[path = "../support/waiting.rs"]
mod waiting;
mod wire;

/// Where the rooms of the suite are that stands here; more suites stand in folders.
const ROOMS: rooms::Kind = rooms::Kind::Memory;
