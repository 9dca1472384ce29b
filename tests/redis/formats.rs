//! Messages as bytes: every captured vector, hostile input, and round trips.

use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;
use solent::layers::redis::Ring;
use solent::layers::redis::format::{
    Codec, Fernet, FernetError, FormatError, MessageSerializer, Serializers,
};
use solent::layers::{Key, Map, Value};

use crate::vectors::{at, bytes, file, list, map, number, texts};

fn keys(json: &Value) -> Option<Fernet> {
    (!list(json).is_empty()).then(|| Fernet::new(texts(json)).expect("keys"))
}

fn codec(format: &str) -> Codec {
    Codec::new(Serializers::default().get(format).expect("registered"))
}

fn codec_of(case: &Value) -> Codec {
    let codec = codec(at(case, "format").as_str().expect("a name"));
    codec.encrypted(keys(at(case, "keys")), None).random_prefix(number(at(case, "prefix")))
}

fn is_null(json: &Value) -> bool {
    json == &Value::Null
}

#[test]
fn every_captured_message_decodes_to_what_python_reads() {
    let (mut decoded, mut refused, mut unwritable) = (0, 0, 0);
    for case in list(at(&file("serializers"), "serializers")) {
        if is_null(at(case, "bytes")) {
            assert!(!is_null(at(case, "error")), "{case:?}");
            unwritable += 1;
            continue;
        }
        let found = codec_of(case).decode(&bytes(at(case, "bytes")));
        if is_null(at(case, "decode_error")) {
            assert_eq!(found, Ok(map(at(case, "decoded"))), "{case:?}");
            decoded += 1;
        } else {
            assert!(found.is_err(), "{case:?}");
            refused += 1;
        }
    }
    assert_eq!((decoded, refused, unwritable), (64, 4, 4));
}

#[test]
fn every_captured_message_is_written_byte_for_byte() {
    let (mut written, mut compared, mut refused) = (0, 0, 0);
    for case in list(at(&file("serializers"), "serializers")) {
        if !is_null(at(case, "decode_error")) {
            continue;
        }
        let codec = codec_of(case);
        let Ok(framed) = codec.encode(&map(at(case, "message"))) else {
            assert!(!is_null(at(case, "error")), "{case:?}");
            refused += 1;
            continue;
        };
        assert_eq!(codec.decode(&framed.clone().into()), Ok(map(at(case, "decoded"))), "{case:?}");
        written += 1;
        if !is_null(at(case, "body")) {
            assert_eq!(
                Bytes::from(framed).slice(number(at(case, "prefix"))..),
                bytes(at(case, "body")),
                "{case:?}"
            );
            compared += 1;
        }
    }
    assert_eq!((written, compared, refused), (64, 32, 4));
}

#[test]
fn fernet_tokens_of_python_open_with_any_of_the_receivers_keys() {
    let mut ran = 0;
    for case in list(at(&file("serializers"), "fernet")) {
        let token = bytes(at(case, "bytes"));
        let receiver = codec("msgpack").encrypted(keys(at(case, "receiver_keys")), None);
        assert_eq!(receiver.decode(&token), Ok(map(at(case, "message"))), "{case:?}");
        let stranger = codec("msgpack").encrypted(Fernet::new(["other"]).ok(), None);
        assert_eq!(stranger.decode(&token), Err(FormatError::Fernet(FernetError::Invalid)));
        ran += 1;
    }
    assert_eq!(ran, 4);
}

#[test]
fn a_token_is_refused_by_its_age_only_where_ages_are_checked() {
    let fernet = Fernet::new(["key"]).expect("a key");
    let (token, minute) = (fernet.encrypt(b"x", 1_000), Some(Duration::from_secs(60)));
    for (now, expected) in [
        (1_000, Ok(Bytes::from("x"))),
        (1_060, Ok(Bytes::from("x"))),
        (1_061, Err(FernetError::Expired)),
        (940, Ok(Bytes::from("x"))),
        (939, Err(FernetError::Expired)),
    ] {
        assert_eq!(fernet.decrypt(&token, now, minute), expected, "{now}");
        assert_eq!(fernet.decrypt(&token, now, None), Ok(Bytes::from("x")), "{now}");
    }
}

