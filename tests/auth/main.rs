//! Users, sessions, passwords and the middleware: each module is one promise, most of them proved by vectors that the
//! real Django made.
#![cfg(feature = "auth")]
#![allow(missing_docs, unreachable_pub)]

#[cfg(feature = "http2")]
#[path = "../support/http2.rs"]
mod http2;
#[path = "../support/postgres.rs"]
mod postgres;
#[path = "../support/raw.rs"]
mod raw;
#[cfg(feature = "redis")]
#[path = "../support/redis.rs"]
mod redis_server;
mod site;
mod support;
#[path = "../support/tools.rs"]
mod tools;

mod auth_hash;
#[cfg(feature = "testing")]
mod bearer;
mod cache;
#[cfg(feature = "redis")]
mod cache_sessions;
mod channels_rows;
mod cookies;
mod csrf;
mod database;
mod django;
mod following;
mod hosts;
#[cfg(feature = "jwt")]
mod jwt;
mod laziness;
mod origin;
#[cfg(feature = "http2")]
mod over_http2;
mod own_users;
mod passwords;
mod postgresql;
mod redirects;
mod sessions;
mod signing;
mod users;
#[path = "../support/waiting.rs"]
mod waiting;
