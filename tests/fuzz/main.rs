//! The fuzzers' functions on the stable toolchain: their corpora replayed, and any bytes by proptest.
//!
//! `cargo +nightly fuzz run NAME` looks for new inputs; what it finds is worth a file in `fuzz/corpus/NAME`.

use std::path::PathBuf;

use proptest::prelude::*;
use proptest::sample::Index;
use solent::testing::fuzz;

fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder: PathBuf = [env!("CARGO_MANIFEST_DIR"), "fuzz", "corpus", name].iter().collect();
    let files = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    files.map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect()
}

/// One change to an input.
#[derive(Debug, Clone)]
enum Change {
    Set(Index, u8),
    Insert(Index, u8),
    Remove(Index),
    Cut(Index),
    Repeat(Index, u8),
}

fn change() -> impl Strategy<Value = Change> {
    let odd =
        prop_oneof![any::<u8>(), prop::sample::select(&b"\0\x7f\x80\xff%<>(){}[]\"\\;=:,.'\n\r\t0-"[..])];
    let at = any::<Index>;
    prop_oneof![
        3 => (at(), odd.clone()).prop_map(|(at, byte)| Change::Set(at, byte)),
        3 => (at(), odd).prop_map(|(at, byte)| Change::Insert(at, byte)),
        2 => at().prop_map(Change::Remove),
        1 => at().prop_map(Change::Cut),
        1 => (at(), 1..20_u8).prop_map(|(at, times)| Change::Repeat(at, times)),
    ]
}

fn changed(mut input: Vec<u8>, changes: &[Change]) -> Vec<u8> {
    for change in changes {
        let length = input.len();
        match change {
            Change::Insert(at, byte) => input.insert(at.index(length + 1), *byte),
            _ if input.is_empty() => {}
            Change::Set(at, byte) => input[at.index(length)] = *byte,
            Change::Remove(at) => drop(input.remove(at.index(length))),
            Change::Cut(at) => input.truncate(at.index(length)),
            Change::Repeat(at, times) => {
                let tail = input[at.index(length)..].repeat(usize::from(*times));
                input.extend(tail.into_iter().take(10_000));
            }
        }
    }
    input
}

/// Replays a corpus, then gives the function its inputs changed, and any bytes.
fn stands(name: &str, least: usize, cases: u32, function: fn(&[u8])) {
    let corpus = corpus(name);
    assert!(corpus.len() >= least, "{} inputs for {name}", corpus.len());
    for input in &corpus {
        function(input);
    }
    let known = (prop::sample::select(corpus), prop::collection::vec(change(), 0..6))
        .prop_map(|(input, changes)| changed(input, &changes));
    let any = prop::collection::vec(any::<u8>(), 0..200);
    let inputs = prop_oneof![4 => known, 1 => any];
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let outcome = proptest::test_runner::TestRunner::new(config).run(&inputs, |input| {
        function(&input);
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{name}: {error}");
    }
}

/// A function with the least size of its corpus, and how many inputs proptest makes for it.
macro_rules! fuzzed {
    ($($name:ident $least:literal $cases:literal),* $(,)?) => {
        $(#[test]
        fn $name() {
            stands(stringify!($name), $least, $cases, fuzz::$name);
        })*
    };
}

fuzzed! {
    frames 20 2_000,
    deflate 6 500,
    handshake 6 2_000,
    cookies 4 2_000,
    sessions 6 2_000,
    patterns 9 1_000,
    config 5 200,
    redis_core 7 2_000,
    redis_pubsub 7 2_000,
}
