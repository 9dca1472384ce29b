//! Names: every case of the vectors by the lenient reader, and the strict rule for names that are made here.

use serde::Deserialize;
use solent::layers::{ChannelName, GroupName, names};

#[derive(Deserialize)]
struct Case {
    name: String,
    channel: bool,
    channel_for_receive: bool,
    group: bool,
    non_local: String,
}

#[derive(Deserialize)]
struct Vectors {
    cases: Vec<Case>,
}

fn cases() -> Vec<Case> {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/names.json");
    let vectors: Vectors =
        serde_json::from_str(&std::fs::read_to_string(file).expect("the file is there")).expect("it parses");
    vectors.cases
}

#[test]
fn the_lenient_reader_agrees_with_python_on_every_case() {
    let mut ran = 0;
    for case in cases() {
        let name = &case.name;
        let channel = ChannelName::parse(name);
        assert_eq!(channel.is_ok(), case.channel, "channel {name:?}");
        assert_eq!(
            channel.is_ok_and(|name| name.is_receivable()),
            case.channel_for_receive,
            "receive {name:?}"
        );
        assert_eq!(GroupName::parse(name).is_ok(), case.group, "group {name:?}");
        assert_eq!(names::non_local(name), case.non_local, "non-local {name:?}");
        ran += 1;
    }
    assert_eq!(ran, 30);
}

#[test]
fn the_strict_rule_is_the_lenient_one_within_ascii_and_without_a_final_newline() {
    for case in cases() {
        let ascii = case.name.is_ascii() && !case.name.ends_with('\n');
        assert_eq!(ChannelName::new(&case.name).is_ok(), case.channel && ascii, "channel {:?}", case.name);
        assert_eq!(GroupName::new(&case.name).is_ok(), case.group && ascii, "group {:?}", case.name);
    }
}

#[test]
fn length_counts_characters_and_ninety_nine_is_the_longest() {
    let digits = "\u{661}".repeat(99);
    assert!(GroupName::parse(&digits).is_ok());
    assert!(GroupName::parse(format!("{digits}a")).is_err());
    assert!(GroupName::new("a".repeat(99)).is_ok());
    assert!(GroupName::new("a".repeat(100)).is_err());
}

#[test]
fn an_error_says_what_was_expected_and_found() {
    let error = GroupName::new("chat 7").expect_err("a blank");
    assert_eq!(
        error.to_string(),
        "group name \"chat 7\": expected 1 to 99 of the characters a-z A-Z 0-9 - _ ."
    );
}
