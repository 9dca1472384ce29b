//! Instructions of user code per delivery and per handshake, counted by callgrind: a figure that a busy machine does
//! not touch. And the memory of idle members, which it does not touch either.
//!
//! `instructions` compares with what `benches/instructions.md` has recorded and fails when something costs a tenth
//! more; `record-instructions` writes that file anew, which belongs into a commit that says why.

use std::path::PathBuf;
use std::process::Command;

use super::idle;
use crate::client::{Room, Socket, Visitor};
use crate::measure::Server;

/// How much more than recorded a delivery may cost.
const TOLERANCE: f64 = 1.10;
const MEMBERS: usize = 100;
const FEW: usize = 40;
const MANY: usize = 440;

const CASES: [(&str, &[&str], Work); 7] = [
    ("forwarded, one in flight", &["solent", "signed", "forwarded"], Work::Deliveries { in_flight: 1 }),
    ("forwarded, four in flight", &["solent", "signed", "forwarded"], Work::Deliveries { in_flight: 4 }),
    ("handled, one in flight", &["solent", "signed", "handled"], Work::Deliveries { in_flight: 1 }),
    ("handled, four in flight", &["solent", "signed", "handled"], Work::Deliveries { in_flight: 4 }),
    ("handshake, anonymous", &["solent", "anonymous", "forwarded"], Work::Handshakes),
    ("handshake, signed cookie", &["solent", "signed", "forwarded"], Work::Handshakes),
    ("handshake, SQLite session", &["solent", "database", "forwarded"], Work::Handshakes),
];

/// What is counted.
#[derive(Clone, Copy)]
enum Work {
    /// To members of a room.
    Deliveries { in_flight: usize },
    /// Opened and closed again, one after the other.
    Handshakes,
}

pub fn check() {
    let recorded = std::fs::read_to_string(file()).expect("benches/instructions.md");
    let mut dearer = false;
    for (name, kind, work) in CASES {
        let now = work.instructions(kind);
        let before = recorded_figure(&recorded, name);
        println!("{name:<28} {now:>8.0} instructions, recorded {before:.0}");
        dearer |= now > before * TOLERANCE;
    }
    if dearer {
        eprintln!("something costs over a tenth more than benches/instructions.md says");
    }
    if !idle::holds() || dearer {
        std::process::exit(1);
    }
}

pub fn record() {
    let mut text = format!(
        "# Instructions per delivery and per handshake\n\nUser code only, in a room of {MEMBERS}, counted by callgrind. Compiler: {}.\n\
         Checked by `cargo bench --bench load -- instructions`, recorded by `… -- record-instructions`.\n\n\
         | case | instructions |\n|---|---|\n",
        compiler()
    );
    for (name, kind, work) in CASES {
        text.push_str(&format!("| {name} | {:.0} |\n", work.instructions(kind)));
    }
    print!("{text}");
    std::fs::write(file(), text).expect("benches/instructions.md");
}

fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("benches/instructions.md")
}

fn recorded_figure(recorded: &str, name: &str) -> f64 {
    let row = recorded.lines().find_map(|line| line.strip_prefix(&format!("| {name} | ")));
    row.and_then(|rest| rest.trim_end_matches([' ', '|']).parse().ok())
        .unwrap_or_else(|| panic!("benches/instructions.md has no row {name:?}"))
}

fn compiler() -> String {
    let output = Command::new("rustc").arg("--version").output().expect("rustc");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

impl Work {
    /// The difference between a long and a short run is what the work costs.
    fn instructions(self, kind: &[&str]) -> f64 {
        let (few, many) = (self.counted(kind, FEW), self.counted(kind, MANY));
        let pieces = match self {
            Self::Deliveries { .. } => (MANY - FEW) * MEMBERS,
            Self::Handshakes => MANY - FEW,
        };
        (many - few) / pieces as f64
    }

    fn counted(self, kind: &[&str], times: usize) -> f64 {
        let output = std::env::temp_dir().join(format!("solent-callgrind-{}", std::process::id()));
        let server = Server::start_counted(kind, &output);
        match self {
            Self::Deliveries { in_flight } => {
                Room::join(&server, kind, 1, MEMBERS).run(times, in_flight, &mut Vec::new());
            }
            Self::Handshakes => {
                let visitor = Visitor::of(&server, kind);
                (0..times).for_each(|_| drop(Socket::open(&visitor, 1)));
            }
        }
        server.terminate();
        let text = std::fs::read_to_string(&output).expect("callgrind's output");
        let _ = std::fs::remove_file(&output);
        let summary = text.lines().find_map(|line| line.strip_prefix("summary: "));
        summary.and_then(|total| total.trim().parse().ok()).expect("callgrind's summary")
    }
}
