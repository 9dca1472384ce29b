//! Handshakes per second of server CPU.

use super::ROUNDS;
use crate::client::{Socket, Visitor};
use crate::measure::{Server, alternate};
use crate::report::Report;

const HANDSHAKES: usize = 1000;

pub fn run() {
    let mut report = Report::new("connect", "handshakes per second of server CPU");
    let mut benches = [
        Bench::new(&["raw", "plain"]),
        Bench::new(&["solent", "anonymous", "forwarded"]),
        Bench::new(&["solent", "signed", "forwarded"]),
        Bench::new(&["solent", "database", "forwarded"]),
        Bench::new(&["axum"]),
    ];
    let mut rounds: Vec<_> = benches.iter_mut().map(|bench| move || bench.round()).collect();
    let mut rounds: Vec<&mut dyn FnMut() -> f64> = rounds.iter_mut().map(|round| round as _).collect();
    let figures = alternate(ROUNDS, &mut rounds);
    let names = ["raw loop", "solent, anonymous", "solent, signed cookie", "solent, SQLite session", "axum"];
    for (name, (figure, ratio)) in names.iter().zip(figures) {
        report.add("handshake and close", name, figure, Some(ratio));
    }
    report.finish();
}

struct Bench {
    server: Server,
    visitor: Visitor,
}

impl Bench {
    fn new(kind: &[&str]) -> Self {
        let server = Server::start(kind);
        let visitor = Visitor::of(&server, kind);
        Self { server, visitor }
    }

    fn round(&mut self) -> f64 {
        let before = self.server.cpu();
        for _ in 0..HANDSHAKES {
            drop(Socket::open(&self.visitor, 1));
        }
        HANDSHAKES as f64 / (self.server.cpu() - before)
    }
}
