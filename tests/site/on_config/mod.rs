//! The whole suite of the site once more, over `config/solent.toml` in place of the coded example.

use super::{outside, raw, site, tools};

#[path = "../browser.rs"]
mod browser;
#[path = "../clients.rs"]
mod clients;
#[path = "../configured.rs"]
mod hosting;
#[path = "../live.rs"]
mod live;
#[path = "../pages.rs"]
mod pages;
#[path = "../wire.rs"]
mod wire;