#[test]
fn a_damaged_token_is_refused_at_every_byte() {
    let fernet = Fernet::new(["new", "old"]).expect("keys");
    let token = Fernet::new(["old"]).expect("a key").encrypt(b"secret", 0);
    assert_eq!(fernet.decrypt(&token, 0, None), Ok(Bytes::from("secret")));
    for at in 0..token.len() {
        let mut damaged = token.clone();
        damaged[at] = if damaged[at] == b'A' { b'B' } else { b'A' };
        if damaged != token {
            assert_eq!(fernet.decrypt(&damaged, 0, None), Err(FernetError::Invalid), "byte {at}");
        }
        assert!(fernet.decrypt(&token[..at], 0, None).is_err());
    }
}

#[test]
fn no_key_is_an_error_and_keys_do_not_print() {
    assert_eq!(Fernet::new(Vec::<String>::new()).map(drop), Err(FernetError::NoKeys));
    assert_eq!(format!("{:?}", Fernet::new(["s3cret"]).expect("a key")), "Fernet(1 keys)");
}

#[test]
fn names_belong_to_the_hosts_that_python_chooses() {
    let mut ran = 0;
    for case in list(at(&file("consistent_hash"), "names")) {
        let name = at(case, "name").as_str().expect("text");
        for (size, expected) in list(at(case, "choice")).iter().enumerate() {
            assert_eq!(Ring::new(size + 1).index(name), number(expected), "{name} {size}");
            ran += 1;
        }
    }
    assert_eq!(ran, 1_000);
}

fn unpack(bytes: &[u8]) -> Result<Value, FormatError> {
    Serializers::default().get("msgpack").expect("registered").deserialize(&Bytes::copy_from_slice(bytes))
}

#[test]
fn hostile_msgpack_is_refused_without_harm() {
    let mut deep = vec![0x91; 100_000];
    deep.push(0xc0);
    for (what, bytes) in [
        ("nothing", &b""[..]),
        ("a trailing byte", b"\x01\x01"),
        ("text that is no UTF-8", b"\xa1\xff"),
        ("an integer key", b"\x81\x01\x01"),
        ("a nil key", b"\x81\xc0\x01"),
        ("an array key", b"\x81\x90\x01"),
        ("an extension", b"\xd4\x01\x00"),
        ("a timestamp", b"\xd6\xff\x00\x00\x00\x00"),
        ("the unused marker", b"\xc1"),
        ("a cut text", b"\xd9\x05abc"),
        ("a cut float", b"\xcb\x00"),
        ("an array of four thousand million", b"\xdd\xff\xff\xff\xff"),
        ("a map of four thousand million", b"\xdf\xff\xff\xff\xff"),
        ("bytes of four thousand million", b"\xc6\xff\xff\xff\xff"),
        ("too deep", &deep),
    ] {
        assert!(matches!(unpack(bytes), Err(FormatError::Read { .. })), "{what}: {:?}", unpack(bytes));
    }
    assert_eq!(
        unpack(b"\x82\xa1a\x01\xa1a\x02"),
        Ok(Value::Map(Map::from_iter([("a".into(), Value::I64(2))])))
    );
    assert_eq!(unpack(b"\xca\x3f\x80\x00\x00"), Ok(Value::F64(1.0)));
    assert_eq!(unpack(b"\xd3\xff\xff\xff\xff\xff\xff\xff\xff"), Ok(Value::I64(-1)));
}

fn parse(text: &str) -> Result<Value, FormatError> {
    Serializers::default()
        .get("json")
        .expect("registered")
        .deserialize(&Bytes::copy_from_slice(text.as_bytes()))
}

