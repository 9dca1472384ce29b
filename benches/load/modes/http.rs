//! Requests per second of server CPU.

use super::ROUNDS;
use crate::client::{Pages, Visitor};
use crate::measure::{Server, alternate};
use crate::report::Report;

const REQUESTS: usize = 10_000;

pub fn run() {
    let mut report = Report::new("http", "requests per second of server CPU, 16 kept connections");
    let plain: [(&str, &[&str], &str); 3] = [
        ("bare hyper", &["hyper", "plain"], "/plain/"),
        ("solent", &["solent", "anonymous", "echo"], "/plain/"),
        ("axum", &["axum"], "/plain/"),
    ];
    let page: [(&str, &[&str], &str); 3] = [
        ("bare hyper", &["hyper", "template"], "/page/"),
        ("solent, signed cookie", &["solent", "signed", "echo"], "/page/"),
        ("solent, SQLite session", &["solent", "database", "echo"], "/page/"),
    ];
    compare(&mut report, "plain view", &plain);
    compare(&mut report, "template page", &page);
    report.finish();
}

fn compare(report: &mut Report, case: &str, servers: &[(&str, &[&str], &str)]) {
    let mut benches: Vec<_> = servers.iter().map(|(_, kind, path)| Bench::new(kind, path)).collect();
    let mut rounds: Vec<_> = benches.iter_mut().map(|bench| move || bench.round()).collect();
    let mut rounds: Vec<&mut dyn FnMut() -> f64> = rounds.iter_mut().map(|round| round as _).collect();
    let figures = alternate(ROUNDS, &mut rounds);
    for ((name, ..), (figure, ratio)) in servers.iter().zip(figures) {
        report.add(case, name, figure, Some(ratio));
    }
}

struct Bench {
    server: Server,
    pages: Pages,
}

impl Bench {
    fn new(kind: &[&str], path: &str) -> Self {
        let server = Server::start(kind);
        let pages = Pages::open(&Visitor::of(&server, kind), path, 16);
        Self { server, pages }
    }

    fn round(&mut self) -> f64 {
        let before = self.server.cpu();
        self.pages.fetch(REQUESTS);
        REQUESTS as f64 / (self.server.cpu() - before)
    }
}
