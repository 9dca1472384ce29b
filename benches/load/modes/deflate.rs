//! What compression costs a broadcast: every member gets the same compressed bytes.

use super::ROUNDS;
use crate::client::{Room, Visitor};
use crate::measure::{Server, alternate};
use crate::report::Report;

const MEMBERS: usize = 1000;

/// Bytes of a message: above the size from which on messages are compressed.
const PAYLOAD: u16 = 1000;

const MESSAGES: usize = 60;

pub fn run() {
    let mut report =
        Report::new("deflate", "server CPU per delivery in nanoseconds, messages of 1,000 bytes");
    let kind = ["solent", "signed", "forwarded"];
    let servers = [false, true].map(|deflate| (Server::start(&kind), deflate));
    let mut rooms: Vec<_> = servers
        .iter()
        .map(|(server, deflate)| {
            let visitor = Visitor::of(server, &kind);
            (server, Room::join_for_long(&visitor, 1, MEMBERS, PAYLOAD, *deflate))
        })
        .collect();
    let mut rounds: Vec<_> = rooms.iter_mut().map(|(server, room)| move || round(server, room)).collect();
    let mut rounds: Vec<&mut dyn FnMut() -> f64> = rounds.iter_mut().map(|round| round as _).collect();
    let figures = alternate(ROUNDS, &mut rounds);
    for (name, (figure, ratio)) in ["plain", "permessage-deflate"].iter().zip(figures) {
        report.add("1,000 members", name, figure, Some(ratio));
    }
    report.finish();
}

fn round(server: &Server, room: &mut Room) -> f64 {
    room.breathe();
    let before = server.cpu();
    room.run(MESSAGES, 1, &mut Vec::new());
    (server.cpu() - before) * 1e9 / (MESSAGES * MEMBERS) as f64
}
