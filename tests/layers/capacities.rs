//! Capacities by pattern: the vectors' cases, and globs as Python's `fnmatch` reads them.

use serde_json::Value;
use solent::layers::Capacities;

#[test]
fn capacities_by_pattern_agree_with_python_on_every_case() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/names.json");
    let vectors: Value =
        serde_json::from_str(&std::fs::read_to_string(file).expect("the file is there")).expect("it parses");
    let mut capacities = Capacities::default();
    for entry in vectors["capacity_config"].as_array().expect("a list") {
        let pattern = entry[1].as_str().unwrap_or_default();
        let capacity = usize::try_from(entry[2].as_u64().expect("a number")).expect("small");
        capacities = match entry[0].as_str().expect("a kind") {
            "glob" => capacities.glob(pattern, capacity).expect("a glob"),
            "regex" => capacities.regex(pattern, capacity).expect("a regex"),
            _ => capacities.with_default(capacity),
        };
    }
    let mut ran = 0;
    for case in vectors["capacities"].as_array().expect("a list") {
        let channel = case["channel"].as_str().expect("text");
        assert_eq!(capacities.of(channel) as u64, case["capacity"].as_u64().expect("a number"), "{channel}");
        ran += 1;
    }
    assert_eq!(ran, 9);
}

#[test]
fn globs_are_read_as_fnmatch_does() {
    for (pattern, name, matches) in [
        ("*", "anything!at.all", true),
        ("a?c", "abc", true),
        ("a?c", "ac", false),
        ("[ab]x", "bx", true),
        ("[!ab]x", "bx", false),
        ("[!ab]x", "cx", true),
        ("[a-c]x", "bx", true),
        ("[]a]x", "]x", true),
        ("[^a]x", "^x", true),
        ("a[b", "a[b", true),
        ("a.c", "abc", false),
        ("A", "a", false),
        ("é*", "ete", false),
        ("é*", "éa", true),
    ] {
        let capacities = Capacities::new(0).glob(pattern, 1).expect("a glob");
        assert_eq!(capacities.of(name) == 1, matches, "{pattern} {name}");
    }
}

#[test]
fn the_first_pattern_that_matches_decides_and_a_bad_one_is_an_error() {
    let capacities = Capacities::new(1).glob("a*", 2).expect("a glob").regex("ab", 3).expect("a regex");
    assert_eq!((capacities.of("abc"), capacities.of("b")), (2, 1));
    assert!(Capacities::new(1).regex("(", 2).is_err());
    assert!(Capacities::new(1).glob("[z-a]", 2).is_err());
}
