//! Tests without sockets: communicators that drive an application in process, and a live server for the rest.
//!
//! Stands beside the house: it assembles all rooms and nothing depends on it. What Channels' communicators do, in the
//! same names, and what its users have asked for: time under the test's control, failures that print the conversation.

mod application;
mod dialogue;
mod frames;
#[doc(hidden)]
pub mod fuzz;
mod handshake;
mod http;
mod line;
mod live;
mod raw;
mod recording;
mod setup;
mod transcript;
mod websocket;

pub use application::ApplicationCommunicator;
pub use http::{HttpCommunicator, TestHead, TestResponse};
pub use line::Received;
pub use live::LiveServer;
pub use raw::{RawClient, RawHead};
pub use recording::{Call, Fault, RecordingChannelLayer};
pub use transcript::Transcript;
pub use websocket::WebsocketCommunicator;
