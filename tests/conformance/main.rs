//! What the RFCs ask of a server, as tables of raw bytes: one file per RFC.
#![allow(missing_docs, unreachable_pub)]

#[path = "../support/http2.rs"]
mod http2;
#[path = "../support/raw.rs"]
mod raw;
mod site;

mod rfc6455;
mod rfc9110;
mod rfc9112;
mod rfc9113;
