//! Round trips of fifty clients, per second of server CPU.

use super::ROUNDS;
use crate::client::{Room, round_trips};
use crate::measure::{Server, alternate};
use crate::report::Report;

const CLIENTS: u32 = 50;
const TURNS: usize = 600;

pub fn run() {
    let mut report = Report::new("echo", "round trips per second of server CPU, 50 clients, 100 bytes");
    let (mut raw, mut own) = (Bench::new(&["raw", "echo"]), Bench::new(&["solent", "signed", "echo"]));
    let figures = alternate(ROUNDS, &mut [&mut || raw.round(), &mut || own.round()]);
    report.add("echo", "raw loop", figures[0].0, Some(1.0));
    report.add("echo", "solent", figures[1].0, Some(figures[1].1));
    report.finish();
}

struct Bench {
    server: Server,
    clients: Vec<Room>,
}

impl Bench {
    fn new(kind: &[&str]) -> Self {
        let server = Server::start(kind);
        let clients = (1..=CLIENTS).map(|room| Room::join(&server, kind, room, 1)).collect();
        Self { server, clients }
    }

    fn round(&mut self) -> f64 {
        self.clients.iter_mut().for_each(Room::breathe);
        let before = self.server.cpu();
        for _ in 0..TURNS {
            round_trips(&mut self.clients);
        }
        (TURNS * self.clients.len()) as f64 / (self.server.cpu() - before)
    }
}
