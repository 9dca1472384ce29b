//! The load harness: servers pinned to one core, clients to another, and what a second of server CPU buys.
//!
//! ```text
//! cargo bench --bench load                 all modes
//! cargo bench --bench load -- fan-out      one mode: fan-out, echo, connect, idle
//! ```
//!
//! Every figure stands beside a baseline that was measured in the same run: the raw loop is one `send()` per member
//! and nothing else. Ratios are what counts; absolute figures belong to a machine.
#![allow(missing_docs, unreachable_pub)]

mod client;
mod measure;
mod raw_loop;
mod solent_server;

use measure::{Server, median};

/// Rounds of each measurement; the median is kept.
const ROUNDS: usize = 5;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve", "raw", merged] => raw_loop::serve(merged == "merged"),
        ["serve", kind] => solent_server::serve(kind),
        [] => ["fan-out", "echo", "connect", "idle"].into_iter().for_each(run),
        [mode] => run(mode),
        _ => eprintln!("usage: load [fan-out | echo | connect | idle]"),
    }
}

fn run(mode: &str) {
    measure::pin_client();
    match mode {
        "fan-out" => fan_out(),
        "echo" => echo(),
        "connect" => connect(),
        "idle" => idle(),
        // cargo passes this when all benches are only to be tried.
        "--test" => {}
        _ => eprintln!("no such mode: {mode}"),
    }
}

/// Deliveries per second of server CPU, with one message in flight and with four.
fn fan_out() {
    println!("fan-out: deliveries per second of server CPU (100-byte messages)");
    println!("{:>7} {:>10} {:>12} {:>12} {:>7}", "members", "in flight", "raw loop", "server", "ratio");
    for members in [100, 1000, 5000] {
        for in_flight in [1, 4] {
            let raw = fan_out_figure(&["raw", "plain"], members, in_flight);
            println!("{members:>7} {in_flight:>10} {raw:>12.0} {:>12} {:>7}", "raw loop", "1.00");
            let servers: [&[&str]; 3] = [&["raw", "merged"], &["forwarded"], &["handled"]];
            for kind in servers {
                let figure = fan_out_figure(kind, members, in_flight);
                let name = kind.join(" ");
                println!("{members:>7} {in_flight:>10} {figure:>12.0} {name:>12} {:>7.2}", figure / raw);
            }
        }
    }
}

fn fan_out_figure(kind: &[&str], members: usize, in_flight: usize) -> f64 {
    let server = Server::start(kind);
    let mut room = client::Room::join(&server, members);
    // Enough messages for about a second of server CPU.
    let messages = (100_000 / members).max(20).next_multiple_of(in_flight);
    room.run(messages / 4, in_flight);
    median(ROUNDS, || {
        if kind[0] != "raw" {
            room.breathe();
        }
        let before = server.cpu();
        room.run(messages, in_flight);
        (messages * members) as f64 / (server.cpu() - before)
    })
}

/// Round trips per second of server CPU, 50 clients.
fn echo() {
    println!("echo: round trips per second of server CPU (50 clients, 100 bytes)");
    for kind in [&["raw", "plain"][..], &["echo"]] {
        let server = Server::start(kind);
        let mut clients: Vec<_> = (0..50).map(|_| client::Room::join(&server, 1)).collect();
        let figure = median(ROUNDS, || {
            let before = server.cpu();
            for _ in 0..400 {
                client::round_trips(&mut clients);
            }
            (400 * clients.len()) as f64 / (server.cpu() - before)
        });
        println!("{:>12} {figure:>12.0}", kind.join(" "));
    }
}

/// Handshakes per second of server CPU.
fn connect() {
    println!("connect: handshakes per second of server CPU");
    for kind in [&["raw", "plain"][..], &["echo"], &["forwarded"]] {
        let server = Server::start(kind);
        let figure = median(ROUNDS, || {
            let before = server.cpu();
            for _ in 0..4000 {
                drop(client::Socket::open(&server));
            }
            4000.0 / (server.cpu() - before)
        });
        println!("{:>12} {figure:>12.0}", kind.join(" "));
    }
}

/// Memory of 10,000 idle members.
fn idle() {
    println!("idle: bytes of server memory (Pss) per member, 10,000 members");
    for (kind, deflate) in [("echo", false), ("forwarded", false), ("forwarded", true)] {
        let server = Server::start(&[kind]);
        drop(client::Socket::open(&server));
        let before = server.memory();
        let sockets: Vec<_> = (0..10_000).map(|_| client::Socket::open_with(&server, deflate)).collect();
        let each = (server.memory() - before) * 1024 / sockets.len();
        let name = if deflate { format!("{kind} deflate") } else { kind.to_owned() };
        println!("{name:>20} {each:>8}");
    }
}
