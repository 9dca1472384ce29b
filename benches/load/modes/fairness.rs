//! A quiet room beside a flooded one. The clients share a core: the flood's gives way, so that what the quiet one waits for
//! is the server.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::client::{Room, percentile};
use crate::measure::{Server, give_way};
use crate::report::Report;

pub fn run() {
    let mut report = Report::new("fairness", "p99 in microseconds of a room of ten, beside a room of 5,000");
    let kind = ["solent", "signed", "forwarded"];
    let server = Server::start(&kind);
    let mut quiet = Room::join(&server, &kind, 1, 10);
    let mut flooded = Room::join(&server, &kind, 2, 5000);
    let alone = p99(&mut quiet);
    report.add("quiet room", "the other room sleeps", alone, Some(1.0));
    let stop = AtomicBool::new(false);
    let beside = std::thread::scope(|scope| {
        scope.spawn(|| {
            give_way();
            while !stop.load(Ordering::Relaxed) {
                flooded.breathe();
                flooded.run(4, 4, &mut Vec::new());
            }
        });
        let beside = p99(&mut quiet);
        stop.store(true, Ordering::Relaxed);
        beside
    });
    report.add("quiet room", "solent, the other floods", beside, Some(beside / alone));
    report.finish();
}

fn p99(room: &mut Room) -> f64 {
    let mut latencies = Vec::new();
    room.run(300, 1, &mut latencies);
    percentile(&mut latencies, 0.99)
}
