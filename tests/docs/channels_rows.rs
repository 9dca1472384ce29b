//! Every row of the checklist of what Channels, channels_redis and daphne do has a test named after it, or stands in
//! “Coming from Channels” with the reason why it differs.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The checklist's sections with the numbers of their last rows.
const SECTIONS: &[(char, u32)] = &[
    ('a', 16), // routing
    ('b', 15), // scope, events, consumers
    ('c', 12), // WebSocket consumers
    ('d', 7),  // the HTTP consumer
    ('e', 21), // middleware, sessions, auth, security
    ('f', 13), // channel layers
    ('g', 5),  // exceptions
    ('h', 8),  // workers, database, utilities
    ('i', 9),  // testing
    ('j', 15), // daphne: command line
    ('k', 20), // daphne: behaviour
    ('l', 7),  // the development server
];

/// All Rust files below a folder.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("it can be read").path();
        match path.extension().and_then(|extension| extension.to_str()) {
            _ if path.is_dir() => sources(&path, found),
            Some("rs") => found.push(path),
            _ => {}
        }
    }
}

/// `b13` of a function called `b13_…` or `b13_and_b14_…`.
fn rows_of_name(name: &str) -> impl Iterator<Item = String> {
    let is_row = |part: &&str| {
        let mut characters = part.chars();
        matches!(characters.next(), Some('a'..='l'))
            && !part[1..].is_empty()
            && characters.all(|c| c.is_ascii_digit())
    };
    name.split('_').take_while(move |part| is_row(part) || *part == "and").filter(is_row).map(str::to_owned)
}

/// The rows that tests are named after.
fn tested() -> BTreeSet<String> {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests"), &mut files);
    let mut rows = BTreeSet::new();
    for file in files {
        let text = fs::read_to_string(file).expect("Rust is text");
        for line in text.lines() {
            if let Some((_, name)) = line.split_once("fn ") {
                rows.extend(rows_of_name(name.split(['(', '<']).next().unwrap_or_default()));
            }
        }
    }
    rows
}

/// The rows in the first column of the page's tables: `A7`, `B5, B12`, `F1–F3`.
fn documented() -> BTreeSet<String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/coming-from-channels.md");
    let page = fs::read_to_string(page).expect("the page is there");
    let mut rows = BTreeSet::new();
    for line in page.lines().filter(|line| line.starts_with("| ")) {
        let first = line.trim_start_matches("| ").split('|').next().unwrap_or_default();
        rows.extend(first.split(',').map(|row| row.trim().to_lowercase()));
    }
    rows
}

#[test]
fn every_row_of_channels_is_tested_or_explained() {
    let (tested, documented) = (tested(), documented());
    let all =
        SECTIONS.iter().flat_map(|(section, last)| (1..=*last).map(move |row| format!("{section}{row}")));
    let all: Vec<_> = all.collect();
    assert_eq!(all.len(), 148);
    let missing: Vec<_> =
        all.iter().filter(|row| !tested.contains(*row) && !documented.contains(*row)).collect();
    assert!(missing.is_empty(), "neither tested nor explained: {missing:?}");
}
