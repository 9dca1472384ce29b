//! Users, sessions, passwords and the middleware: each module is one promise, most of them proved by vectors that the
//! real Django made.
#![cfg(feature = "auth")]

mod auth_hash;
mod cookies;
mod database;
mod hosts;
mod origin;
mod passwords;
mod redirects;
mod sessions;
mod signing;
mod support;
