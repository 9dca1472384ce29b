//! The drawing in ARCHITECTURE.md: a room uses what stands downstream of it, and the nouns that others lend.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The rooms, from the one that may use all others to the one that uses none.
const ROOMS: [&str; 13] = [
    "testing",
    "cli",
    "gateway",
    "server",
    "routing",
    "http",
    "middleware",
    "auth",
    "metrics",
    "websocket",
    "consumer",
    "layers",
    "trace_context",
];

/// What a room lends to those downstream: words that both speak, not its machinery. Nothing is lent by rooms that are
/// not here.
const LENT: [(&str, &[&str]); 5] = [
    ("routing", &["nearest", "Names", "ReverseError", "RouteInfo", "Routes", "is_csrf_exempt"]),
    (
        "http",
        &[
            "Body",
            "BodyError",
            "BoxedView",
            "CsrfToken",
            "HttpError",
            "IntoResponse",
            "IntoView",
            "Request",
            "Response",
            "Watch",
            "status",
            "strip_body",
        ],
    ),
    ("middleware", &["CookieError", "Cookies", "SameSite", "SetCookie", "is_blank", "urlsplit"]),
    ("auth", &["Lease", "User", "follow", "status_of"]),
    (
        "websocket",
        &[
            "Acceptance",
            "Accepted",
            "CloseCode",
            "CloseFrame",
            "Connection",
            "Denial",
            "Finished",
            "Message",
            "Refusal",
            "SocketHandle",
            "Transport",
            "decode_json",
            "deflate",
            "frame",
            "opening",
            "outbox",
        ],
    ),
];

/// Everything that a source names by its path from the crate: the room, and the item in it.
fn named(source: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (at, _) in source.match_indices("crate::") {
        let whole =
            source[..at].chars().next_back().is_none_or(|before| !before.is_alphanumeric() && before != '$');
        if whole {
            paths(&source[at + "crate::".len()..], &mut Vec::new(), &mut found);
        }
    }
    found
}

/// Reads one path, `a::b` or `a::{b, c::d}`, and says what is behind it.
fn paths<'a>(text: &'a str, outer: &mut Vec<&'a str>, found: &mut Vec<(String, String)>) -> &'a str {
    let mut rest = text.trim_start();
    let before = outer.len();
    if let Some(mut list) = rest.strip_prefix('{') {
        loop {
            list = paths(list, outer, found).trim_start();
            match list.strip_prefix(',') {
                Some(more) => list = more,
                None => break,
            }
        }
        return list.trim_start().strip_prefix('}').unwrap_or(list);
    }
    let length = rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(rest.len());
    if length == 0 {
        return rest;
    }
    outer.push(&rest[..length]);
    rest = &rest[length..];
    match rest.strip_prefix("::") {
        Some(inner) => rest = paths(inner, outer, found),
        None => {
            let item = outer.get(1).copied().unwrap_or_default();
            found.push((outer[0].to_owned(), item.to_owned()));
        }
    }
    // `use crate::a::{self as b}` and casts.
    if let Some(renamed) = rest.strip_prefix(" as ") {
        let length = renamed.find(|letter: char| !letter.is_alphanumeric() && letter != '_');
        rest = &renamed[length.unwrap_or(renamed.len())..];
    }
    outer.truncate(before);
    rest
}

fn sources(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            into.push(path);
        }
    }
}

fn place(room: &str) -> Option<usize> {
    ROOMS.iter().position(|known| *known == room)
}

/// What one source of a room may not name.
fn upward(room: &str, source: &str) -> Vec<String> {
    let Some(own) = place(room) else { return Vec::new() };
    let code: String =
        source.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let lent =
        |room: &str, item: &str| LENT.iter().any(|(lender, items)| *lender == room && items.contains(&item));
    let named = named(&code).into_iter();
    named
        .filter(|(other, item)| place(other).is_some_and(|other| other < own) && !lent(other, item))
        .map(|(other, item)| format!("{other}::{item}"))
        .collect()
}

#[test]
fn no_room_uses_what_stands_upstream_of_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&folder, &mut files);
    let (mut rooms, mut wrong) = (BTreeSet::new(), Vec::new());
    for file in &files {
        let inside = file.strip_prefix(&folder).expect("a file of the folder");
        let room = inside.iter().next().and_then(|room| room.to_str()).expect("a room");
        if inside.iter().count() > 1 {
            rooms.insert(room.to_owned());
            let source = std::fs::read_to_string(file).expect("a source");
            wrong.extend(
                upward(room, &source).iter().map(|item| format!("src/{} uses {item}", inside.display())),
            );
        }
    }
    assert_eq!(
        rooms,
        ROOMS.iter().map(|room| (*room).to_owned()).collect(),
        "each room has its place in the order"
    );
    assert!(wrong.is_empty(), "upstream of where they stand:\n{}", wrong.join("\n"));
}

#[test]
fn an_upward_use_is_found_however_it_is_written() {
    let wrong = |room, source| upward(room, source);
    assert_eq!(wrong("layers", "use crate::consumer::Context;"), ["consumer::Context"]);
    assert_eq!(wrong("websocket", "fn f() { crate::testing::Witness::tell(); }"), ["testing::Witness"]);
    assert_eq!(
        wrong("consumer", "use crate::{layers::Event, server::{Running, worker::Crew}, Scope};"),
        ["server::Running", "server::worker"]
    );
    assert_eq!(wrong("consumer", "use crate::websocket::{self as own, Message};"), ["websocket::self"]);
    assert_eq!(wrong("consumer", "use crate::websocket::Message;"), [""; 0], "lent");
    assert_eq!(wrong("server", "// see crate::testing::X\nuse crate::consumer::Context;"), [""; 0]);
}
