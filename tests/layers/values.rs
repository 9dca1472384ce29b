//! Values: round trips through serde and JSON, and what has no JSON form.

use std::collections::BTreeMap;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;
use solent::layers::{JsonError, Key, Map, Value};

fn scalars() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_filter("NaN is no equal", |float| !float.is_nan()).prop_map(Value::F64),
        any::<String>().prop_map(Value::Text),
    ]
}

fn values(leaves: impl Strategy<Value = Value> + 'static, keys: BoxedStrategy<Key>) -> BoxedStrategy<Value> {
    leaves
        .prop_recursive(5, 60, 6, move |inner| {
            let entries = prop::collection::vec((keys.clone(), inner.clone()), 0..6);
            prop_oneof![
                prop::collection::vec(inner, 0..6).prop_map(Value::Array),
                entries.prop_map(|entries| Value::Map(entries.into_iter().collect())),
            ]
        })
        .boxed()
}

fn text_keys() -> BoxedStrategy<Key> {
    any::<String>().prop_map(Key::Text).boxed()
}

fn all_values() -> BoxedStrategy<Value> {
    let bytes = prop::collection::vec(any::<u8>(), 0..20).prop_map(Value::from_bytes);
    let keys = prop_oneof![
        text_keys(),
        prop::collection::vec(any::<u8>(), 0..8).prop_map(|bytes| Key::Bytes(bytes.into())),
    ];
    values(prop_oneof![scalars(), bytes], keys.boxed())
}

trait FromBytes {
    fn from_bytes(bytes: Vec<u8>) -> Value;
}

impl FromBytes for Value {
    fn from_bytes(bytes: Vec<u8>) -> Self {
        Self::from(Bytes::from(bytes))
    }
}

proptest! {
    #[test]
    fn a_value_survives_its_own_serializer_and_deserializer(value in all_values()) {
        prop_assert_eq!(&Value::from_serialize(&value).expect("serialises"), &value);
        prop_assert_eq!(&value.decode::<Value>().expect("decodes"), &value);
    }

    #[test]
    fn json_text_reads_back_as_the_same_value(value in values(
        scalars().prop_filter("JSON has no infinity", |value| !matches!(value, Value::F64(float) if !float.is_finite())),
        text_keys(),
    )) {
        let text = value.to_json().expect("has a JSON form");
        prop_assert_eq!(serde_json::from_str::<Value>(&text).expect("parses"), value);
    }
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Everything {
    small: i8,
    large: u64,
    float: f64,
    letter: char,
    text: String,
    maybe: Option<i32>,
    nothing: Option<i32>,
    unit: (),
    pair: (u8, String),
    list: Vec<i64>,
    octets: Vec<u8>,
    by_number: BTreeMap<i32, String>,
    time: DateTime<Utc>,
    kinds: Vec<Kind>,
    newtype: Newtype,
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Kind {
    Unit,
    Newtype(i64),
    Tuple(i64, String),
    Struct { x: f64 },
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Newtype(String);

fn everything() -> Everything {
    Everything {
        small: -5,
        large: u64::MAX,
        float: 1.5,
        letter: 'ß',
        text: "text".to_owned(),
        maybe: Some(3),
        nothing: None,
        unit: (),
        pair: (7, "seven".to_owned()),
        list: vec![1, 2, 3],
        octets: vec![0, 255],
        by_number: BTreeMap::from([(-1, "minus one".to_owned())]),
        time: "2026-11-22T10:26:28.123456Z".parse().expect("a time"),
        kinds: vec![Kind::Unit, Kind::Newtype(1), Kind::Tuple(2, "b".to_owned()), Kind::Struct { x: 0.25 }],
        newtype: Newtype("inner".to_owned()),
        rest: BTreeMap::from([("extra".to_owned(), Value::I64(1))]),
    }
}

#[test]
fn rust_types_survive_the_way_through_a_value() {
    let value = Value::from_serialize(&everything()).expect("serialises");
    assert_eq!(value.get("time"), Some(&Value::from("2026-11-22T10:26:28.123456Z")));
    assert_eq!(value.decode::<Everything>().expect("decodes"), everything());
}

#[test]
fn a_value_is_what_serde_json_makes_of_the_same_type() {
    let ours = Value::from_serialize(&everything()).expect("serialises").to_json().expect("has a JSON form");
    let theirs = serde_json::to_value(everything()).expect("serialises");
    assert_eq!(serde_json::from_str::<serde_json::Value>(&ours).expect("parses"), theirs);
}

#[test]
fn a_list_of_small_integers_may_arrive_as_bytes() {
    let value = Value::from(Bytes::from_static(b"\x00\xff"));
    assert_eq!(value.decode::<Vec<u8>>().expect("decodes"), [0, 255]);
}

#[test]
fn integers_have_one_form() {
    assert_eq!(Value::from(5_u64), Value::I64(5));
    assert_eq!(Value::from_serialize(&5_u8).expect("serialises"), Value::I64(5));
    assert_eq!(Value::from(u64::MAX), Value::U64(u64::MAX));
    assert!(Value::from_serialize(&(u128::from(u64::MAX) + 1)).is_err());
    assert_eq!(Value::from_serialize(&i128::from(i64::MIN)).expect("fits"), Value::I64(i64::MIN));
}

#[test]
fn bytes_have_no_json_form_and_the_error_says_where() {
    let files = Value::Array(vec![Value::Null, Value::from(Bytes::from_static(b"x"))]);
    let message = Value::Map(Map::from_iter([("files".into(), files)]));
    assert_eq!(message.to_json(), Err(JsonError::Bytes { at: ".files[1]".to_owned() }));
    let keyed = Value::Map(Map::from_iter([(Key::Bytes(Bytes::from_static(b"k")), Value::Null)]));
    assert!(matches!(keyed.to_json(), Err(JsonError::Bytes { .. })));
}

#[test]
fn nan_and_the_infinities_are_errors_in_json_not_nulls() {
    for float in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert!(matches!(Value::F64(float).to_json(), Err(JsonError::Float { .. })), "{float}");
    }
}

#[test]
fn maps_keep_their_order_and_of_equal_keys_the_last_value() {
    let pairs =
        |count: i64| (0..count).map(move |n| (Key::from(format!("k{}", n % (count - 1))), Value::I64(n)));
    for count in [3, 100] {
        let map: Map = pairs(count).collect();
        assert_eq!(map.len() as i64, count - 1);
        assert_eq!(map.iter().next(), Some((&Key::from("k0"), &Value::I64(count - 1))));
    }
    let ordered = Value::from_serialize(&json!({"z": 1, "a": 2})).expect("serialises");
    assert_eq!(ordered.as_map().map(Map::len), Some(2));
}

#[test]
fn what_does_not_fit_is_an_error_that_says_what_was_expected() {
    let error = Value::from("seven").decode::<u8>().expect_err("text is no number");
    assert_eq!(error.to_string(), "invalid type: string \"seven\", expected u8");
    let error = Value::I64(300).decode::<u8>().expect_err("too large");
    assert!(error.to_string().contains("300"), "{error}");
}
