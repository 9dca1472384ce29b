//! Memory of idle members.

use crate::client::{Socket, Visitor};
use crate::measure::Server;
use crate::report::Report;

const MEMBERS: usize = 10_000;

pub fn run() {
    let mut report =
        Report::new("idle", "bytes of server memory (Pss) per member, 10,000 members of one room");
    let solent: [(&str, &[&str], bool); 5] = [
        ("solent, anonymous", &["solent", "anonymous", "forwarded"], false),
        ("solent, signed cookie", &["solent", "signed", "forwarded"], false),
        ("solent, SQLite session", &["solent", "database", "forwarded"], false),
        ("solent, deflate", &["solent", "signed", "forwarded"], true),
        ("axum", &["axum"], false),
    ];
    for (name, kind, deflate) in solent {
        let server = Server::start(kind);
        let visitor = Visitor::of(&server, kind);
        drop(Socket::open(&visitor, 1));
        let before = server.memory();
        let sockets: Vec<_> = (0..MEMBERS).map(|_| Socket::open_with(&visitor, 1, deflate)).collect();
        report.add("idle", name, ((server.memory() - before) * 1024 / sockets.len()) as f64, None);
    }
    report.finish();
}