#[test]
fn json_is_read_as_python_reads_it() {
    assert!(matches!(parse("NaN"), Ok(Value::F64(number)) if number.is_nan()));
    assert_eq!(
        parse(" [Infinity, -Infinity] "),
        Ok(Value::Array([f64::INFINITY, f64::NEG_INFINITY].map(Value::F64).to_vec()))
    );
    assert_eq!(parse("1e999"), Ok(Value::F64(f64::INFINITY)));
    assert_eq!(parse("-0"), Ok(Value::I64(0)));
    assert_eq!(parse("18446744073709551615"), Ok(Value::U64(u64::MAX)));
    assert_eq!(parse(r#""\ud83d\ude00 \u00e9 \n""#), Ok(Value::from("😀 é \n")));
    assert_eq!(parse(r#"{"a": 1, "a": 2}"#), Ok(Value::Map(Map::from_iter([("a".into(), Value::I64(2))]))));
    for bad in [
        "",
        "01",
        "+1",
        "1.",
        ".5",
        "1e",
        "--1",
        "nul",
        "[1,]",
        "{\"a\":1,}",
        "{1:2}",
        "[1 2]",
        "\"a",
        "\"\\x\"",
        "1 2",
        "\"\n\"",
        "\"\\ud800\"",
        "18446744073709551616",
        "'a'",
        "\u{feff}1",
        "[",
        "{\"a\"",
        "infinity",
    ] {
        assert!(parse(bad).is_err(), "{bad:?} was read as {:?}", parse(bad));
    }
    assert!(parse(&"[".repeat(100_000)).is_err());
}

#[test]
fn what_is_no_map_too_large_or_too_short_is_refused() {
    let codec = codec("msgpack").max_bytes(50);
    assert_eq!(codec.decode(&Bytes::from_static(b"\x01")), Err(FormatError::NotAMap { found: "an integer" }));
    let large = Map::from_iter([("x".into(), Value::from("y".repeat(60)))]);
    assert!(matches!(codec.encode(&large), Err(FormatError::TooLarge { limit: 50, .. })));
    assert!(matches!(codec.decode(&vec![0; 51].into()), Err(FormatError::TooLarge { found: 51, limit: 50 })));
    let prefixed = codec.clone().random_prefix(12);
    assert_eq!(
        prefixed.decode(&Bytes::from_static(b"abc")),
        Err(FormatError::NoPrefix { found: 3, expected: 12 })
    );
    let message = Map::from_iter([("a".into(), Value::I64(1))]);
    assert_ne!(prefixed.encode(&message), prefixed.encode(&message), "the prefix is random");
    let deep = (0..200).fold(Value::Null, |inner, _| Value::Array(vec![inner]));
    for format in ["msgpack", "json"] {
        let deep = Map::from_iter([("deep".into(), deep.clone())]);
        assert!(matches!(self::codec(format).encode(&deep), Err(FormatError::Write { .. })), "{format}");
    }
}

#[test]
fn an_unknown_format_names_the_registered_ones_and_applications_register_their_own() {
    struct Upper;
    impl MessageSerializer for Upper {
        fn serialize(&self, _: &Map) -> Result<Vec<u8>, FormatError> {
            Ok(b"UPPER".to_vec())
        }
        fn deserialize(&self, _: &Bytes) -> Result<Value, FormatError> {
            Ok(Value::Map(Map::new()))
        }
    }
    let error = Serializers::default().get("yaml").map(drop).expect_err("unknown");
    assert_eq!(error.to_string(), "unknown serializer format \"yaml\"; registered: json, msgpack");
    let own = Serializers::default().with("upper", Upper).get("upper").expect("registered");
    assert_eq!(Codec::new(own).encode(&Map::new()).expect("writes"), b"UPPER");
}

fn values() -> impl Strategy<Value = Value> {
    let leaves = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_filter("NaN is no equal", |float| !float.is_nan()).prop_map(Value::F64),
        any::<String>().prop_map(Value::Text),
    ];
    leaves.prop_recursive(5, 60, 6, |inner| {
        let entries = prop::collection::vec((any::<String>().prop_map(Key::Text), inner.clone()), 0..6);
        prop_oneof![
            prop::collection::vec(inner, 0..6).prop_map(Value::Array),
            entries.prop_map(|entries| Value::Map(entries.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_written_reads_back_the_same(value in values(), bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut message = Map::from_iter([("value".into(), value)]);
        let codecs = ["json", "msgpack"].map(|format| {
            codec(format).random_prefix(3).encrypted(Fernet::new(["a", "b"]).ok(), Some(Duration::from_secs(60)))
        });
        let framed = codecs[0].encode(&message).expect("writes");
        prop_assert_eq!(codecs[0].decode(&framed.into()).expect("reads"), message.clone());
        message.insert("bytes", Bytes::from(bytes));
        let framed = codecs[1].encode(&message).expect("writes");
        prop_assert_eq!(codecs[1].decode(&framed.into()).expect("reads"), message);
    }

    #[test]
    fn no_bytes_make_a_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for format in ["json", "msgpack"] {
            let _ = codec(format).decode(&bytes.clone().into());
            let _ = codec(format).encrypted(Fernet::new(["a"]).ok(), None).decode(&bytes.clone().into());
        }
    }
}
