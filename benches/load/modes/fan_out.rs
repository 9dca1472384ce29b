//! Deliveries to a room's members, per second of server CPU.

use super::ROUNDS;
use crate::client::{Room, percentile};
use crate::measure::{Server, alternate};
use crate::report::Report;

const SERVERS: [(&str, &[&str]); 4] = [
    ("raw loop, merged", &["raw", "merged"]),
    ("solent, forwarded", &["solent", "signed", "forwarded"]),
    ("solent, handled", &["solent", "signed", "handled"]),
    ("axum + broadcast", &["axum"]),
];

/// Members of one room, and a hundred rooms as well: each kind of server beside the raw loop.
pub fn run() {
    let mut report = Report::new("fan-out", "deliveries per second of server CPU, 100-byte messages");
    let mut latencies =
        Report::new("fan-out-p99", "p99 of a delivery's latency in microseconds, one in flight");
    let wanted = std::env::var("SOLENT_LOAD_MEMBERS").ok().and_then(|text| text.parse().ok());
    for members in wanted.map_or(vec![100, 1000, 5000], |members| vec![members]) {
        for in_flight in [1, 4] {
            let case = format!("{members} members, {in_flight} in flight");
            for (index, (name, kind)) in SERVERS.iter().enumerate() {
                let mut raw = Bench::new(&["raw", "plain"], members);
                let mut own = Bench::new(kind, members);
                let figures =
                    alternate(ROUNDS, &mut [&mut || raw.round(in_flight), &mut || own.round(in_flight)]);
                if index == 0 {
                    report.add(&case, "raw loop", figures[0].0, Some(1.0));
                }
                report.add(&case, name, figures[1].0, Some(figures[1].1));
                if in_flight == 1 {
                    let (theirs, ours) = (raw.p99(), own.p99());
                    latencies.add(&case, name, ours, Some(ours / theirs));
                }
            }
        }
    }
    report.finish();
    latencies.finish();
}

struct Bench {
    server: Server,
    room: Room,
    latencies: Vec<u32>,
    messages: usize,
    members: usize,
}

impl Bench {
    fn new(kind: &[&str], members: usize) -> Self {
        let server = Server::start(kind);
        let mut room = Room::join(&server, kind, 1, members);
        // About half a second of server CPU.
        let messages = (60_000 / members).max(12).next_multiple_of(4);
        room.run(messages, 4, &mut Vec::new());
        Self { server, room, latencies: Vec::new(), messages, members }
    }

    fn round(&mut self, in_flight: usize) -> f64 {
        self.room.breathe();
        let before = self.server.cpu();
        self.room.run(self.messages, in_flight, &mut self.latencies);
        (self.messages * self.members) as f64 / (self.server.cpu() - before)
    }

    fn p99(&mut self) -> f64 {
        percentile(&mut self.latencies, 0.99)
    }
}
