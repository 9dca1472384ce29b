//! The testing kit: what it shows of an application, and what it says when an expectation is not met.
#![allow(missing_docs, unreachable_pub)]

mod application;
mod consumers;
mod http;
mod idle;
mod live;
mod recording;
mod websocket;
