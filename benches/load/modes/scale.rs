//! As many sockets as a process may have, on one thread and on two; many small rooms beside a large one; and what idle
//! sockets cost.

use super::ROUNDS;
use crate::client::{Room, Visitor, say_in_all};
use crate::measure::{Server, alternate, kernel_objects};
use crate::report::Report;

/// A process may have 20,000 files open where this was written for.
const SOCKETS: usize = 19_000;
const MESSAGES: usize = 8;

/// As many as fit into the client's process twice.
const ROOMS: u32 = 950;
const MEMBERS_OF_EACH: usize = 10;

/// Sockets on which nothing happens, and how many pings each of them is watched for: one in 20 s.
const IDLE: usize = 10_000;
const PINGS: usize = 3;

const SIGNED: [&str; 3] = ["solent", "signed", "forwarded"];
const SIGNED_ON_TWO: [&str; 4] = ["solent", "signed", "forwarded", "two"];

pub fn run() {
    let mut report = Report::new("scale", "deliveries per second of server CPU, 19,000 sockets in one room");
    let raw = Server::start(&["raw", "plain"]);
    let (one, two) = (Server::start(&SIGNED), Server::start_on_both(&SIGNED_ON_TWO));
    let servers: [(&str, Server, &[&str]); 3] = [
        ("raw loop", raw, &["raw", "plain"]),
        ("solent, one thread", one, &SIGNED),
        ("solent, two threads", two, &SIGNED_ON_TWO),
    ];
    let mut baseline = None;
    // One after the other: the client's process may have no more sockets than a server's.
    for (name, server, kind) in &servers {
        let before = server.memory();
        let mut room = Room::join(server, kind, 1, SOCKETS);
        let memory = (server.memory() - before) * 1024 / SOCKETS;
        let figures = alternate(ROUNDS, &mut [&mut || round(server, &mut room)]);
        let baseline = *baseline.get_or_insert(figures[0].0);
        report.add("19,000 sockets", name, figures[0].0, Some(figures[0].0 / baseline));
        report.add("bytes of memory per socket", name, memory as f64, None);
    }
    drop(servers);
    small_rooms(&mut report);
    idleness(&mut report);
    report.finish();
}

/// The same number of members in one room, and in a thousand.
fn small_rooms(report: &mut Report) {
    let servers = [Server::start(&SIGNED), Server::start(&SIGNED)];
    let visitors = [Visitor::of(&servers[0], &SIGNED), Visitor::of(&servers[1], &SIGNED)];
    let members = ROOMS as usize * MEMBERS_OF_EACH;
    let mut large = Room::join_as(&visitors[0], 1, members);
    let mut small: Vec<_> =
        (1..=ROOMS).map(|room| Room::join_as(&visitors[1], room, MEMBERS_OF_EACH)).collect();
    let figures = alternate(
        ROUNDS,
        &mut [&mut || round(&servers[0], &mut large), &mut || {
            small.iter_mut().for_each(Room::breathe);
            let before = servers[1].cpu();
            (0..MESSAGES).for_each(|_| say_in_all(&mut small));
            (MESSAGES * members) as f64 / (servers[1].cpu() - before)
        }],
    );
    report.add("9,500 members", "one room", figures[0].0, Some(1.0));
    report.add("9,500 members", "950 rooms of 10", figures[1].0, Some(figures[1].1));
}

/// What sockets cost on which nothing happens: the kernel's memory, and the pings.
fn idleness(report: &mut Report) {
    let server = Server::start(&SIGNED);
    let before = kernel_objects();
    let mut room = Room::join(&server, &SIGNED, 1, IDLE);
    // Both ends of a connection are on this machine.
    let memory = kernel_objects().saturating_sub(before) / IDLE / 2;
    report.add("bytes of kernel memory", "one end of a socket", memory as f64, None);
    let before = server.cpu();
    (0..PINGS).for_each(|_| room.answer_pings());
    let cost = (server.cpu() - before) * 1e9 / (PINGS * IDLE) as f64;
    report.add("nanoseconds of server CPU", "a ping and its pong", cost, None);
}

fn round(server: &Server, room: &mut Room) -> f64 {
    room.breathe();
    let before = server.cpu();
    room.run(MESSAGES, 1, &mut Vec::new());
    (MESSAGES * room.len()) as f64 / (server.cpu() - before)
}
