//! The testing kit: what it shows of an application, and what it says when an expectation is not met.

mod consumers;
mod http;
mod recording;
mod websocket;
