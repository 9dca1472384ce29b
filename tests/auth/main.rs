//! Users, sessions, passwords and the middleware: each module is one promise, most of them proved by vectors that the
//! real Django made.
#![cfg(feature = "auth")]

mod cookies;
mod hosts;
mod origin;
mod support;
