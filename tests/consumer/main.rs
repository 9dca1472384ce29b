//! Consumers and channel layers together: events, groups, memberships, over raw sockets.
#![allow(missing_docs, unreachable_pub)]

#[path = "../support/raw.rs"]
mod raw;
mod room;

mod channels_rows;
mod delivery;
mod departures;
mod dispatch;
mod flavours;
mod forwarded;
mod groups;
mod http;
mod line_chat;
mod logs;
mod pool;
#[path = "../support/waiting.rs"]
mod waiting;
mod workers;
