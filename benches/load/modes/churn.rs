//! Members that come and go: what they leave behind.

use std::time::{Duration, Instant};

use crate::client::{Room, Socket, Visitor};
use crate::measure::Server;
use crate::report::Report;

const MINUTES: u64 = 10;
const MEMBERS: usize = 1000;

/// Runs for ten minutes, or as many as `SOLENT_LOAD_MINUTES` says.
pub fn run() {
    let minutes =
        std::env::var("SOLENT_LOAD_MINUTES").ok().and_then(|text| text.parse().ok()).unwrap_or(MINUTES);
    let mut report =
        Report::new("churn", "KiB of server memory (Pss) while 1,000 members come, talk and leave");
    let kind = ["solent", "signed", "forwarded"];
    let server = Server::start(&kind);
    let visitor = Visitor::of(&server, &kind);
    let wave = || Room::join(&server, &kind, 1, MEMBERS).run(8, 4, &mut Vec::new());
    wave();
    let start = server.memory() as f64;
    report.add("after the first wave", "solent", start, Some(1.0));
    for minute in 1..=minutes {
        let end = Instant::now() + Duration::from_secs(60);
        while Instant::now() < end {
            wave();
        }
        let now = server.memory() as f64;
        report.add(&format!("after minute {minute}"), "solent", now, Some(now / start));
    }
    drop(Socket::open(&visitor, 1));
    report.finish();
}
