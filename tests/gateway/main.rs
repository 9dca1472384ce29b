//! The gateway as people meet it: the binary, its config file, its errors, its sites.
#![allow(missing_docs, unreachable_pub)]

mod allow;
mod bearer;
mod binary;
mod bounds;
mod broken;
mod caching;
mod certificates;
mod commands;
mod completions;
mod courses;
mod django;
mod embedding;
mod events;
mod every_key;
mod nginx;
#[path = "../site/outside.rs"]
mod outside;
mod overflow;
#[path = "../support/postgres.rs"]
mod postgres;
mod proxy;
mod queries;
#[path = "../support/raw.rs"]
mod raw;
mod readiness;
#[path = "../support/redis.rs"]
mod redis;
mod reference;
mod reload;
mod secrets;
mod secure_upstream;
mod sentinel;
mod sessions;
mod site;
mod systemd;
#[path = "../support/tools.rs"]
mod tools;
mod users;
mod visitor;
#[path = "../support/waiting.rs"]
mod waiting;
mod workers;
