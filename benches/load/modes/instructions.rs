//! Instructions of user code per delivery, counted by callgrind: a figure that a busy machine does not touch.
//!
//! `instructions` compares with what `benches/instructions.md` has recorded and fails when a delivery costs a tenth
//! more; `record-instructions` writes that file anew, which belongs into a commit that says why.

use std::path::PathBuf;
use std::process::Command;

use crate::client::Room;
use crate::measure::Server;

/// How much more than recorded a delivery may cost.
const TOLERANCE: f64 = 1.10;
const MEMBERS: usize = 100;
const FEW: usize = 40;
const MANY: usize = 440;

const CASES: [(&str, &[&str], usize); 4] = [
    ("forwarded, one in flight", &["solent", "signed", "forwarded"], 1),
    ("forwarded, four in flight", &["solent", "signed", "forwarded"], 4),
    ("handled, one in flight", &["solent", "signed", "handled"], 1),
    ("handled, four in flight", &["solent", "signed", "handled"], 4),
];

pub fn check() {
    let recorded = std::fs::read_to_string(file()).expect("benches/instructions.md");
    let mut dearer = false;
    for (name, kind, in_flight) in CASES {
        let now = per_delivery(kind, in_flight);
        let before = recorded_figure(&recorded, name);
        println!("{name:<28} {now:>8.0} instructions per delivery, recorded {before:.0}");
        dearer |= now > before * TOLERANCE;
    }
    if dearer {
        eprintln!("a delivery costs over a tenth more than benches/instructions.md says");
        std::process::exit(1);
    }
}

pub fn record() {
    let mut text = format!(
        "# Instructions per delivery\n\nUser code only, in a room of {MEMBERS}, counted by callgrind. Compiler: {}.\n\
         Checked by `cargo bench --bench load -- instructions`, recorded by `… -- record-instructions`.\n\n\
         | case | instructions |\n|---|---|\n",
        compiler()
    );
    for (name, kind, in_flight) in CASES {
        text.push_str(&format!("| {name} | {:.0} |\n", per_delivery(kind, in_flight)));
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

/// The difference between a long and a short run is what the deliveries cost.
fn per_delivery(kind: &[&str], in_flight: usize) -> f64 {
    let (few, many) = (instructions(kind, in_flight, FEW), instructions(kind, in_flight, MANY));
    (many - few) / ((MANY - FEW) * MEMBERS) as f64
}

fn instructions(kind: &[&str], in_flight: usize, messages: usize) -> f64 {
    let output = std::env::temp_dir().join(format!("solent-callgrind-{}", std::process::id()));
    let server = Server::start_counted(kind, &output);
    let mut room = Room::join(&server, kind, 1, MEMBERS);
    room.run(messages, in_flight, &mut Vec::new());
    server.terminate();
    let text = std::fs::read_to_string(&output).expect("callgrind's output");
    let _ = std::fs::remove_file(&output);
    let summary = text.lines().find_map(|line| line.strip_prefix("summary: "));
    summary.and_then(|total| total.trim().parse().ok()).expect("callgrind's summary")
}
