//! The guides: complete where they promise to be, with links that lead somewhere.
#![allow(missing_docs, unreachable_pub)]

mod channels_rows;
mod echo_in_axum;
mod links;
mod readme;
mod rooms;

#[path = "../support/raw.rs"]
mod raw;
