//! Events: types with dots and underscores, errors told apart, and work done once.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::json;
use solent::layers::{EncodingKey, Event, EventError, Map, Value};

fn event(message: serde_json::Value) -> Event {
    Event::new(&message).expect("an event")
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
enum Chat {
    #[serde(rename = "chat.message")]
    Message { message: String },
    #[serde(rename = "user_left.now")]
    Left { user: i64 },
    #[serde(rename = "plain")]
    Plain,
}

fn chat(message: serde_json::Value) -> Result<Chat, EventError> {
    event(message).value().clone().pipe_decode()
}

trait PipeDecode {
    fn pipe_decode(self) -> Result<Chat, EventError>;
}

impl PipeDecode for Value {
    fn pipe_decode(self) -> Result<Chat, EventError> {
        let decoded = Event::from_value(self)?.decode::<Chat>()?;
        Ok(match decoded.get() {
            Chat::Message { message } => Chat::Message { message: message.clone() },
            Chat::Left { user } => Chat::Left { user: *user },
            Chat::Plain => Chat::Plain,
        })
    }
}

#[test]
fn dots_and_underscores_in_a_type_are_the_same() {
    for spelling in ["chat.message", "chat_message"] {
        let found = chat(json!({"type": spelling, "message": "hi"}));
        assert_eq!(found, Ok(Chat::Message { message: "hi".to_owned() }), "{spelling}");
    }
    for spelling in ["user_left.now", "user.left.now", "user_left_now", "user.left_now"] {
        assert_eq!(chat(json!({"type": spelling, "user": 7})), Ok(Chat::Left { user: 7 }), "{spelling}");
    }
    assert_eq!(chat(json!({"type": "plain", "ignored": 1})), Ok(Chat::Plain));
    // The type need not come first.
    let last = chat(json!({"message": "hi", "type": "chat_message"}));
    assert_eq!(last, Ok(Chat::Message { message: "hi".to_owned() }));
}

#[test]
fn other_ways_to_tag_an_enum_see_the_same_types() {
    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(tag = "type", content = "data", rename_all = "snake_case")]
    enum Adjacent {
        ChatMessage(String),
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct Flat {
        id: i64,
        #[serde(flatten)]
        inner: Chat,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct Plain {
        #[serde(rename = "type")]
        kind: String,
    }
    let adjacent = event(json!({"type": "chat.message", "data": "x"})).decode::<Adjacent>().expect("decodes");
    assert_eq!(adjacent.get(), &Adjacent::ChatMessage("x".to_owned()));
    let flat = event(json!({"type": "user_left_now", "id": 1, "user": 2})).decode::<Flat>().expect("decodes");
    assert_eq!(flat.get(), &Flat { id: 1, inner: Chat::Left { user: 2 } });
    let plain = event(json!({"type": "chat_message"})).decode::<Plain>().expect("decodes");
    assert_eq!(plain.kind, "chat.message");
}

#[test]
fn a_catch_all_variant_takes_only_what_no_other_spelling_names() {
    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(tag = "type")]
    enum Some {
        #[serde(rename = "chat.message")]
        Message { text: String },
        #[serde(rename = "user_left")]
        Left,
        #[serde(other)]
        Other,
    }
    let decode = |message| event(message).decode::<Some>().expect("decodes");
    assert_eq!(
        decode(json!({"type": "chat_message", "text": "x"})).get(),
        &Some::Message { text: "x".into() }
    );
    assert_eq!(decode(json!({"type": "user.left"})).get(), &Some::Left);
    assert_eq!(decode(json!({"type": "user_left"})).get(), &Some::Left);
    assert_eq!(decode(json!({"type": "some_thing"})).get(), &Some::Other);
}

#[test]
fn an_unknown_type_and_a_bad_field_are_different_errors() {
    let unknown = chat(json!({"type": "chat.unknown", "message": "x"}));
    assert_eq!(unknown, Err(EventError::UnknownType { r#type: "chat.unknown".to_owned() }));
    assert_eq!(unknown.unwrap_err().to_string(), "unknown event type \"chat.unknown\"");
    let bad = chat(json!({"type": "chat_message", "message": 5}));
    assert!(matches!(&bad, Err(EventError::BadField { r#type, .. }) if r#type == "chat_message"), "{bad:?}");
    let missing = chat(json!({"type": "chat_message"}));
    assert!(
        matches!(&missing, Err(EventError::BadField { error, .. }) if error.contains("message")),
        "{missing:?}"
    );
}

#[test]
fn an_unknown_variant_inside_a_field_is_a_bad_field() {
    #[derive(Debug, Deserialize)]
    #[serde(tag = "type")]
    enum Outer {
        #[serde(rename = "set")]
        #[allow(dead_code)]
        Set { colour: Colour },
    }
    #[derive(Debug, Deserialize)]
    enum Colour {
        Red,
    }
    let found = event(json!({"type": "set", "colour": "Blue"})).decode::<Outer>().map(drop);
    assert!(matches!(found, Err(EventError::BadField { .. })), "{found:?}");
    assert!(matches!(
        event(json!({"type": "set", "colour": "Red"})).decode::<Outer>().expect("decodes").get(),
        Outer::Set { colour: Colour::Red }
    ));
}

#[test]
fn a_missing_type_is_an_error_only_for_who_needs_one() {
    assert_eq!(chat(json!({"message": "x"})), Err(EventError::MissingType));
    let untyped = event(json!({"message": "Hello"})).decode::<serde_json::Value>().expect("decodes");
    assert_eq!(untyped.get(), &json!({"message": "Hello"}));
}

#[test]
fn a_message_must_be_a_map() {
    assert_eq!(Event::new(&[1, 2]).map(drop), Err(EventError::NotAMap { found: "an array" }));
    assert_eq!(Event::new("text").map(drop), Err(EventError::NotAMap { found: "text" }));
}

static DECODED: AtomicUsize = AtomicUsize::new(0);

#[derive(Debug)]
struct Counted;

impl<'de> Deserialize<'de> for Counted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        serde::de::IgnoredAny::deserialize(deserializer)?;
        DECODED.fetch_add(1, SeqCst);
        Ok(Self)
    }
}

#[test]
fn an_event_is_decoded_once_per_type_whatever_the_groups_size() {
    let shared = event(json!({"n": 1}));
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let shared = shared.clone();
            std::thread::spawn(move || {
                for _ in 0..250 {
                    shared.clone().decode::<Counted>().expect("decodes");
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
    assert_eq!(DECODED.load(SeqCst), 1);
    shared.decode::<Map>().expect("another type has a cell of its own");
    assert_eq!(DECODED.load(SeqCst), 1);
}

#[test]
fn a_failed_decode_is_remembered_too() {
    let shared = event(json!({"type": "nope"}));
    let first = shared.decode::<Chat>().map(drop);
    assert_eq!(first, shared.decode::<Chat>().map(drop));
    assert!(first.is_err());
}

#[test]
fn every_encoded_form_is_made_once() {
    let shared = event(json!({"n": 1}));
    for key in [EncodingKey::TEXT_FRAME, EncodingKey::new(1), EncodingKey::new(2)] {
        let made = AtomicUsize::new(0);
        for _ in 0..3 {
            let frame = shared.encoded(key, || {
                made.fetch_add(1, SeqCst);
                Ok(Bytes::from(format!("{key:?}")))
            });
            assert_eq!(frame, Ok(Bytes::from(format!("{key:?}"))));
        }
        assert_eq!(made.load(SeqCst), 1);
    }
}

#[test]
fn the_json_text_is_made_once_and_bytes_are_an_error() {
    let shared = event(json!({"type": "chat_message", "n": 1}));
    let (first, second) = (shared.json().expect("has JSON"), shared.json().expect("has JSON"));
    assert_eq!(first, r#"{"n":1,"type":"chat_message"}"#);
    assert_eq!(first.as_ptr(), second.as_ptr(), "it was made twice");
    let mut map = Map::new();
    map.insert("file", Bytes::from_static(b"x"));
    let error = Event::from_value(map.into()).expect("a map").json().expect_err("bytes");
    assert_eq!(error.to_string(), "bytes cannot go to a JSON client: found at .file");
}

#[test]
fn a_decoded_event_can_be_sent_on_as_it_came() {
    let original = event(json!({"type": "chat_message", "message": "x", "extra": [1, 2]}));
    let decoded = original.decode::<Chat>().expect("decodes");
    assert_eq!(decoded.untyped(), original);
    assert_eq!(decoded.message_type(), Some("chat_message"));
    let again: Event = decoded.untyped().decode::<Value>().expect("is one already");
    assert_eq!(again.get(), original.value());
}
